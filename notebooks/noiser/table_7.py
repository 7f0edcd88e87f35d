# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Table 7: how many prompts a model gets right
#
# Noiser explains only prompts whose next word a model predicts rightly; its Table 7 counts them for six models. The
# paper does not say what right means. Its released code asks for equality: the most probable token must be the gold
# word, so that the first piece of a longer word does not count. This book counts a token that begins the gold word. The
# page counts both for our models, on our mini sets and on the papers' own. Cost: from stored predictions, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Models**: ours are none of the paper's six, so no count can be met; the sizes of the sets can, but for Knowns,
# printed as 1,208. **Sets**: `knowns` and `longra` are the papers' prompts, read from `$ATTRIBOOK_DATA` or counted from
# stored predictions; the others are ours.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
models: str = "smollm2-135m"  # known names, folders, or hub ids, with commas between them
with_originals: bool = True  # count the papers' own sets too

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.papers.cells import published
from attribook.show.tables import table
from attribook.statistics.kept import kept_table

places = [(profile, "knowns-mini"), (profile, "longra-mini")]
places += [("original", "knowns"), ("original", "longra"), ("original", "longra-released")] * with_originals
counts = pd.concat([kept_table(name, places).assign(model=name) for name in models.split(",")], ignore_index=True)

# %% tags=["answer", "remove-input"]
known = counts.dropna(subset="correct").to_dict("records")
Markdown("\n".join(
    f"- {row['model']} predicts {row['correct']} of the {row['items']} prompts of {row['data set']} rightly "
    f"({row['correct'] / row['items']:.0%})." for row in known
))  # fmt: skip

# %% [markdown]
# ## Prompts that our models predict rightly
#
# `correct` counts the prompts whose next token begins the gold word, `the very word` those whose next token is all of
# it, as the released code asks, and `without distractor too` those that are also predicted rightly without their
# distractor. `longra-released` is the file that was released with Noiser: of its 573 prompts 387 are those of `longra`
# and 186 are broken, because their cue word is missing and is asked for at the end. So no model can get many more than
# 387 of it right. Where the papers' sets are absent, `the very word` is unknown. The models are small and none of the
# paper's.

# %%
ours = counts[["model", "data set", "items", "correct", "exact", "correct_both"]]
table(ours, f"Prompts predicted rightly by {models.replace(',', ' and ')}, on our own and the papers' data sets",
      names={"items": "prompts", "exact": "the very word", "correct_both": "without distractor too"})  # fmt: skip

# %% [markdown]
# ## What the paper printed

# %%
cells = published("noiser").query("table == 7")
printed = cells.pivot(index="dataset", columns="column", values="value")[list(dict.fromkeys(cells["column"]))]
table(printed.astype(int), "Noiser, Table 7: prompts of Knowns and LongRA predicted rightly by the paper's six models",
      names={"dataset": "data set", "Dataset": "prompts"})  # fmt: skip
