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
# # Table 7: layers, and pools of layers
#
# Claims: a deeper layer tends to be better than the one below it; pooling the maps of several layers helps, from the
# top more than from the bottom (RPI, Table 7). But a pool of several layers holds more maps than a pool of one, and the
# best of more is better. So next to each pool stands the best of as many maps of the last layer, and of as many random
# rankings.
#
# Reads `results/<profile>/rpi_pools`: one pool a layer, joined on this page. Cost: the table at the end; from stored
# rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a MiniLM of 6 layers, where the paper's BERT has 12: L-2 is the fourth layer here and the tenth there. A
# pool of all our layers stands beside the paper's pool of all. **RPI** has the options of its released code with 11
# points on the path instead of 31. The column `published` is the paper's row with as many layers, so from the bottom
# our L-1, five layers, stands beside its L-7. **Metrics**: at least one token goes, five shares are divided by 5. **n**
# stands at every number.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
layers: int = 6  # of the classifier
size: int = 24  # maps of each layer
many: int = 144  # maps of the last layer, and random rankings: as many as all layers have
many_items: int = 60  # texts for those of the last layer
shared_layer: int = 3  # the layer, counted from the last, that other pages share, and
drawn: int = 32  # how many maps it has stored
steps: int = 11  # points on a path
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.layer_pools import direction_table, layer_table, layers_told
from attribook.papers.rpi.show_picking import budget_figure, layer_listing, lead_listing
from attribook.papers.rpi.tables import ERASURE, released_setting, verdicts_table
from attribook.show.tables import table
from attribook.statistics.picking import joined, picking_curves, read_pool

metrics = tuple(ERASURE)
where = ("rpi_pools", profile, model, dataset, "rpi-paper")
given = {"keep": "all", "seed": seed}
each = [released_setting(layers=str(-number), steps=steps) for number in range(1, layers + 1)]
held = [drawn if number == shared_layer else size for number in range(1, layers + 1)]
studies = {
    f"layer {'L' if i == 0 else f'L-{i}'}": PoolStudy(*where, (name,), metrics, n_items=n_items, size=maps, **given)
    for i, (name, maps) in enumerate(zip(each, held, strict=True))
}
studies |= {
    f"layer L, {many} maps": PoolStudy(*where, each[:1], metrics, n_items=many_items, size=many, **given),
    f"random, {many}": PoolStudy(*where, ("random",), metrics, n_items=n_items, size=many, **given),
}
pools = {name: read_pool(study) for name, study in studies.items()}
*single, one, blind = pools.values()
here = f"{model}, {dataset}, {size} maps a layer"
Markdown(f"{studies['layer L'].n_kept()} {many_items} of them for {many} maps of the last layer.")

# %% [markdown]
# ## The answer

# %% tags=["remove-input"]
Markdown(layers_told(single, one, blind, metrics, size))

# %% [markdown]
# ## All pools
#
# `published` is BERT on RTN. `random` is the best of as many random rankings, over the same texts. `lead`: how much
# better the pool is than the best of as many maps of the last layer alone, over the `lead n` texts that have them;
# above 0 the pool is better.

# %% tags=["remove-input"]
for metric in metrics:
    display(layer_listing(layer_table(single, one, blind, metric, size), metric, here))

# %% [markdown]
# ## From the top against from the bottom
#
# At equal numbers of layers, so of maps. Above 0 the layers at the top are better.

# %% tags=["remove-input"]
for metric in metrics:
    display(lead_listing(direction_table(single, metric, size), f"{ERASURE[metric]}, top minus bottom, {here}"))

# %% [markdown]
# ## The same number of maps from anywhere
#
# Best of R by R: maps of the last layer alone, of all layers mixed, and random rankings.

# %% tags=["remove-input"]
sizes = [n for n in (1, 4, 8, 24, 48, 72, 96, 120, 144) if n <= many]
mixed = {"last layer": one, "all layers, mixed": joined(single, size), "random rankings": blind}
for metric in ("comprehensiveness", "log_odds"):
    display(budget_figure(picking_curves(mixed, metric, sizes), metric, here))

# %% [markdown]
# ## What became of the published cells
#
# Rows of the paper's 12 layers that our 6 have no equal of stay without rows. Where the best printed pool has the maps
# of the row that it is compared with, and more, the verdict is *by construction*.

# %% tags=["remove-input"]
table(verdicts_table(7), caption="Verdicts on RPI's Table 7")

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
costs = pd.concat([study.costs().assign(pool=name) for name, study in studies.items()])
table(costs, caption="Mean seconds a text for making a pool and for judging it",
      formats=dict.fromkeys(("seconds", "judging"), "{:.2f}"))  # fmt: skip
