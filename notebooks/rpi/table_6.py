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
# # Table 6: components
#
# Claims: multiplying attention gradients with attention helps (RPI over RPI-G); drawn baselines help other path methods
# (RPI-IG over IG, RPI-SIG over SIG); paths through attention beat paths through the input (RPI, Table 6). In the
# printed table the rows with drawn baselines are the best of 24 maps, IG and SIG have one. Here every row also has one
# map, the mean of its maps, and integrated gradients have 24 noisy copies to pick from.
#
# Reads `results/<profile>/rpi_pools` and `rpi_table2`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT on RTN. **Points on the path** instead of 30:
# 11 for RPI and RPI-G, 10 for RPI-IG and SIG, 2 for RPI-SIG, whose cost is R times that of SIG. **RPI and RPI-G** have
# the options of the released code; RPI-IG and RPI-SIG, whose code is not released, those of [](../../methods/rpi_ig).
# **n** stands at every number.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
other_items: int = 60  # as many of them for RPI-SIG
size: int = 24  # R, the number of maps to pick from
drawn: int = 32  # maps stored for random rankings and RPI
layer: str = "-3"  # of RPI and RPI-G, -1 is the last
steps: int = 11  # points on their paths
input_steps: int = 10  # points on a path of RPI-IG and SIG
sequential_steps: int = 2  # points on a path of RPI-SIG
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.papers.rpi.show_picking import erasure_figure, erasure_listing
from attribook.papers.rpi.tables import (
    ERASURE,
    erasure_table,
    item_values,
    pool_values,
    printed,
    released_setting,
    renamed,
    sides,
    verdicts_table,
)
from attribook.show.tables import table
from attribook.statistics.picking import lead, read_pool

metrics = tuple(ERASURE)
where = (profile, model, dataset, "rpi-paper")
wanted = {
    "RPI": (released_setting(layers=layer, steps=steps), drawn, n_items),
    "RPI-G": (released_setting("rpi_g", layers=layer, steps=steps), size, n_items),
    "RPI-IG": (f"rpi_ig{{steps={input_steps}}}", size, n_items),
    "RPI-SIG": (f"rpi_sig{{steps={sequential_steps}}}", size, other_items),
    "IG and noisy copies": ("integrated_gradients", size, n_items), "random": ("random", drawn, n_items),
}  # fmt: skip
studies = {
    name: PoolStudy("rpi_pools", *where, (method,), metrics, n_items=n, keep="all", seed=seed, size=maps)
    for name, (method, maps, n) in wanted.items()
}
values = {}
for name, study in studies.items():
    values |= pool_values(read_pool(study), size, name)
single = ("integrated_gradients", f"sequential_integrated_gradients{{steps={input_steps}}}")
told = {"n_items": n_items, "keep": "all", "seed": seed, "random_seeds": 1}
rows = Study("rpi_table2", *where, single, metrics, **told).rows()
names = {"integrated_gradients": "IG", "sequential_integrated_gradients": "SIG"}
values |= {names[name]: by_metric for name, by_metric in renamed(item_values(rows)).items()}
del values["IG and noisy copies, one map"]  # IG itself
best, here = f"best of {size}", f"{model}, {dataset}"
Markdown(studies["RPI"].n_kept())

# %% [markdown]
# ## The answer
#
# The paper's comparisons at equal tries, then of single maps. Above 0 the first is better; 95% intervals over texts.

# %% tags=["remove-input"]
pairs = [("RPI", "RPI-G"), ("RPI", "RPI-IG"), ("RPI-G", "RPI-IG"), ("RPI-IG", "IG and noisy copies"),
         ("RPI", "random"), ("RPI-G", "random"), ("RPI-IG", "random"), ("RPI-SIG", "random")]  # fmt: skip
tried = [(f"{a}, {best}", f"{b}, {best}") for a, b in pairs]
tried += [("RPI, one map", "RPI-G, one map"), ("RPI-IG, one map", "IG"), ("RPI-SIG, one map", "SIG"),
          ("RPI, one map", "IG"), (f"RPI-IG, mean of {size}", "IG"), (f"RPI-SIG, mean of {size}", "SIG")]  # fmt: skip
leads = {(a, b): {m: lead(values[a][m], values[b][m], m) for m in metrics} for a, b in tried}
lines = [f"- {sides(over, a, b)} n = {over[metrics[0]].n}." for (a, b), over in leads.items()]
Markdown("\n".join([*lines, "", f"Points on a path: RPI-SIG {sequential_steps}, SIG {input_steps}."]))

# %% [markdown]
# ## Every row, five metrics
#
# `BERT, RTN` is what the paper prints (diamonds), on another model. `lead`: how much better RPI's best is than this
# row, over the texts of both; above 0 RPI's best is better.

# %% tags=["remove-input"]
from_printed = {f"{name}, {best}": name for name in ("RPI", "RPI-G", "RPI-IG", "RPI-SIG")} | {"IG": "IG", "SIG": "SIG"}
for metric in metrics:
    frame = erasure_table(values, metric, f"RPI, {best}", {"BERT, RTN": printed(6, metric, from_printed)})
    display(erasure_figure(frame, metric, here, "BERT, RTN"))
    display(erasure_listing(frame, metric, here, ["BERT, RTN"]))

# %% [markdown]
# ## What became of the published cells

# %% tags=["remove-input"]
table(verdicts_table(6), caption="Verdicts on RPI's Table 6")

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
costs = pd.concat([study.costs().assign(pool=name) for name, study in studies.items()])
table(costs, caption="Mean seconds a text for making a pool and for judging it",
      formats=dict.fromkeys(("seconds", "judging"), "{:.2f}"))  # fmt: skip
