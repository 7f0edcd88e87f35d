# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Audit: how high is the ceiling, and does a choice last?
#
# This page asks two questions that [](audit_picking) leaves open. *How far could any ranking go?* A search asks the
# metric itself for its best set of tokens, with no map at all: this is what choosing among ever more maps would reach.
# *Does a choice last?* A map is chosen with one way of removing tokens and judged with the other: by the same metric
# and the same share of tokens, but tokens are masked instead of deleted, or deleted instead of masked.
#
# The page reads `results/<profile>/rpi_pools` under two protocols, and `rpi_ceilings`. From stored rows it takes
# seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# The paper has neither. **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets. **RPI** has the options of its
# released code with 11 points on the path. **Search**: a beam follows 5 sets of each size; where there are at most 500
# sets, all are asked. A beam may miss the best set, so the ceiling can only be better. **Metrics** searched: the three
# of one share of the tokens, 20%. More layers beside as many random maps: [](table_7).
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
size: int = 24  # R, the number of maps to choose from
drawn: int = 32  # maps stored under the paper's operators
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.live import ceiling_rows
from attribook.papers.rpi.settings import ERASURE, UNIT, released_setting
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import best_of, one_map, oriented, share_of_gain
from attribook.statistics.summaries import estimate_texts

RPI, RANDOM, CEILING = "RPI as released", "random rankings", "best set found"
where = ("rpi_pools", profile, model, dataset, "rpi-paper")
given = {"metrics": tuple(ERASURE), "n_items": n_items, "keep": "all", "seed": seed, "size": drawn}
methods = {RPI: released_setting(layers=layer, steps=steps), RANDOM: "random"}
studies = {name: PoolStudy(*where, (method,), **given) for name, method in methods.items()}
exchanged = {name: replace(study, protocol="rpi-exchanged", size=size) for name, study in studies.items()}
pools, other_pools = (
    pd.concat([study.frame().assign(method=name) for name, study in many.items()]) for many in (studies, exchanged)
)
searched = replace(studies[RANDOM], name="rpi_ceilings", size=size)
found = ceiling_rows(searched)
top = found.assign(method=CEILING, pick=CEILING, status="ok")
best, here = f"best of {size}", f"{model} (small, not the paper's), {dataset}"
by = ["metric", "method", "pick"]

# %% tags=["answer", "remove-input"]
picked, both = best_of(pools, size), pd.concat([pools[pools["map"] < size], other_pools])
start, end = one_map(pools[pools["method"] == RANDOM]).drop(columns="method"), top.drop(columns="method")
way = share_of_gain(picked, end, start, ["metric", "method"])
judges = both["protocol"].unique()
crossed = pd.concat([best_of(both, size, by={"protocol": name}).query("protocol != @name") for name in judges])
frames = [frame.drop(columns="protocol") for frame in (crossed, best_of(both, size), one_map(both))]
kept = share_of_gain(*frames, ["metric", "method"])


def listed(shares):  # a line for each metric, with RPI and random rankings
    texts = shares.assign(text=shares["method"] + " " + estimate_texts(shares, "{:.0%}")).groupby("metric", sort=False)
    return "".join(f"- {ERASURE[metric]}: {', '.join(rows['text'])}\n" for metric, rows in texts)


searches = f"For {1 - found['exact'].mean():.0%} of them the search followed a beam; for the others it asked all sets."
Markdown(
    f"Of the way from one random ranking to the best set of tokens that a search finds, the best of {size} maps goes "
    f"this share (n = {way['n'].min()} texts):\n\n{listed(way)}\nOf the gain by choosing the best of {size}, this "
    f"share is left when the other operator judges (n = {kept['n'].min()} texts):\n\n{listed(kept)}\n"
    f"{searched.n_kept()} {searches}"
)

# %% [markdown]
# ## The ceiling
#
# `share` says how much of the way from one random ranking to the best set of tokens one map goes, and the best of R
# maps. `missing` says how much better the best set still is. The best set is found by asking the metric, so it explains
# nothing: a method that comes near it has been fitted to the metric.

# %%
values = pd.concat([one_map(pools), best_of(pools, size)])
values = pd.concat([values[values["metric"].isin(found["metric"])], top])
start = one_map(pools[pools["method"] == RANDOM]).drop(columns=["method", "pick"])
shares = share_of_gain(values, top.drop(columns=["method", "pick"]), start, by)
missing = estimate(oriented(values), "difference", by, of={"method": CEILING, "pick": CEILING})

# %%
ceilings = estimate(values, "mean", by)[[*by, "value", "n"]]
for name, part in (("share", shares), ("missing", missing)):
    heads = {"value": name, "low": f"{name} low", "high": f"{name} high"}
    ceilings = ceilings.merge(part.rename(columns=heads)[[*by, *heads.values()]], on=by, how="left")
ceilings = ceilings[[*by, "value", "share", "share low", "share high", "missing", "missing low", "missing high", "n"]]
for metric, rows in ceilings.groupby("metric", sort=False):
    display(table(rows, f"{UNIT[metric]}, R = {size}, {here}", digits={"value": "{:+.3f}", "share": "{:.0%}",
                  "missing": "{:+.3f}"}, drop=["metric"], names={"n": "n (texts)"}))  # fmt: skip

# %% [markdown]
# ## Chosen with one operator, judged with the other
#
# `share kept` is the share of the gain by choosing that is left when the other operator judges, over both directions
# together. A map that is better for the text keeps its gain. A map that scored high by chance under one way of
# removing tokens does not. Random rankings know nothing of the text, so what they keep is what the two operators have
# in common. The model is small and not the paper's.

# %%
both = pd.concat([pools[pools["map"] < size], other_pools])
protocols = list(both["protocol"].unique())
crossed = [best_of(both, size, by={"protocol": name}).query("protocol != @name") for name in protocols]
frames = [frame.drop(columns="protocol") for frame in (pd.concat(crossed), best_of(both, size), one_map(both))]
kept = share_of_gain(*frames, ["method", "metric"])  # of what is kept, the whole gain, and where both start
table(kept.assign(metric=kept["metric"].map(ERASURE)), f"Share of the gain by choosing the best of {size} that is left "
      f"under the other operator, {here}", digits={"value": "{:.0%}"}, names={"value": "share kept", "n": "n (texts)"},
      drop=["failed", "p", "detectable"])  # fmt: skip

# %% [markdown]
# ## What the search asked
#
# Means over texts. `exact` is the share of texts for which all sets of k tokens were asked.

# %%
asked = found.groupby("metric", sort=False).agg(
    n=("item", "size"), tokens=("tokens", "mean"), k=("k", "mean"), sets=("sets", "mean"), exact=("exact", "mean")
)
table(asked.reset_index(), f"Sets of tokens that the search asked for a text, {here}",
      digits={"tokens": "{:.1f}", "k": "{:.1f}", "sets": "{:.0f}", "exact": "{:.0%}"},
      names={"n": "n (texts)"})  # fmt: skip
