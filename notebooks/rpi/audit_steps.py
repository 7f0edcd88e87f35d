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
# # Audit: how many points does RPI's path need?
#
# Claim: from about 30 steps on, more steps change little (RPI; it prints no table). Here the same maps, from the same
# noise, are made with fewer and with more points, and the question is what the five metrics and the ranking of the
# words make of it. The yardstick is luck: how far two maps from different noise are apart. What is far below it is lost
# in the draw that RPI makes anyway, and costs forwards for nothing.
#
# Reads `results/<profile>/rpi_pools`. Cost: from stored rows, seconds; else R times all points, forwards and backwards.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT. **RPI** has the options of its released code,
# which visits both ends: 31 points are its 30 steps. **n** and R: in the tables.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
size: int = 8  # R, maps of each text
layer: str = "-3"  # of RPI as released, -1 is the last
points: str = "3,6,11,31,61"  # points on the path; the last is what the others are compared with
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.pools import PoolStudy
from attribook.ledger.figure_claims import answered_claim
from attribook.papers.rpi.steps import map_agreement, points_table
from attribook.papers.rpi.tables import ERASURE, released_setting
from attribook.show.tables import table
from attribook.statistics.picking import read_pool

given = {"n_items": n_items, "keep": "all", "seed": seed, "size": size}
studies = {
    steps: PoolStudy("rpi_pools", profile, model, dataset, "rpi-paper", (released_setting(layers=layer, steps=steps),),
                     tuple(ERASURE), **given)
    for steps in map(int, points.split(","))
}  # fmt: skip
pools = {steps: read_pool(study) for steps, study in studies.items()}
where, most = f"{model}, {dataset}, {size} maps a text", max(studies)
Markdown(studies[most].n_kept())

# %% [markdown]
# ## The answer

# %% tags=["remove-input"]
found = answered_claim("rpi-steps")
Markdown(f"**{found['verdict'].capitalize()}**: {found['reason']}." if found else "No rows with 31 and 61 points yet.")

# %% [markdown]
# ## What the metrics make of it
#
# Mean absolute difference to the same map with the most points, over maps and texts, with a 95% interval over texts.
# Last line: the same between two maps from different noise.

# %% tags=["remove-input"]
table(points_table(pools, tuple(ERASURE)), caption=f"How far from {most} points, {where}")

# %% [markdown]
# ## What the ranking makes of it
#
# Spearman's correlation of each map with the same map of the most points, over the words of a text.

# %% tags=["remove-input"]
formats = dict.fromkeys(("correlation", "low", "high"), "{:+.3f}")
table(map_agreement(studies), caption=f"Ranking of words against {most} points, {where}", formats=formats)

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
costs = [study.costs().assign(points=steps)[["points", "n", "maps", "seconds"]] for steps, study in studies.items()]
table(pd.concat(costs), caption=f"Mean seconds a text for all maps, {where}", formats={"seconds": "{:.2f}"})
