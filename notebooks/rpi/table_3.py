# ---
# jupyter:
#   attribook:
#     finding: "Of their"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Tables 3 and 8: the top three words
#
# Claim: of RPI, SIG and DecompX, RPI's three highest words agree best with what the classifier says (RPI, Table 3);
# Table 8 has more examples of RPI alone. Nothing is counted there, and the paper does not say which of the 24 maps is
# shown, picked by which metric. This page marks the three highest tokens of several methods in the same sentences, and
# then counts over all texts how many of the three two methods share.
#
# It reads stored scores of `results/<profile>/rpi_table2` and maps of `rpi_pools`, which takes seconds. Left out:
# Emotion, which has no classifier in this profile.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT and RoBERTa. **Data**: held-out snippets, the
# first ones in the study's order, not chosen by anybody. **Words** are the classifier's tokens, which may be pieces of
# words. **RPI** has the options of its released code with 11 points on the path; **SIG** has 10 points. **Metric**
# that picks: each of the five; the mean of all maps is picked by none.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts that are counted
shown: int = 6  # texts that are printed
size: int = 24  # R, the number of maps to pick from
drawn: int = 32  # maps that are stored
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
slow_steps: int = 10  # points on a path of SIG
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from math import comb

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.papers.rpi.live import token_scores
from attribook.papers.rpi.settings import ERASURE, released_setting
from attribook.show.marked import marked_texts
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import oriented
from attribook.statistics.summaries import estimate_texts

where, given = (profile, model, dataset, "rpi-paper"), {"n_items": n_items, "keep": "all", "seed": seed}
methods = {"SIG": f"sequential_integrated_gradients{{steps={slow_steps}}}", "DecompX": "decompx", "ALTI": "alti",
           "integrated gradients": "integrated_gradients", "gradient × input": "input_x_gradient"}  # fmt: skip
singles = {name: Study("rpi_table2", *where, (method,), **given, random_seeds=1) for name, method in methods.items()}
drawing = {"RPI": released_setting(layers=layer, steps=steps), "random": "random"}
pools = {
    name: PoolStudy("rpi_pools", *where, (method,), tuple(ERASURE), **given, size=drawn)
    for name, method in drawing.items()
}
alone = pd.concat([token_scores(study).assign(method=name) for name, study in singles.items()])
maps = pd.concat([token_scores(study).assign(method=name) for name, study in pools.items()])
maps = maps[maps["map"] < size]  # the maps to pick from
values = pd.concat([study.frame().assign(method=name) for name, study in pools.items()])
values = values[(values["kind"] == "map") & (values["map"] < size)].reset_index(drop=True)
here = f"{model} (small, not the paper's), {dataset}"
MARKED = 3  # words that the paper's tables show

# %% tags=["answer", "remove-input"]
places = oriented(values).groupby(["method", "metric", "item"], sort=False)["value"].idxmax()
chosen = values.loc[places, ["method", "metric", "item", "map"]].merge(maps, on=["method", "item", "map"])
chosen = chosen.sort_values(["score", "place"], ascending=[False, True])
chosen = chosen.groupby(["method", "metric", "item"], sort=False).head(MARKED)
both = chosen.merge(chosen, on=["method", "item", "place"]).query("metric_x < metric_y")
every = values[["method", "item"]].drop_duplicates().set_index(["method", "item"]).index
shared = both.groupby(["method", "item"]).size().reindex(every, fill_value=0) / comb(len(ERASURE), 2)
found = estimate(shared.rename("value"), "mean", "method")
texts = found["method"] + ": " + estimate_texts(found, "{:.2f}")
words = alone.groupby("item")["place"].nunique()
Markdown(
    f"Of their {MARKED} highest tokens, two maps that two metrics pick share, on average, {'; '.join(texts)}. Two "
    f"rankings by chance share {(words.clip(upper=MARKED) ** 2 / words).mean():.2f}. n = {found['n'].min()} texts, "
    f"{len(ERASURE)} metrics, R = {size}, {here}."
)

# %% [markdown]
# ## The highest tokens
#
# The three highest tokens of every text by each method: of the methods' single maps, of the map that each metric picks
# among the first R, of the mean of these maps, and of the first one. Of equal scores the first in the order of reading
# counts as higher.

# %%
places = oriented(values).groupby(["method", "metric", "item"], sort=False)["value"].idxmax()
picked = values.loc[places, ["method", "metric", "item", "map"]].merge(maps, on=["method", "item", "map"])
picked["name"] = picked["method"] + ", picked by " + picked["metric"].map(ERASURE)
mean = maps.groupby(["method", "item", "place", "token"], sort=False)["score"].mean().reset_index()
first = maps[maps["map"] == 0]
scores = pd.concat([alone.assign(name=alone["method"]), picked, mean.assign(name=mean["method"] + ", mean of maps"),
                    first.assign(name=first["method"] + ", first map")])  # fmt: skip
ranked = scores.sort_values(["score", "place"], ascending=[False, True])
tops = ranked.groupby(["item", "name"], sort=False).head(MARKED)

# %% [markdown]
# ## In running text
#
# Bold are the three highest tokens. `RPI, picked by Comp` is the map that comprehensiveness likes best, as the paper
# reports it; `random, picked by Comp` is the best of as many random rankings. The classifier is small and not the
# paper's.

# %%
texts = alone.drop_duplicates(["item", "place"]).groupby("item", sort=False)
listed = ["RPI, picked by Suff", "RPI, picked by Comp", "RPI, mean of maps", "SIG", "DecompX", "random, picked by Comp"]
for item, words in list(texts)[:shown]:
    said, sure = words["prediction"].iloc[0], words["probability"].iloc[0]
    marks = tops[tops["item"] == item].groupby("name")["place"].agg(list)
    display(Markdown(f"Item `{item}`: `{model}` says **{said}** (p = {sure:.2f})."))
    display(marked_texts({name: (words["token"].tolist(), marks[name]) for name in listed}))

# %% [markdown]
# ## Counted over all texts
#
# Whichever map is shown, a reader finds a story for its three words. So here is how many of its three tokens a method
# shares with each other method, with a 95% interval over texts; `none shared` and `all shared` are shares of texts. Two
# rankings by chance share k²/n tokens on average, where k of n are marked. The classifier is small and not the paper's.

# %%
named = ["RPI, picked by Comp", "RPI, mean of maps", "SIG", "DecompX"]
others = [*methods, *(f"RPI, picked by {metric}" for metric in ERASURE.values()), "RPI, mean of maps", "RPI, first map",
          "random, picked by Comp"]  # fmt: skip
both = tops.merge(tops, on=["item", "place"], suffixes=("", " of other"))
counts = both.groupby(["item", "name", "name of other"]).size()
every = pd.MultiIndex.from_product([tops["item"].unique(), named, others], names=counts.index.names)
counts = counts.reindex(every, fill_value=0).rename("value").reset_index()
counts = counts[counts["name"] != counts["name of other"]]

# %%
keys = ["name", "name of other"]
found = estimate(counts, "mean", keys).drop(columns=["failed", "p", "detectable"]).set_index(keys)
found["none shared"] = (counts["value"] == 0).groupby([counts[key] for key in keys]).mean()
found["all shared"] = (counts["value"] == MARKED).groupby([counts[key] for key in keys]).mean()
words = alone.groupby("item")["place"].nunique()
chance = (words.clip(upper=MARKED) ** 2 / words).mean()
digits = {"none shared": "{:.0%}", "all shared": "{:.0%}"}
heads = {"name of other": "shared with", "value": "tokens shared", "n": "n (texts)"}
for name, rows in found.reset_index().groupby("name", sort=False):
    caption = f"{name}: how many of its {MARKED} tokens others share, {here}; by chance {chance:.2f}"
    display(table(rows, caption, digits=digits, names=heads, drop=["name"]))

# %% [markdown]
# ## Table 8's form
#
# The form of Table 8: the prediction of the small classifier, and RPI's three tokens under each metric that could have
# picked the map, the highest first.

# %%
tokens = tops.assign(token=tops["token"].str.strip()).groupby(["item", "name"])["token"].agg(", ".join).unstack("name")
predictions = alone.groupby("item", sort=False)["prediction"].first()
columns = {f"RPI, picked by {metric}": metric for metric in ERASURE.values()}
listed = predictions.head(shown).to_frame().join(tokens[list(columns)].rename(columns=columns)).reset_index()
table(listed, f"RPI's three highest tokens by the metric that picks, {here}")
