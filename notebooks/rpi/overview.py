# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI
#
# RPI explains a prediction by the path of a model's attention weights: from weights that are noised, as a diffusion
# noises an image, to the clean ones, gradients are taken with respect to attention, and summed up along the way. The
# noise is drawn R times, so there are R maps. For each metric the map is reported that this metric likes best. Its
# paper compares it with ten methods, which have one map each, by five metrics that erase words.
#
# - [](../../methods/rpi) says what is computed; [](../../methods/rpi_g), [](../../methods/rpi_ig) and
#   [](../../methods/rpi_sig) are its components.
# - [](table_1): one sentence, all its maps, and the one that each metric picks.
# - [](table_2): RPI and nine methods by five metrics, with controls and random rankings at equal tries.
# - [](table_2_tasks): the same on three other data sets, with encoders tuned on them.
# - [](table_4): the same on a prompted causal model, rankings by the model itself among them.
# - [](table_4_tasks): and this on three other data sets.
# - [](table_3): the words that several methods mark (Tables 3 and 8).
# - [](table_5), [](table_6), [](table_7): by the number of maps, by component, by layer.
# - [](audit_departures): each difference between the paper and its released code, switched alone.
# - [](audit_picking): is it the path, or the picking? On a small classifier of ours.
# - [](audit_ceiling): how far any ranking could go, and whether a pick lasts when tokens go in another way.
# - [](audit_steps): from how many points on is the path long enough?
# - [](audit_golden): the same question where every value is known exactly, on classifiers that others released.
# - [](audit_third_party): its baselines' numbers beside those of other authors.
# - Its printed cells, with what became of each, are in the [ledger](../../claims/ledger).
#
# ## What the audit found
#
# Computed from the rows of [](audit_picking): RPI with the options of its released code, and random rankings, both
# with the same number of tries, judged and picked by the same metric.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 150  # of these
size: int = 24  # R, the number of maps to pick from
drawn: int = 32  # maps that are stored
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.tables import ERASURE, headline, released_setting
from attribook.statistics.picking import read_pool

metrics = tuple(ERASURE)
pools = [
    read_pool(PoolStudy("rpi_pools", profile, model, dataset, "rpi-paper", (method,), metrics, n_items=n_items,
                        keep="all", seed=seed, size=drawn))
    for method in (released_setting(layers=layer, steps=steps), "random")
]  # fmt: skip
Markdown(headline(*pools, metrics, size, "RPI, as released"))

# %% [markdown]
# Suff and A-S are sufficiency, Comp and A-C comprehensiveness, LO log-odds. Above 0 in a bracket is better, whichever
# way the metric runs; the brackets hold 95% intervals over texts. The classifier is a 6-layer MiniLM, not the paper's
# BERT: what carries over is how much picking does, not the size of RPI's numbers.
