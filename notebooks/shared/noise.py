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
# # Where the noise comes from
#
# The value of a soft metric differs between prompts, between the seeds of a random method, and between mask draws. This
# page splits the variance of the means that the tables print into these three parts, for every study that answers
# printed cells. It computes no rows, so it takes seconds. The models are small ones of ours and not the papers'.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the profile this run belongs to

# %% tags=["hide-input"]
from itertools import product

import pandas as pd
from IPython.display import Markdown

from attribook.ledger.links import links
from attribook.show.tables import table
from attribook.statistics.evidence import FEWEST_DRAWS, FEWEST_SEEDS, SOFT, StoredRows
from attribook.statistics.noise import noise_split

studies = dict.fromkeys((study, link.protocols["ours"]) for link in links().links if "ours" in link.protocols
                        for study in link.studies)  # fmt: skip
stored = StoredRows()
found = [stored.find(study, protocol) for study, protocol in studies]
sources = [one for several in found for one in several if one.profile == several[0].profile]

# %%
columns = ["study", "model", "metric", "method", "n", "seeds", "prompts", "seeds share", "draws"]
splits = [
    (one.study, one.model, metric, method, split.n, split.seeds, *split.shares)
    for one in sources
    for method, metric in product(filter(str.isidentifier, one.rows["method"].unique()), SOFT)
    if one.has(method, metric) and (split := noise_split(one.rows, method, metric))
]
noise = pd.DataFrame(splits, columns=columns).astype(dict.fromkeys(columns[4:], float))

# %% tags=["answer", "remove-input"]
several = noise[noise["seeds"] > 1]
draws, seeds = noise["draws"], several["seeds share"]
Markdown(
    f"Over {len(noise)} estimates, the mask draws make up {draws.median():.0%} of the variance in the median and "
    f"{draws.max():.0%} at most. For {len(several)} estimates of methods with several seeds, the seeds make up "
    f"{seeds.median():.1%} in the median and {seeds.max():.1%} at most. The rest is due to the prompts, so only more "
    "prompts make the intervals narrower." if len(several) else "There are no rows of soft metrics with several seeds."
)  # fmt: skip

# %% [markdown]
# ## Shares of the variance
#
# Each row is the median over methods. Methods with one seed stand together: their prompts and seeds cannot be told
# apart, so both count as prompts.

# %%
groups = noise.assign(method=noise["method"].where(noise["seeds"] > 1, "all with one seed each"))
groups = groups.groupby(["study", "model", "metric", "method"], sort=False)
medians = groups[["prompts", "seeds share", "draws", "n"]].median().reset_index()
table(medians, "Share of prompts, seeds and mask draws in the variance of a mean of a soft metric",
      digits=dict.fromkeys(("prompts", "seeds share", "draws"), "{:.0%}"), names={"seeds share": "seeds"})  # fmt: skip

# %%
limits = pd.DataFrame({"of": ["seeds of a random method", "mask draws of a soft metric"],
                       "at least": [FEWEST_SEEDS, FEWEST_DRAWS]})  # fmt: skip
table(limits, "What we ask for")

# %% [markdown]
# Where a method took too long for that, the reason of its verdict says so. Its interval is still valid, because each
# prompt has a draw of its own.
