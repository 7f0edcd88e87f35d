# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: is it the path, or the picking?
#
# RPI draws R maps for a sentence and keeps, for each metric, the map that this very metric likes best: an oracle on the
# number that is reported. Its competitors have one map each. So two things differ at once: the path, and R tries
# instead of one. This page gives every method the same number of tries, random rankings among them.
#
# A pool is R maps. RPI's are its own; `random` draws rankings; any other method gives its map and copies with noise as
# large as its scores' deviation. The best of R is the mean over all subsets of R stored maps, so that it depends on no
# lucky draw. Reads `results/<profile>/rpi_pools`. Cost: the table at the end; from stored rows, seconds. Left out: the
# paper's models and data sets; the exact ceiling over all orders, which [](audit_golden) has.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT. **RPI as released** has its third layer from
# last, factor a, t = T and the raw logit, with 11 points on the path instead of 31; **as written** has the last layer
# and 30 points. **Metrics**: at least one token goes, five shares are divided by 5. **n** stands at every number.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 150  # texts for random rankings, RPI as released and integrated gradients
written_items: int = 150  # texts for RPI as written
other_items: int = 60  # texts for the other pools
size: int = 24  # R, the number of maps to pick from
drawn: int = 32  # maps stored for random rankings and RPI
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on a path of RPI as released
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.show_picking import budget_figure, crossed_listing, path_listing, picking_listing
from attribook.papers.rpi.tables import ERASURE, arrow, headline, path_or_picking, released_setting, sides
from attribook.show.tables import table
from attribook.statistics.picking import crossed_table, lead, picking_curves, picking_table, read_pool  # fmt: skip

metrics = tuple(ERASURE)
path = {"layers": layer, "steps": steps}
released = released_setting(**path)
many, few = (drawn, n_items), (size, other_items)
wanted = {
    "random rankings": ("random", *many), "RPI, as released": (released, *many),
    "RPI, as written": ("rpi", drawn, written_items),
    "integrated gradients": ("integrated_gradients", size, n_items), "occlusion": ("occlusion", *few),
    "SHAP": ("gradient_shap", *few), "rollout": ("attention_rollout", *few), "ALTI": ("alti", *few),
    "DecompX": ("decompx", *few), "RPI-G": (released_setting("rpi_g", **path), *few),
    "RPI-IG": ("rpi_ig{steps=10}", *few),
}  # fmt: skip
studies = {
    name: PoolStudy("rpi_pools", profile, model, dataset, "rpi-paper", (method,), metrics,
                    n_items=n, keep="all", seed=seed, size=maps)
    for name, (method, maps, n) in wanted.items()
}  # fmt: skip
pools = {name: read_pool(study) for name, study in studies.items()}
blind, own, written = (pools[name] for name in ("random rankings", "RPI, as released", "RPI, as written"))
where = f"{model}, {dataset}, R = {size}"
Markdown(f"{studies['RPI, as released'].n_kept()} {other_items} of them for the other pools.")

# %% [markdown]
# ## The answer

# %% tags=["remove-input"]
Markdown(headline(own, blind, metrics, size, "RPI, as released"))

# %% tags=["remove-input"]
path_listing(path_or_picking(own, blind, metrics, size), f"RPI as released, {where}")

# %% [markdown]
# `one map` is RPI without picking, `mean of maps` explains by the average of its R maps. `lead`: best of R maps of RPI
# against the best of R random rankings, above 0 RPI is better, with the smallest lead that these texts would show at
# the 5% level with 80% power. `by picking`: of the way from one random ranking to RPI's best, the share that the best
# random ranking goes. `kept`: the share of RPI's gain by picking that is left, on average, where another metric picks
# (Suff and A-S, and Comp and A-C, contain each other and do not count as others); `kept by random`: the same of random
# rankings, which no pick can teach anything.
#
# ## RPI as the paper writes it
#
# With the factor a - b and the noise as it is written, the map points against the gradient wherever noise outweighs
# attention (see [](../../methods/rpi)); a map that points the wrong way is worse than chance until one picks.

# %% tags=["remove-input"]
Markdown(headline(written, blind, metrics, size, "RPI, as written"))

# %% tags=["remove-input"]
path_listing(path_or_picking(written, blind, metrics, size), f"RPI as written, {where}")

# %% [markdown]
# ## Every method with the same number of tries
#
# Means are over the `of` texts that all pools have. `lead`: the best of R of each pool against the best of R random
# rankings, over the n texts of both.

# %% tags=["remove-input"]
ranked = {metric: picking_table(pools, metric, size, blind="random rankings") for metric in metrics}
for metric, frame in ranked.items():
    display(picking_listing(frame, metric, where))

# %% [markdown]
# And the released RPI against integrated gradients and their noisy copies, at the same number of tries; then one map
# against one map.

# %% tags=["remove-input"]
gradients = pools["integrated gradients"]
tries = {m: lead(own.picked(m, size), gradients.picked(m, size), m) for m in metrics}
single = {m: lead(own.one(m), gradients.one(m), m) for m in metrics}
mean = {m: lead(own.means[m][size], gradients.one(m), m) for m in metrics}
told = [sides(tries, f"RPI's best of {size}", f"integrated gradients' best of {size}"),
        sides(single, "one map of RPI", "integrated gradients without noise"),
        sides(mean, f"the mean of {size} maps of RPI", "integrated gradients without noise")]  # fmt: skip
Markdown("\n".join(f"- {text}" for text in told) + f"\n\nn = {single[metrics[0]].n}.")

# %% [markdown]
# ## More tries, better numbers
#
# The expected best of R, over the texts that all four have. A method that knows nothing climbs as well.

# %% tags=["remove-input"]
sizes = [r for r in (1, 2, 4, 8, 16, 24) if r <= size]
shown = {name: pools[name] for name in list(pools)[:4]}
for metric in ("comprehensiveness", "log_odds"):
    display(budget_figure(picking_curves(shown, metric, sizes), metric, where))

# %% [markdown]
# ## Picked by one metric, told by another
#
# If a picked map were a better explanation, other metrics would like it too. Sufficiency and comprehensiveness delete
# tokens, log-odds mask them: the row `log_odds` picks with one operator and reports with the other.

# %% tags=["remove-input"]
arrows = {metric: arrow(metric) for metric in metrics}
crossed_listing(crossed_table(own, metrics, size).rename(columns=arrows), f"RPI as released, {where}")

# %% tags=["remove-input"]
crossed_listing(crossed_table(blind, metrics, size).rename(columns=arrows), f"random rankings, {where}")

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
costs = pd.concat([study.costs().assign(pool=name) for name, study in studies.items()])
table(costs, caption="Mean seconds a text for making a pool and for judging it",
      formats=dict.fromkeys(("seconds", "judging"), "{:.2f}"))  # fmt: skip
