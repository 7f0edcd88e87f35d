# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: RPI's paper or its code?
#
# RPI's released code departs from its text in eight places. Each but one is switched alone, from the paper's reading
# towards the code's, and the question is how far it moves the numbers that the paper prints: the best of R maps, and,
# without picking, one map. The last rows switch everything at once.
#
# Reads `results/<profile>/rpi_departures`. Cost: the table at the end; from stored rows, seconds. The divisor is exact
# arithmetic on the paper's reading; whether k may be 0 is judged anew on the same maps.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT. **Path**: 10 points instead of 30, all from
# the same noise for the same text, so that nothing but the change differs. **Not switched alone**: both ends of the
# path, which the code visits and the paper does not; it is part of *all as released*. **n**: in the tables.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
size: int = 24  # R, the number of maps to pick from
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 10  # points on a path
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.departures import (
    CHANGES,
    departed,
    departure_table,
    departures_listed,
    departures_of,
    moves_told,
)
from attribook.papers.rpi.show_audits import moved_figure, moved_listing
from attribook.papers.rpi.settings import ERASURE
from attribook.show.tables import table
from attribook.statistics.picking import read_pool

metrics, where = tuple(ERASURE), f"{model}, {dataset}"
given = {"n_items": n_items, "keep": "all", "seed": seed, "size": size}
studies = {
    (name, protocol): PoolStudy("rpi_departures", profile, model, dataset, protocol,
                                (departed(name, steps=steps, layer=layer),), metrics, **given)
    for protocol, names in (("rpi-paper", list(CHANGES)), ("rpi-code", ["as written", "all as released"]))
    for name in names
}  # fmt: skip
pools = {key: read_pool(study) for key, study in studies.items()}
written = {name: pool for (name, protocol), pool in pools.items() if protocol == "rpi-paper"}
code = {name: pool for (name, protocol), pool in pools.items() if protocol == "rpi-code"}
told = {metric: departures_of(written, code, metric, size) for metric in metrics}
forms = [f"best of {size}", "one map"]
frames = {form: {metric: departure_table(told[metric][form], metric) for metric in metrics} for form in forms}
Markdown(studies["as written", "rpi-paper"].n_kept())

# %% tags=["remove-input"]
table(departures_listed(), caption="Departures, and how maps are judged")

# %% [markdown]
# ## The number that is printed: the best of R maps
#
# `moved`: how much better the number is than in the paper's reading, above 0 better, whichever way the metric runs,
# paired over texts; `detectable`: the smallest true move that these texts would show at the 5% level with 80% power.
# Several changes are looked at, each at its own 5% level.

# %% tags=["remove-input"]
Markdown(moves_told(frames[forms[0]], forms[0], ERASURE))

# %% tags=["remove-input"]
for metric, frame in frames[forms[0]].items():
    display(moved_figure(frame, metric, f"{forms[0]}, {where}"))
    display(moved_listing(frame, metric, f"{forms[0]}, {where}"))

# %% [markdown]
# ## Without picking: one map
#
# The mean over maps of what a metric gives them. Picking hides much of what a departure does to a map.

# %% tags=["remove-input"]
Markdown(moves_told(frames[forms[1]], forms[1], ERASURE))

# %% tags=["remove-input"]
for metric, frame in frames[forms[1]].items():
    display(moved_listing(frame, metric, f"{forms[1]}, {where}"))

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
costs = pd.concat([study.costs().assign(pool=f"{name}, {protocol}") for (name, protocol), study in studies.items()])
table(costs, caption="Mean seconds a text for making a pool and for judging it",
      formats=dict.fromkeys(("seconds", "judging"), "{:.2f}"))  # fmt: skip
