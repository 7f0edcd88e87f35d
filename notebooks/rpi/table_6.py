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
# # RPI · Table 6: components
#
# Claims: multiplying attention gradients with attention helps (RPI over RPI-G); drawn baselines help other path methods
# (RPI-IG over IG, RPI-SIG over SIG); paths through attention are better than paths through the input (RPI, Table 6). In
# the printed table the rows with drawn baselines are the best of 24 maps, while IG and SIG have one. Here every row
# also has one map and the mean of its maps, and integrated gradients have 24 noisy copies to choose from.
#
# It reads `results/<profile>/rpi_pools` and `rpi_table2`, which takes seconds; what the rows cost is at the end. Left
# out: RPI-SIG beside RPI at equal numbers of points on a path, which would cost R times what SIG costs.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT on RTN. **Points on the path** instead of 30:
# 11 for RPI and RPI-G, 10 for RPI-IG and SIG, 2 for RPI-SIG, whose cost is R times that of SIG. **RPI and RPI-G** have
# the options of the released code; RPI-IG and RPI-SIG, whose code is not released, have those of
# [](../../methods/rpi_ig).
# ```

# %% tags=["parameters", "hide-input"]
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

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.ledger.table_verdicts import verdict_counts
from attribook.metrics.names import sign
from attribook.papers.cells import published
from attribook.papers.rpi.comparisons import beside_best
from attribook.papers.rpi.settings import ERASURE, UNIT, released_setting
from attribook.show.figures import intervals
from attribook.show.source import source
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import best_of, mean_map, one_map, oriented
from attribook.statistics.summaries import directions, estimate_texts

where, metrics = (profile, model, dataset, "rpi-paper"), tuple(ERASURE)
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
pools = pd.concat([study.frame().assign(method=name) for name, study in studies.items()])
methods = {"integrated_gradients": "IG", f"sequential_integrated_gradients{{steps={input_steps}}}": "SIG"}
single = Study("rpi_table2", *where, tuple(methods), metrics, n_items=n_items, keep="all", seed=seed, random_seeds=1)
single = single.frame().replace({"method": methods})
here = f"{model} (small, not the paper's), {dataset}"

# %% tags=["answer", "remove-input"]
best = oriented(best_of(pools, size))


def beside(first, second):
    rows = best[best["method"].isin([first, second])]
    found = estimate(rows, "difference", against={"method": second})
    texts = found["metric"].map(ERASURE) + " " + estimate_texts(found)
    return f"{directions(found, texts)} (n = {found['n'].min()} texts)"


Markdown(
    f"With the best of {size} maps for each: RPI is, beside RPI-G, {beside('RPI', 'RPI-G')}. RPI-IG is, beside noisy "
    f"copies of the map of integrated gradients, {beside('RPI-IG', 'IG and noisy copies')}. RPI is, beside RPI-IG, "
    f"{beside('RPI', 'RPI-IG')}, and beside random rankings {beside('RPI', 'random')}. RPI-SIG with {sequential_steps} "
    f"points on a path is, beside random rankings, {beside('RPI-SIG', 'random')}. Each comparison is decided at the 5% "
    f"level; {here}."
)

# %% [markdown]
# ## The paper's comparisons, with as many maps to choose from
#
# Each text has one value for every method and metric: of one map, of the mean of the maps, or of the best of R, which
# is the mean over all choices of R of the stored maps. IG itself is the one map of `IG and noisy copies`.

# %%
picked = pd.concat([one_map(pools), mean_map(pools, size), best_of(pools, size)])
picked["name"] = picked["method"] + ", " + picked["pick"]
picked = picked[picked["name"] != "IG and noisy copies, one map"]
values = pd.concat([single.assign(name=single["method"]), picked])
best, mean = f"best of {size}", f"mean of {size} maps"

# %% [markdown]
# The first method against the second, with equal numbers of maps to choose from, then as single maps. Above 0 the first
# one is better, whichever way the metric runs; brackets hold 95% intervals over texts. Points on a path differ: the
# parameters above have them.

# %%
pairs = [("RPI", "RPI-G"), ("RPI", "RPI-IG"), ("RPI-G", "RPI-IG"), ("RPI-IG", "IG and noisy copies"),
         ("RPI", "random"), ("RPI-G", "random"), ("RPI-IG", "random"), ("RPI-SIG", "random")]  # fmt: skip
pairs = [(f"{first}, {best}", f"{second}, {best}") for first, second in pairs]
pairs += [("RPI, one map", "RPI-G, one map"), ("RPI-IG, one map", "IG"), ("RPI-SIG, one map", "SIG"),
          ("RPI, one map", "IG"), (f"RPI-IG, {mean}", "IG"), (f"RPI-SIG, {mean}", "SIG")]  # fmt: skip

# %%
found = []
for first, second in pairs:
    rows = oriented(values[values["name"].isin([first, second])])
    one = estimate(rows, "difference", ["name", "metric"], against={"name": second})
    found.append(one.rename(columns={"name": "first"}).assign(second=second))
found = pd.concat(found, ignore_index=True)
found["difference"] = estimate_texts(found)
columns = {"index": ["first", "second", "n"], "columns": "metric", "values": "difference"}
across = found.pivot_table(**columns, aggfunc="first", sort=False)[list(ERASURE)].rename(columns=ERASURE).reset_index()
table(across, f"How much better the first is than the second, {here}", names={"n": "n (texts)"})

# %% [markdown]
# ## Every row, five metrics
#
# The column `published` and the diamonds are what the paper prints for BERT on RTN, another and larger model. `RPI's
# best ahead by` is the difference to RPI's best of R over the texts of both: above 0 RPI's best is better. The smallest
# detectable difference is what these texts would show at the 5% level with 80% power.

# %%
names = {name: f"{name}, {best}" for name in ("RPI", "RPI-G", "RPI-IG", "RPI-SIG")}
printed = published("rpi").query("table == 6").replace({"row": names})
printed = printed.rename(columns={"row": "name", "value": "published"})[["name", "metric", "published"]]
frame = printed.merge(beside_best(values, f"RPI, {best}"), on=["name", "metric"], how="right")
heads = {"name": "method", "value": "mean", "n": "n (texts)", "ahead": "RPI's best ahead by",
         "ahead interval": "interval of the difference"}  # fmt: skip
for metric, rows in frame.groupby("metric", sort=False):
    rows = rows.sort_values("value", ascending=sign(metric) < 0)
    display(intervals(rows, UNIT[metric], f"{UNIT[metric]} by method, {here}"))
    caption = f"{UNIT[metric]}, {here}; published: BERT on RTN"
    display(table(rows, caption, digits=3, names=heads, drop=["metric", "ahead n"]))

# %% tags=["hide-input"]
source(beside_best)

# %% [markdown]
# ## What became of the published cells

# %%
table(verdict_counts("rpi", 6).rename(columns=ERASURE)[["verdict", *ERASURE.values()]],
      f"Verdicts on the printed cells of Table 6, from rows of {here}")  # fmt: skip

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat([study.costs().assign(pool=name) for name, study in studies.items()])
table(costs, f"Mean seconds a text for making a pool of maps and for judging it, {here}",
      names={"n": "n (texts)", "judging": "seconds for judging"})  # fmt: skip
