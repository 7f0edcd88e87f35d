# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The same audit without any model
#
# The authors of normalised AOPC released what six classifiers, BERT and RoBERTa on three data sets, say to *every*
# subset of masked words of short sentences, and the scores that nine methods give to the words. So what a ranking is
# worth, and what the best of R rankings is worth, are exact here: no network is run, and nothing depends on our models.
# The question is that of [](audit_picking): how far do random rankings get when the metric that is reported picks
# the best of them? Reads `results/original/rpi_golden`, else makes it of
# `$ATTRIBOOK_DATA/golden/naopc`, in under a minute.
#
# ```{admonition} What this page is not
# :class: important
# RPI itself is not among the released methods: its pool of maps is in [](audit_picking). Pools here are a method's
# scores and copies with noise as large as their deviation. **Sentences** have at most ten words. A sentence counts
# where the classifier is right; it is averaged over the classifiers first, and sentences are resampled.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # the page is the same in all but smoke
with_golden: bool = True  # read the released table

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.papers.rpi.golden_picking import METRICS as GOLDEN
from attribook.papers.rpi.golden_picking import golden_curves, golden_headline, golden_pools, golden_table
from attribook.papers.rpi.show_picking import golden_figure, golden_listing

frame = golden_table() if with_golden else None
if with_golden:
    told = frame.groupby("item")[["words", "classifiers"]].first()
    spread = f"{told['words'].min():.0f} to {told['words'].max():.0f} words"
    pairs = f"{told['classifiers'].sum():.0f} pairs of sentence and classifier"
    display(Markdown(f"{len(told)} sentences of {spread}, {pairs}."))

# %% [markdown]
# ## The answer

# %% tags=["remove-input"]
if with_golden:
    display(Markdown("\n".join(f"- {golden_headline(frame, metric)}" for metric in GOLDEN)))

# %% [markdown]
# ## Every method, one map and the best of many
#
# Comprehensiveness and sufficiency are normalised by the exact best and worst order of the sentence: of
# comprehensiveness 1 is the best order of all, of sufficiency 0. `lead` is the best of a method's pool against the best
# of as many random rankings, above 0 the method is better, with a paired 95% interval over sentences. `by the other`:
# what the map picked by the other normalised metric is worth.

# %% tags=["remove-input"]
if with_golden:
    for metric in GOLDEN:
        display(golden_listing(golden_pools(frame, metric), metric))

# %% [markdown]
# ## How many random tries are worth a method?
#
# The expected best of R random rankings; horizontal lines are single maps of methods.

# %% tags=["remove-input"]
if with_golden:
    for metric in GOLDEN:
        display(golden_figure(golden_curves(frame, metric), metric))
