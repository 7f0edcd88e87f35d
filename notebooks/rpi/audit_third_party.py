# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: are the baselines' numbers what their own authors got?
#
# Table 2 of RPI holds nine other methods beside it. Five of them, on two of the data sets, were measured before by the
# authors of sequential integrated gradients, who saved their numbers with their code (time_interpret, MIT). If both
# agree, the table's baselines are sound, and what is left to question is RPI's own row, for which see
# [](audit_picking). Reads `results/original/rpi_third_party`, else makes it of `$ATTRIBOOK_DATA/golden/tint_nlp`;
# no model is run.
#
# ```{admonition} What differs between the two
# :class: important
# **Special tokens**: SIG's authors count `[CLS]` and `[SEP]` among the tokens, so they can be removed; in RPI's code
# they always stay. That matters most for sufficiency, where nearly everything goes. **Fewest tokens**: a fifth, rounded
# down, in both; sufficiency of none is 0. **Reference token**: the source does not say which it was in which block;
# pad and mask are inferred from the history of its code, and its evidence is that input x gradient, which has no
# baseline, has the same comprehensiveness in both. **Checkpoints**: of the same names where RPI names them. **n**: the
# test splits, 1,821 and 1,066 sentences; neither source gives a spread, so intervals here are over columns.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # the page is the same in all but smoke
with_golden: bool = True  # read the released table

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.papers.rpi.third_party import agreement_table, third_party_table, third_party_told
from attribook.show.tables import table

frame = third_party_table() if with_golden else None
if with_golden:
    display(Markdown(third_party_told(frame)))

# %% [markdown]
# ## How far apart, and in which order?

# %% tags=["remove-input"]
if with_golden:
    found = agreement_table(frame)
    formats = dict.fromkeys(("median apart", "order"), "{:.3f}") | dict.fromkeys(
        ("difference", "low", "high"), "{:+.3f}"
    )
    display(table(found, caption="RPI's printed numbers and those of SIG's authors, by metric", formats=formats))

# %% [markdown]
# `difference` is printed minus theirs, averaged over columns: one classifier on one data set. `order` is the mean
# Spearman correlation of the five methods within a column, `same order` and `same best` count columns.
#
# ## Every cell

# %% tags=["remove-input"]
if with_golden:
    for metric, cells in frame.groupby("metric", sort=False):
        shown = cells.drop(columns="metric")
        display(table(shown, caption=metric, formats=dict.fromkeys(("printed", "mask", "pad"), "{:.3f}")))

# %% [markdown]
# `mask` and `pad`: theirs, by the reference token.
