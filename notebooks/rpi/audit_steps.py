# ---
# jupyter:
#   attribook:
#     reads: [ledger]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Audit: how many points does RPI's path need?
#
# Claim: from about 30 steps on, more steps change little (RPI; it prints no table). Here the same maps, from the same
# noise, are made with fewer and with more points. The page asks how far the five metrics and the ranking of the words
# move. They are compared with the difference between two maps from different noise: a move that is far smaller than
# this is lost in the draw that RPI makes anyway, and costs forward passes for nothing.
#
# The page reads `results/<profile>/rpi_pools`. From stored rows it takes seconds; otherwise it takes R times as many
# forward and backward passes as there are points.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT. **RPI** has the options of its released code,
# which visits both ends: 31 points are its 30 steps. **n** and R stand at the tables.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
size: int = 8  # R, maps of each text
layer: str = "-3"  # of RPI as released, -1 is the last
points: str = "3,6,11,31,61"  # points on the path; the last is what the others are compared with
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from IPython.display import Markdown

from attribook.grid.pools import PoolStudy
from attribook.ledger.figure_claims import answered_claim
from attribook.papers.rpi.settings import ARROW, ERASURE, released_setting
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.summaries import directions, estimate_texts

*fewer, most = sorted(map(int, points.split(",")))
where = ("rpi_pools", profile, model, dataset, "rpi-paper")
given = {"metrics": tuple(ERASURE), "n_items": n_items, "keep": "all", "seed": seed, "size": size}
studies = {steps: PoolStudy(*where, (released_setting(layers=layer, steps=steps),), **given)
           for steps in (*fewer, most)}  # fmt: skip
pools = pd.concat([study.frame().assign(points=steps) for steps, study in studies.items()])
maps = pools.loc[pools["kind"] == "map", ["points", "metric", "item", "map", "value"]]
here, draws = f"{model} (small, not the paper's), {dataset}, {size} maps for each text", "two draws"
words = ("smaller than between two draws of noise on", "larger on", "undecided on")

# %% tags=["answer", "remove-input"]
last = maps[maps["points"] == most].drop(columns="points")
moved = maps[maps["points"] == fewer[-1]].merge(last, on=["metric", "item", "map"])
drawn = last.merge(last, on=["metric", "item"]).query("map_x < map_y").assign(points=draws)
both = pd.concat([moved, drawn])
both = both.assign(value=(both["value_x"] - both["value_y"]).abs())
shares = estimate(both, "ratio", ["points", "metric"], against={"points": draws})
tests = estimate(both, "difference", ["points", "metric"], of={"points": draws}, family=())
claim = answered_claim("rpi-steps")
moves, parts = tests["metric"].map(ERASURE), shares["metric"].map(ERASURE) + " " + estimate_texts(shares, "{:.1%}")
Markdown(
    f"From {fewer[-1]} to {most} points the move of a metric is {directions(tests, moves, words)} (adjusted for "
    f"{len(tests)} tests by max-T). As a share of the difference between two draws it is {', '.join(parts)}. "
    f"n = {tests['n'].min()} texts. "
    + (f"The ledger's verdict on the claim: {claim['verdict']}." if claim else "The ledger has no rows for the claim.")
)

# %% [markdown]
# ## How far the metrics move
#
# The mean absolute difference between a map and the same map with the most points, over maps and texts, with a 95%
# interval over texts. The last line is the same between two maps from different noise. The model is small and not the
# paper's.

# %%
last = maps[maps["points"] == most].drop(columns="points")
moved = maps[maps["points"] != most].merge(last, on=["metric", "item", "map"])  # the same noise
drawn = last.merge(last, on=["metric", "item"]).query("map_x < map_y").assign(points=draws)
both = pd.concat([moved, drawn])
both = both.assign(value=(both["value_x"] - both["value_y"]).abs())
apart = estimate(both, "mean", ["points", "metric"])
cells = apart.assign(cell=estimate_texts(apart, "{:.3f}")).pivot(index="points", columns="metric", values="cell")
table(cells.loc[[*fewer, draws], list(ERASURE)].rename(columns=ARROW).reset_index().astype(str),
      f"How far a metric is from {most} points, {here}, n = {apart['n'].min()} texts")  # fmt: skip

# %% [markdown]
# ## How far the ranking of the words moves
#
# Spearman's correlation of each map with the same map of the most points, over the words of a text, and its mean over
# maps and texts. A text with a map that gives all words one score has no correlation and counts as failed.

# %%
scores = {  # by text, map and place of the token, without the first and the last token, which are special
    steps: pd.concat(
        {unit.prompt.id: pd.DataFrame(np.asarray(study.maps(unit))[:, 1:-1]) for unit in study.units()},
        names=["item", "map"],
    ).stack()
    for steps, study in studies.items()
}
alike = pd.DataFrame(scores).groupby(level=["item", "map"]).corr(method="spearman")[most]
alike = alike.rename_axis(index=["item", "map", "points"]).rename("value").drop(most, level="points")
ranking = estimate(alike.reset_index(), "mean", ["points"])
table(ranking, f"Correlation of rankings with those of {most} points, {here}", digits={"value": "{:+.3f}"},
      names={"value": "Spearman's correlation", "n": "n (texts)"}, drop=["p", "detectable"])  # fmt: skip

# %% [markdown]
# ## What it cost

# %%
costs = [study.costs().assign(points=steps)[["points", "n", "maps", "seconds"]] for steps, study in studies.items()]
table(pd.concat(costs), f"Mean seconds for all maps of a text, {here}", names={"n": "n (texts)"})
