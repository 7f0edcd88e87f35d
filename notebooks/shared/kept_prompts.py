# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How many prompts the model gets right
#
# Attribution explains a prediction, so the papers keep only the prompts that the model completes with the gold word.
# Right means here: the most probable next token, stripped of spaces, begins the gold word. LongRA's authors ask for
# that with and without the distractor (`correct_both`). Cost: a forward or two a prompt;
# from stored rows, seconds.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
with_originals: bool = True  # count the papers' own sets too, from $ATTRIBOOK_DATA or from stored predictions

# %% tags=["remove-input"]

from attribook.grid.kept import kept_table
from attribook.show.tables import table

places = [(profile, "longra-mini"), (profile, "knowns-mini")]
places += [("original", "longra"), ("original", "knowns")] * with_originals
counts = kept_table(model, places)
table(counts, caption=f"Prompts predicted correctly by {model}")

# %% [markdown]
# `longra` and `knowns` are the papers' sets, which this project does not contain; their counts come from stored
# predictions where the sets are absent. In the Noiser paper, models of 0.5B to 9B parameters keep 140 to 209 of the 573
# LongRA prompts and 661 to 875 of the known facts, 1,208 as printed and 1,209 in the file (its Table 7).
#
# The templates of our own LongRA-style set were worded with SmolLM2's answers to whole relations in view, so its share
# of kept prompts says nothing about the model; no single prompt was picked or dropped for its answer.
