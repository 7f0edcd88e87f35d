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
# Attribution explains a prediction, so the papers keep only the prompts that the model completes with the gold word. A
# prediction counts as right if the most probable next token, without spaces, begins the gold word. The authors of
# LongRA ask for a right prediction with and without the distractor (`correct_both`). Cost: one or two forward passes
# for a prompt; from stored rows, seconds.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
with_originals: bool = True  # count the papers' own sets too, from $ATTRIBOOK_DATA or from stored predictions

# %% tags=["hide-input"]
from IPython.display import Markdown

from attribook.show.source import source
from attribook.show.tables import table
from attribook.statistics.accuracy import clopper_pearson
from attribook.statistics.kept import kept_table

places = [(profile, "longra-mini"), (profile, "knowns-mini")]
places += [("original", "longra"), ("original", "knowns")] * with_originals

# %% tags=["answer", "remove-input"]
counted = kept_table(model, places).dropna(subset="correct")
lines = []
for dataset, n, right in zip(counted["data set"], counted["items"], counted["correct"].astype(int), strict=True):
    low, high = clopper_pearson(right, n)
    share = f"{right / n:.0%} of the prompts of {dataset} with the gold word"
    lines.append(f"- `{model}` completes {share} (95% interval {low:.0%} to {high:.0%}, n = {n:,}).")
Markdown("\n".join(lines))

# %%
counts = kept_table(model, places)
table(counts, f"Prompts that {model} completes with the gold word", names={"items": "n (prompts)"})

# %% tags=["hide-input"]
source(kept_table)

# %% [markdown]
# `correct` counts the prompts as they stand, `correct_plain` the prompts without their distractor, and `correct_both`
# those that are right both ways. `longra` and `knowns` are the papers' sets, which this project does not contain. Where
# they are absent, their counts come from stored predictions. In the Noiser paper, models of 0.5B to 9B parameters keep
# 140 to 209 of the 573 LongRA prompts and 661 to 875 of the known facts. The paper counts 1,208 facts, the file has
# 1,209 (its Table 7). The model here is smaller than any of these.
#
# The templates of our own LongRA-style set were worded while we saw the answers of SmolLM2 to whole relations. Its
# share of kept prompts is therefore too high to be a result about the model. No single prompt was picked or dropped for
# its answer.
