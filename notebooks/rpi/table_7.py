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
# # RPI · Table 7: layers, and pools of layers
#
# Claims: a deeper layer tends to be better than the one below it; pooling the maps of several layers helps, from the
# top more than from the bottom (RPI, Table 7). But a pool of several layers holds more maps than a pool of one, and the
# best of more maps is better. So next to each pool stand the best of as many maps of the last layer, and of as many
# random rankings.
#
# It reads `results/<profile>/rpi_pools`: one pool a layer, which this page joins. That takes seconds; what the rows
# cost is at the end. Left out: the paper's rows for layers that a small model does not have.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a MiniLM of 6 layers, where the paper's BERT has 12: L-2 is the fourth layer here and the tenth there. A
# pool of all our layers stands beside the paper's pool of all. **RPI** has the options of its released code with 11
# points on the path instead of 31. The column `published` is the paper's row with as many layers, so from the bottom
# our L-1, five layers, stands beside its L-7. **Metrics**: at least one token is deleted, also where k% of a short text
# rounds to zero, and sums over five shares of tokens are divided by 5.
# ```

# %% tags=["parameters", "hide-input"]
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

# %% tags=["hide-input"]
from itertools import pairwise

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.ledger.table_verdicts import verdict_counts
from attribook.papers.cells import published
from attribook.papers.rpi.settings import ERASURE, UNIT, released_setting
from attribook.show.figures import curves
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import best_of, join_pools, oriented
from attribook.statistics.summaries import by_direction, directions, estimate_texts

where, metrics = ("rpi_pools", profile, model, dataset, "rpi-paper"), tuple(ERASURE)
names = ["L", *(f"L-{below}" for below in range(1, layers))]  # the last layer first, as the paper names them
settings = [released_setting(layers=-number, steps=steps) for number in range(1, layers + 1)]
studies = {
    name: PoolStudy(*where, (setting,), metrics, n_items=n_items, keep="all", seed=seed,
                    size=drawn if names.index(name) + 1 == shared_layer else size)
    for name, setting in zip(names, settings, strict=True)
}  # fmt: skip
studies |= {
    f"L, {many} maps": PoolStudy(*where, settings[:1], metrics, n_items=many_items, keep="all", seed=seed, size=many),
    f"random, {many}": PoolStudy(*where, ("random",), metrics, n_items=n_items, keep="all", seed=seed, size=many),
}
frames = {name: study.frame().assign(method=name) for name, study in studies.items()}
single = pd.concat([frames[name] for name in names])
LAST, RANDOM = "as many maps of the last layer", "as many random rankings"
last, random = frames[f"L, {many} maps"].assign(method=LAST), frames[f"random, {many}"].assign(method=RANDOM)
SINGLE, TOP_DOWN, BOTTOM_UP = "Individual Layers", "Top-down Aggregation", "Bottom-up Aggregation"  # as printed
PRINTED_LAYERS = 12  # of the paper's BERT
here = f"{model} (small, not the paper's), {dataset}, {size} maps a layer"

# %% tags=["answer", "remove-input"]
whole = join_pools(single, size, "all layers")
found = [best_of(whole, size * layers)]
found += [best_of(pool, size * layers) for pool in (last, random) if pool["map"].max() + 1 >= size * layers]
over = estimate(oriented(pd.concat(found)), "difference", of={"method": "all layers"})
over["text"] = over["metric"].map(ERASURE) + " " + estimate_texts(over)
n = over["n"].min()
said = [f"beside {name}, {directions(rows, 'text')}" for name, rows in over.groupby("method", sort=False)]
deeper, ends = [], []
for above, below in pairwise(names):
    rows = oriented(best_of(single[single["method"].isin([above, below])], size))
    deeper.append(estimate(rows, "difference", against={"method": below}))
for count in range(1, layers):
    members = {"top": names[:count], "bottom": names[-count:]}
    pools = [join_pools(single[single["method"].isin(part)], size, end) for end, part in members.items()]
    ends.append(estimate(oriented(best_of(pd.concat(pools), size * count)), "difference", against={"method": "bottom"}))


def counted(found, first):
    counts = [len(names) for names in by_direction(pd.concat(found, ignore_index=True), "metric").values()]
    return f"of {sum(counts)} comparisons {first} better in {counts[0]}, worse in {counts[1]}, undecided in {counts[2]}"


Markdown(
    f"The best of {size} maps of each of {layers} layers is, {'; '.join(said)}. A layer against the one below it, over "
    f"all layers and metrics: {counted(deeper, 'the deeper layer is')}. Pools of layers from the top against as many "
    f"from the bottom: {counted(ends, 'the top layers are')}. Each is decided at the 5% level; n = {n} texts, {here}."
)

# %% [markdown]
# ## All pools
#
# First the layers of every row: one layer alone; from the last layer down to this one; from the first layer up to this
# one. A pool joins the first maps of each of its layers, and its best is the best of all of them.

# %%
rows = [(SINGLE, name, [name]) for name in names]
rows += [(TOP_DOWN, name, names[: place + 1]) for place, name in enumerate(names)]
rows += [(BOTTOM_UP, name, names[place:]) for place, name in enumerate(names)]
parts = []
for kind, name, members in rows:
    maps, joined = size * len(members), join_pools(single[single["method"].isin(members)], size, "this pool")
    enough = [pool for pool in (joined, last, random) if pool["map"].max() + 1 >= maps]
    parts += [best_of(pool, maps).assign(column=kind, layer=name, maps=maps) for pool in enough]
best = pd.concat(parts)

# %% [markdown]
# The column `published` is BERT on RTN. `ahead of one layer by` is how much better the pool is than the best of as many
# maps of the last layer alone, over the texts of both: above 0 the pool is better. The model is small and not the
# paper's. The downloads have the intervals of the other columns and the smallest detectable differences.


# %%
def printed_row(kind, maps):  # as many of the paper's layers, or all of them for all of ours
    count = PRINTED_LAYERS if maps == size * layers else maps // size
    below = count - 1 if kind == TOP_DOWN else PRINTED_LAYERS - count
    return f"L-{below}" if below else "L"


BY = ["column", "layer", "maps", "metric"]
means = estimate(best, "mean", [*BY, "method"]).drop(columns=["failed", "p", "detectable"])
ahead = estimate(oriented(best), "difference", [*BY, "method"], of={"method": "this pool"})
ahead = ahead[ahead["method"] == LAST].drop(columns=["method", "failed", "p", "n"])
ahead = ahead.rename(columns={"value": "ahead", "low": "ahead low", "high": "ahead high"})

# %%
frame = means[means["method"] == "this pool"].drop(columns="method")
frame["row"] = [r.layer if r.column == SINGLE else printed_row(r.column, r.maps) for r in frame.itertuples()]
for name in (RANDOM, LAST):
    other = means[means["method"] == name].rename(columns={"value": name})
    frame = frame.merge(other[[*BY, name]], on=BY, how="left")
frame = frame.merge(ahead, on=BY, how="left")
frame.insert(0, "layers", frame["column"].str.removesuffix(" Aggregation") + ", " + frame["layer"])

# %%
heads = {"value": "best", "ahead": "ahead of one layer by", "ahead interval": "interval of the difference"}
printed = published("rpi").query("table == 7")
for metric, shown in frame.groupby("metric", sort=False):
    caption = f"{UNIT[metric]}: best of all maps of a pool, {here}, n = {shown['n'].min()} texts"
    display(table(shown, caption, digits=3, names=heads, beside=printed, on=["column", "row", "metric"],
                  drop=["column", "layer", "row", "metric", "n", LAST, "detectable"]))  # fmt: skip

# %% [markdown]
# ## From the top against from the bottom
#
# Here are pools of equal numbers of layers, so of maps. Above 0 the layers at the top are better. The model is small
# and not the paper's.

# %%
pools = best[(best["method"] == "this pool") & (best["column"] != SINGLE) & (best["maps"] < size * layers)]
found = estimate(oriented(pools), "difference", ["column", "maps", "metric"], against={"column": BOTTOM_UP})
found["difference"], found["layers"] = estimate_texts(found), found["maps"] // size
across = found.pivot_table(index=["layers", "maps", "n"], columns="metric", values="difference", aggfunc="first")
table(across[list(ERASURE)].rename(columns=ERASURE).reset_index(),
      f"How much better the top layers' pool is than the bottom layers', {here}", names={"n": "n (texts)"})  # fmt: skip

# %% [markdown]
# ## The same number of maps from anywhere
#
# The best of R by R: maps of the last layer alone, of all layers mixed, and random rankings. The model is small and not
# the paper's.

# %%
sizes = [count for count in (1, 4, 8, 24, 48, 72, 96, 120, 144) if count <= min(many, size * layers)]
mixed = pd.concat([last.assign(method="last layer"), join_pools(single, size, "all layers, mixed"),
                   random.assign(method="random rankings")])  # fmt: skip
curve = pd.concat([best_of(mixed, R).assign(R=R) for R in sizes])
curve = estimate(curve, "mean", ["metric", "method", "R"]).rename(columns={"method": "name", "R": "steps"})
for metric in ("comprehensiveness", "log_odds"):
    label = f"best of R, {UNIT[metric]}"
    rows = curve[curve["metric"] == metric]
    display(curves(rows, label, f"{label}, {here}", zero=False, across="maps to pick from, R"))

# %% [markdown]
# ## What became of the published cells
#
# Rows of the paper's 12 layers for which our 6 have no equal stay without rows. Where the best printed pool has the
# maps of the row that it is compared with, and more, the verdict is *by construction*.

# %%
table(verdict_counts("rpi", 7).rename(columns=ERASURE)[["verdict", *ERASURE.values()]],
      f"Verdicts on the printed cells of Table 7, from rows of {here}")  # fmt: skip

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat([study.costs().assign(pool=name) for name, study in studies.items()])
table(costs, f"Mean seconds a text for making a pool of maps and for judging it, {here}",
      names={"n": "n (texts)", "judging": "seconds for judging"})  # fmt: skip
