# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 1: one sentence, many maps
#
# RPI's Table 1 marks, in a sentence, the top words of the map that Suff likes best and of the map that Comp likes best.
# Claim: different metrics favour different attributions, so that a map should be picked for each. This page shows the
# same for all five metrics on one sentence, and then what the table leaves out: all the maps to pick from, and how far
# they differ.
#
# Reads `results/<profile>/rpi_pools`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT tuned on SST2. **Sentence**: one of the data
# set's, by its place, not chosen by its maps. **RPI** has the options of its released code with 11 points on the path
# instead of 31. **Words** are the model's tokens. **n** = 1: this page shows what a map is, [](table_2) counts.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 150  # texts that have rows
place: int = 0  # which of them is shown, from 0
drawn: int = 32  # maps that are stored
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.one_sentence import (
    map_frame,
    picked_notes,
    picked_texts,
    read_sentence,
    sentence_told,
    spread_table,
    words_of,
)
from attribook.papers.rpi.tables import ERASURE, released_setting
from attribook.show.figures import score_grid
from attribook.show.marked import marked_texts
from attribook.show.tables import table

given = {"n_items": n_items, "keep": "all", "seed": seed, "size": drawn}
both = {
    name: read_sentence(
        PoolStudy("rpi_pools", profile, model, dataset, "rpi-paper", (method,), tuple(ERASURE), **given), place
    )
    for name, method in {"RPI": released_setting(layers=layer, steps=steps), "random rankings": "random"}.items()
}
own, blind = both["RPI"], both["random rankings"]
Markdown(f"Item `{own.item}`: `{model}` says **{own.target}** (p = {own.probability:.2f}). {drawn} maps.")

# %% [markdown]
# ## The map that each metric picks
#
# Marked are the three highest words of the picked map; the last row marks those of the mean of all maps.

# %% tags=["remove-input"]
marked_texts(picked_texts(own), picked_notes(own))

# %% tags=["remove-input"]
Markdown(f"**RPI.** {sentence_told(own)}\n\n**Random rankings.** {sentence_told(blind)}")

# %% [markdown]
# That different metrics pick different maps does not tell good maps from bad ones: they do so among random rankings as
# well, which know nothing of the sentence.

# %% tags=["remove-input"]
marked_texts(picked_texts(blind), picked_notes(blind))

# %% [markdown]
# ## All maps
#
# Each column is one map, divided by its largest score. Two columns differ in nothing but the noise of their baseline.

# %% tags=["remove-input"]
score_grid(words_of(own), map_frame(own), f"All maps of RPI for item {own.item}")

# %% [markdown]
# ## What the metrics give the maps
#
# `deviation`: the standard deviation over maps of what a metric gives them.

# %% tags=["remove-input"]
formats = dict.fromkeys(("its value", "mean of maps", "worst", "deviation"), "{:+.3f}")
table(spread_table(own), caption=f"RPI, item {own.item}, {drawn} maps", formats=formats)

# %% tags=["remove-input"]
table(spread_table(blind), caption=f"Random rankings, item {blind.item}, {drawn} rankings", formats=formats)
