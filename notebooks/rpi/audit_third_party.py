# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Audit: are the baselines' numbers what their own authors got?
#
# Table 2 of RPI has nine other methods beside it. Five of them, on two of the data sets, were measured before by the
# authors of sequential integrated gradients (SIG), who saved their numbers with their code (time_interpret, MIT). If
# both agree, the baselines of the table are sound, and what is left to question is RPI's own row, for which see
# [](audit_picking). The page reads `results/original/rpi_third_party`; without it, it makes the table of
# `$ATTRIBOOK_DATA/golden/tint_nlp`. No model is run.
#
# ```{admonition} What differs between the two
# :class: important
# **Special tokens**: SIG's authors count `[CLS]` and `[SEP]` among the tokens, so these can be removed; in RPI's code
# they always stay. That matters most for sufficiency, where nearly everything is removed. **Fewest tokens**: a fifth,
# rounded down, in both; sufficiency of none is 0. **Reference token**: the source does not say which token it was in
# which block; pad and mask are inferred from the history of its code. The evidence is that input x gradient, which has
# no baseline, has the same comprehensiveness in both. **Checkpoints**: of the same names where RPI names them. **n**:
# the test splits, 1,821 and 1,066 sentences; neither source gives a spread, so intervals here are over columns of the
# table, which are classifiers on data sets.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the page is the same in all but smoke
with_golden: bool = True  # read the released table

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display
from scipy.stats import ttest_1samp

from attribook.metrics.names import sign
from attribook.papers.cells import published
from attribook.papers.rpi.third_party import CELL, REFERENCES, SIG
from attribook.show.tables import table

printed = published("rpi", table=2)[[*CELL, "value"]].rename(columns={"value": "printed"})
saved = SIG.frame() if with_golden else pd.DataFrame(columns=[*CELL, *REFERENCES])
frame = printed.merge(saved, on=CELL, validate="one_to_one")
here = "BERT, RoBERTa and DistilBERT on SST2 and RTN, five methods"

# %% tags=["answer", "remove-input"]
cells = frame.assign(apart=frame["printed"] - frame["mask"])
lines = []
for metric, rows in cells.groupby("metric", sort=False):
    columns = rows.groupby(["dataset", "model"], sort=False)
    value, (low, high) = columns["apart"].mean().mean(), ttest_1samp(columns["apart"].mean(), 0).confidence_interval()
    orders = [column["printed"].corr(column["mask"], method="spearman") for _, column in columns]
    decided = "above" if low > 0 else "below" if high < 0 else "not decided to differ from"
    lines.append(
        f"- **{metric}**: printed and saved numbers are {rows['apart'].abs().median():.3f} apart in the median. "
        f"Printed numbers are on average {decided} theirs ({value:+.3f}, {low:+.3f} to {high:+.3f}, n = {len(columns)} "
        f"columns). The five methods have the same order in {sum(order > 1 - 1e-9 for order in orders)} of them."
    )
start = f"SIG's authors measured {len(frame)} of the printed cells. With the mask token as reference, as in RPI:\n\n"
Markdown(start + "\n".join(lines) if with_golden else "This profile does not read the released table.")

# %% [markdown]
# ## How far apart, and in which order?
#
# `difference` is the printed number minus theirs, averaged over the methods of a column first and then over columns; a
# column is one classifier on one data set. Its 95% interval is Student's over columns. `correlation of order` is the
# mean Spearman correlation of the five methods in a column. `same order` and `same best` count columns.

# %%
long = frame.melt([*CELL, "printed"], list(REFERENCES), var_name="reference", value_name="saved")
long = long.assign(apart=long["printed"] - long["saved"], way=long["metric"].map(sign))
rows = []
for (metric, reference), cells in long.groupby(["metric", "reference"], sort=False):
    columns = [column for _, column in cells.groupby(["dataset", "model"])]
    apart = pd.Series([column["apart"].mean() for column in columns])
    low, high = ttest_1samp(apart, 0).confidence_interval()
    order = pd.Series([column["printed"].corr(column["saved"], method="spearman") for column in columns])
    best = [(c["printed"] * c["way"]).idxmax() == (c["saved"] * c["way"]).idxmax() for c in columns]
    rows.append([metric, reference, cells["apart"].abs().median(), apart.mean(), low, high, order.mean(),
                 int((order > 1 - 1e-9).sum()), sum(best), len(columns)])  # fmt: skip

# %%
heads = ["metric", "reference", "median apart", "difference", "difference low", "difference high"]
heads += ["correlation of order", "same order", "same best", "columns"]
found = pd.DataFrame(rows, columns=heads)
n = " to ".join(map(str, sorted(set(found["columns"])))) or "0"
table(found, f"RPI's printed numbers beside those that SIG's authors saved, {here}, n = {n} columns",
      digits={"difference": "{:+.3f}", "median apart": "{:.3f}", "correlation of order": "{:.3f}"},
      drop=["columns"])  # fmt: skip

# %% [markdown]
# ## Every cell
#
# `mask` and `pad` are the numbers of SIG's authors with this reference token.

# %%
for metric, rows in frame.groupby("metric", sort=False):
    display(table(rows, f"{metric}, printed and saved", digits=3, drop=["metric"]))
