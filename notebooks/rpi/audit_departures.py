# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Audit: RPI's paper or its code?
#
# RPI's released code departs from its text in eight places. Each but one is switched alone, from the paper's reading
# towards the code's, and the page asks how far it moves the numbers that the paper prints: those of the best of R maps,
# and, without choosing, of one map. The last rows of each table switch everything at once.
#
# The page reads `results/<profile>/rpi_departures`; from stored rows it takes seconds, and its last table says what the
# rows cost. The divisor is exact arithmetic on the paper's reading; whether k may be 0 is judged anew on the same maps.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT. **Path**: 10 points instead of 30, all from
# the same noise for the same text, so that nothing but the change differs. **Not switched alone**: both ends of the
# path, which the code visits and the paper does not; this is part of *all as released*.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
size: int = 24  # R, the number of maps to choose from
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 10  # points on a path
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.departures import ALL, CHANGES, DIVISOR, EVERYTHING, JUDGED, JUDGING, LEAST, WRITTEN
from attribook.papers.rpi.settings import ERASURE, UNIT
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import best_of, one_map, oriented
from attribook.statistics.summaries import by_direction, estimate_texts

given = {"metrics": tuple(ERASURE), "n_items": n_items, "keep": "all", "seed": seed, "size": size}
where, protocols = ("rpi_departures", profile, model, dataset), {"rpi-paper": CHANGES, "rpi-code": (WRITTEN, ALL)}
studies = {(name, protocol): PoolStudy(*where, protocol, (CHANGES[name].setting(steps=steps, layer=layer),), **given)
           for protocol, names in protocols.items() for name in names}  # fmt: skip
pools = pd.concat([study.frame().assign(change=name) for (name, _), study in studies.items()])
best, here = f"best of {size}", f"{model} (small, not the paper's), {dataset}"

# %% tags=["answer", "remove-input"]
paper = pools[(pools["protocol"] == "rpi-paper") & (pools["change"] != ALL)]
values = oriented(pd.concat([best_of(paper, size), one_map(paper)]))
moves = estimate(values, "difference", ["pick", "metric", "change"], against={"change": WRITTEN})
lines = []
for (pick, metric), rows in moves.assign(words=estimate_texts(moves)).groupby(["pick", "metric"], sort=False):
    most, listed = rows.loc[rows["value"].abs().idxmax()], by_direction(rows, "change")
    lines.append(
        f"- **{ERASURE[metric]}, {pick}**: better with {', '.join(listed['above']) or 'none'}; worse with "
        f"{', '.join(listed['below']) or 'none'}. The largest change is by *{most['change']}*, {most['words']}, "
        f"n = {most['n']} texts."
    )
Markdown(
    "What each departure that changes the maps does alone, beside the paper's reading; above 0 is better, and each is "
    "decided by its own 95% interval:\n\n" + "\n".join(lines) + f"\n\n{studies[WRITTEN, 'rpi-paper'].n_kept()}"
)

# %% [markdown]
# ## The departures

# %%
about = {name: what for name, (what, _) in CHANGES.items()} | JUDGING
listed_changes = pd.DataFrame(about.items(), columns=["change", "what it is"])
table(listed_changes, "Departures of RPI's code from its paper, and of how it judges maps")

# %% [markdown]
# ## What each does to the numbers
#
# `moved` says how much better the number is than in the paper's reading, above 0 better, whichever way the metric runs,
# over the same texts. The smallest detectable difference is what these texts would show at the 5% level with 80% power.
# The rows on how maps are judged are made here, of the values under the paper's and the code's conventions: dividing by
# 6 instead of 5 scales an average over shares, and undoing this leaves what k = 0 does.

# %%
values = pd.concat([best_of(pools, size), one_map(pools)])
code = values["protocol"] == "rpi-code"
written, average = values["change"] == WRITTEN, values["metric"].str.startswith("aopc_")
scale = (5 / 6) ** average  # 1 for metrics at one share of the tokens
scaled, unscaled = (values.assign(value=each) for each in (values["value"] * scale, values["value"] / scale))
parts = [values[~code], scaled[~code & written & average].assign(change=DIVISOR),
         unscaled[code & written].assign(change=LEAST), values[code & written & average].assign(change=JUDGED),
         values[code & ~written].assign(change=EVERYTHING)]  # fmt: skip
readings, by = pd.concat(parts), ["pick", "metric", "change"]
moved = estimate(oriented(readings), "difference", by, against={"change": WRITTEN})

# %% [markdown]
# Best of R maps: this is the number that the paper prints. The model is small and not the paper's.

# %%
for metric in ERASURE:
    rows = moved[(moved["metric"] == metric) & (moved["pick"] == best)].rename(columns={"change": "name"})
    label = f"change of {UNIT[metric].split(',')[0]}), above 0 better"
    display(intervals(rows, label, f"{label}, {best}, {here}"))

# %%
means = estimate(readings, "mean", by)[[*by, "value", "low", "high", "n"]]
heads = {"value": "moved", "low": "moved low", "high": "moved high"}
both = means.merge(moved.drop(columns=["n", "failed", "p"]).rename(columns=heads), on=by, how="left")
formats = {"value": "{:+.3f}", "moved": "{:+.3f}", "detectable": "{:.3f}"}


# %%
def listed(pick):  # a table for each metric
    for metric, rows in both[both["pick"] == pick].groupby("metric", sort=False):
        display(table(rows, f"{UNIT[metric]}, {pick}, {here}", digits=formats, names={"n": "n (texts)"},
                      drop=["pick", "metric"]))  # fmt: skip


listed(best)

# %% [markdown]
# ## Without choosing: one map
#
# The mean over maps of what a metric gives them. Choosing the best map hides much of what a departure does to a map.

# %%
listed("one map")

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat([study.costs().assign(pool=f"{name}, {protocol}") for (name, protocol), study in studies.items()])
table(costs, f"Mean seconds for each text, to make a pool and to judge it, {here}", names={"n": "n (texts)"})
