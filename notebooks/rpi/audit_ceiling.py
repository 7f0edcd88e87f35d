# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: how high is the ceiling, and does a pick last?
#
# Two questions that [](audit_picking) leaves open. *How far could any ranking go?* A beam search asks the metric
# itself for its best set of tokens, with no map at all: what picking would reach with endless tries. *Does a pick
# last?* A map is picked with one way of taking tokens away and told with the other: the same metric, the same share,
# but tokens are masked in place of deleted, or deleted in place of masked.
#
# Reads `results/<profile>/rpi_pools` under two protocols and `rpi_ceilings`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# The paper has neither. **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets. **RPI** has the options of its
# released code with 11 points on the path. **Beam**: 5 sets of each size; all sets where there are at most 500. A beam
# may miss the best set, so the ceiling can only be better. **Metrics** searched: the three of one share, 20%. More
# layers against as many random maps: [](table_7). **n** stands at every number.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts
size: int = 24  # R, the number of maps to pick from
drawn: int = 32  # maps stored under the paper's operators
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from dataclasses import replace

from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.ceilings import ceiling_rows, ceiling_table, ceilings_told, operator_table, operators_told
from attribook.papers.rpi.show_audits import ceiling_listing, operator_listing
from attribook.papers.rpi.tables import ERASURE, released_setting
from attribook.show.tables import table
from attribook.statistics.picking import read_pool

metrics, where = tuple(ERASURE), f"{model}, {dataset}, R = {size}"
given = {"n_items": n_items, "keep": "all", "seed": seed}
methods = {"RPI, as released": released_setting(layers=layer, steps=steps), "random rankings": "random"}
written = {
    name: PoolStudy("rpi_pools", profile, model, dataset, "rpi-paper", (method,), metrics, **given, size=drawn)
    for name, method in methods.items()
}
exchanged = {name: replace(study, protocol="rpi-exchanged", size=size) for name, study in written.items()}
pools = {name: read_pool(study) for name, study in written.items()}
both = {name: (pools[name], read_pool(study)) for name, study in exchanged.items()}
searched = replace(written["random rankings"], name="rpi_ceilings", size=size)
rows = ceiling_rows(searched)
ceilings = ceiling_table(rows, pools, "random rankings", size)
Markdown(f"{searched.n_kept()} Sets of all sizes were followed with a beam for {1 - rows['exact'].mean():.0%} of them.")

# %% [markdown]
# ## The ceiling
#
# `share`: of the way from one random ranking to the ceiling, how far one map and the best of R go. The best set of
# tokens is found by asking the metric, so it explains nothing: a method that comes near it has been fitted to it.

# %% tags=["remove-input"]
Markdown(ceilings_told(ceilings, rows))

# %% tags=["remove-input"]
display(ceiling_listing(ceilings, where))

# %% [markdown]
# ## Picked with one operator, told with the other
#
# `kept`: of the gain that picking brings where the operator that picks also tells, the share that is left where the
# other one tells; both ways together, paired over texts. A map that is better for the text keeps its gain; one that
# was lucky with this way of taking tokens away does not. Random rankings know nothing of the text, so what they keep
# is what two operators have in common.

# %% tags=["remove-input"]
kept = operator_table(both, metrics, size)
Markdown(operators_told(kept, *both))

# %% tags=["remove-input"]
display(operator_listing(kept, where))

# %% [markdown]
# ## What the search asked

# %% tags=["remove-input"]
asked = rows.groupby("metric", sort=False).agg(n=("item", "size"), tokens=("tokens", "mean"), k=("k", "mean"),
                                               sets=("sets", "mean"), exact=("exact", "mean"))  # fmt: skip
formats = dict.fromkeys(("tokens", "k", "sets"), "{:.1f}") | {"exact": "{:.0%}"}
table(asked.reset_index(), caption="Sets that the search asked a text", formats=formats)
