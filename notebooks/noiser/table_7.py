# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 7: how many prompts a model gets right
#
# Noiser explains only prompts whose most probable next token begins the gold word; its Table 7 counts them for six
# models. This page counts them for ours, on our mini sets and on the paper's own sets. Cost: from stored predictions,
# seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Models**: ours are none of the paper's six, so no count can be met; the sizes of the sets can, but for Knowns,
# printed as 1,208. **Sets**: `knowns` and `longra` are the papers' prompts, read from `$ATTRIBOOK_DATA` or counted from
# stored predictions; the others are ours.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
models: str = "smollm2-135m"  # known names, folders, or hub ids, with commas between them
with_originals: bool = True  # count the papers' own sets too

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import display

from attribook.grid.kept import kept_table
from attribook.papers.noiser.tables import printed_counts
from attribook.show.tables import table

places = [(profile, "knowns-mini"), (profile, "longra-mini")]
places += [("original", "knowns"), ("original", "longra")] * with_originals
counts = pd.concat([kept_table(name, places).assign(model=name) for name in models.split(",")])
first = ["model", "data set", "items", "correct", "correct_both"]
table(counts[first], caption="Prompts predicted correctly")

# %% [markdown]
# `correct`: as the prompt stands; `correct_both`: without its distractor too.
#
# ## What the paper printed

# %% tags=["remove-input"]
display(table(printed_counts(), caption="Noiser, Table 7"))
