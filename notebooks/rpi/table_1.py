# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Table 1: one sentence, many maps
#
# RPI's Table 1 marks, in a sentence, the top words of the map that Suff likes best and of the map that Comp likes best.
# Claim: different metrics favour different attributions, so that a map should be picked for each. This page shows the
# same for all five metrics on one sentence, and then what the table leaves out: all the maps to pick from, and how far
# they differ.
#
# It reads `results/<profile>/rpi_pools`, which takes seconds. Left out: any count over sentences, which is on
# [](table_2) and [](table_3).
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT tuned on SST2. **Sentence**: one of the data
# set's, by its place, not chosen by its maps. **RPI** has the options of its released code with 11 points on the path
# instead of 31. **Words** are the model's tokens. **n** = 1: this page shows what a map is and decides nothing.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 150  # texts that have rows
place: int = 0  # which of them is shown, from 0
drawn: int = 32  # maps that are stored
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.metrics.names import sign
from attribook.papers.rpi.live import token_scores
from attribook.papers.rpi.settings import ARROW, ERASURE, released_setting
from attribook.show.figures import score_grid
from attribook.show.marked import marked_texts
from attribook.show.tables import table
from attribook.statistics.picking import oriented

where = ("rpi_pools", profile, model, dataset, "rpi-paper")
study = PoolStudy(*where, (released_setting(layers=layer, steps=steps),), tuple(ERASURE), n_items=n_items, keep="all",
                  seed=seed, size=drawn)  # fmt: skip
studies = {"RPI": study, "random rankings": replace(study, methods=("random",))}
item = study.items[place].id
pools = pd.concat([each.frame().assign(method=name) for name, each in studies.items()])
values = pools[(pools["item"] == item) & (pools["kind"] == "map")].reset_index(drop=True)
tokens = pd.concat([token_scores(each, [item]).assign(method=name) for name, each in studies.items()])
first = tokens.iloc[0]
here = f"item {item} of {dataset}, {model} (small, not the paper's)"
MARKED = 3  # words that the paper's Table 1 marks

# %% tags=["answer", "remove-input"]
best = oriented(values)
chosen = best.loc[best.groupby(["method", "metric"], sort=False)["value"].idxmax()]
said = []
for name, rows in chosen.groupby("method", sort=False):
    maps = tokens[tokens["method"] == name].pivot(index="place", columns="map", values="score")
    ranks = maps.corr("spearman").to_numpy()[np.triu_indices(drawn, 1)]
    picks = ", ".join(f"{ERASURE[row.metric]} chooses map {row.map + 1}" for row in rows.itertuples())
    said.append(
        f"Of {drawn} maps of **{name}**, {picks}: {rows['map'].nunique()} different maps for {len(rows)} metrics. Two "
        f"of the maps have a rank correlation of {np.nanmean(ranks):+.2f} on average."
    )
Markdown(
    f"`{model}` says **{first['prediction']}** (p = {first['probability']:.2f}) to item `{item}`. {' '.join(said)} "
    "n = 1: one sentence decides nothing."
)

# %% [markdown]
# ## The map that each metric picks
#
# Marked are the three highest words of the picked map; the last row marks those of the mean of all maps.

# %%
best = oriented(values)
chosen = best.loc[best.groupby(["method", "metric"], sort=False)["value"].idxmax()]
maps = {name: rows.pivot(index="place", columns="map", values="score") for name, rows in tokens.groupby("method")}
words = tokens.drop_duplicates("place")["token"].tolist()


def top(scores):  # places of the highest scores; of equal ones the first in the order of reading
    return scores.sort_values(ascending=False, kind="stable").index[:MARKED].tolist()


# %%
for name in studies:
    picks = chosen[chosen["method"] == name].set_index("metric")["map"]
    texts = {ARROW[metric]: (words, top(maps[name][number])) for metric, number in picks.items()}
    texts["mean of the maps"] = (words, top(maps[name].mean(axis=1)))
    display(Markdown(f"**{name}**, {here}"))
    display(marked_texts(texts, {ARROW[metric]: f"map {number + 1}" for metric, number in picks.items()}))

# %% [markdown]
# That different metrics pick different maps does not tell good maps from bad ones: random rankings, which know nothing
# of the sentence, have to be picked from in the same way.
#
# ## All maps
#
# Each column is one map of RPI, divided by its largest score. Two columns differ in nothing but the noise of their
# baseline.

# %%
score_grid(words, maps["RPI"].rename(columns=lambda number: str(number + 1)), f"All maps of RPI for {here}")

# %% [markdown]
# How alike two maps are, on average over all pairs: Spearman's correlation of their scores, and the share of their
# three highest words that both have. Two random rankings of n words share three in n of them on average.

# %%
found = []
for name in studies:
    above = np.triu_indices(drawn, 1)
    tops = [set(top(maps[name][number])) for number in maps[name]]
    shared = [len(tops[one] & tops[other]) / MARKED for one, other in zip(*above, strict=True)]
    ranks = maps[name].corr("spearman").to_numpy()[above]
    found.append({"maps of": name, "maps": drawn, "rank correlation": np.nanmean(ranks), "shared": np.mean(shared),
                  "shared by chance": MARKED / max(MARKED, len(words))})  # fmt: skip
digits = {"rank correlation": "{:+.2f}", "shared": "{:.0%}", "shared by chance": "{:.0%}"}
table(pd.DataFrame(found), f"How alike two maps are, {here}", digits=digits,
      names={"shared": f"top {MARKED} words shared"})  # fmt: skip

# %% [markdown]
# ## What the metrics give the maps
#
# The standard deviation is over the maps of what a metric gives them. The model is small and not the paper's.

# %%
spread = best.groupby(["method", "metric"], sort=False)["value"].agg(["max", "mean", "min", "std"]).reset_index()
spread[["max", "mean", "min"]] = spread[["max", "mean", "min"]].mul(spread["metric"].map(sign), axis=0)
spread = spread.merge(chosen[["method", "metric", "map"]]).assign(map=lambda rows: rows["map"] + 1)
heads = {"method": "maps of", "max": "chosen map's value", "mean": "mean of all maps", "min": "worst map's value",
         "std": "standard deviation", "map": "chosen map"}  # fmt: skip
table(spread.replace({"metric": ARROW}), f"Values of {drawn} maps, {here}", digits=3, names=heads)
