# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which method works on which model
#
# Every cell of the first table is a test that ran. The test explains one prompt on a tiny random model of the family.
# It asks for finite scores, for the cost that the method's formula gives, for the same scores whatever the batch, and
# for the same scores under both implementations of attention. A method that cannot explain a family must say why and
# name a method that can. `make matrix` writes the results, and the tests fail where they are out of date. Random models
# show that a method computes what it should. They do not show that what it computes is useful.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the profile this run belongs to

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.attribution.registry import METHODS
from attribook.show.tables import table
from attribook.site.matrix import load_matrix

cells = load_matrix().assign(family=lambda rows: rows["model"].str.removeprefix("tiny-"))
works = cells["works"] == "True"

# %% tags=["answer", "remove-input"]
everywhere = works.groupby(cells["method"]).all()
Markdown(
    f"{everywhere.sum()} of {len(everywhere)} methods work on all {cells['family'].nunique()} families. In "
    f"{works.sum()} of {len(cells)} cells the method passed its test. In the other {(~works).sum()} it says why it "
    "cannot explain the family."
)

# %% [markdown]
# ## What works where

# %%
reasons = cells.loc[~works, "refusal"].unique().tolist()
numbers = {reason: f"no ({place})" for place, reason in enumerate(reasons, start=1)}
marks = cells.assign(mark=cells["refusal"].map(numbers).mask(works, "yes"))
marks = marks.pivot(index="method", columns="family", values="mark").loc[cells["method"].unique()]
alike = marks.T.groupby(list(marks.index), sort=False)  # families with the same marks stand in one column
columns = {", ".join(families.index): families.iloc[0] for _, families in alike}
table(pd.DataFrame(columns).rename_axis("method").reset_index(), "Methods and families; a number names a reason below")

# %% [markdown]
# `opt` is built like OPT-350M, `opt_prenorm` like the other sizes. `llama+sentiment` is a prompted classifier. The
# reasons are what the message says after the name of the method:

# %%
listed = pd.DataFrame({"number": range(1, len(reasons) + 1), "reason": reasons})
table(listed, "Why a method cannot explain a family")

# %% [markdown]
# ## What they cost
#
# The formulas use T (tokens), P (tokens that may be removed or moved: all but special ones, unless an option says
# otherwise) and the options. Where the cost of a method depends on what happens, they also use what the method reports.
# The counts are those of one test, on the model of the column `counted on`; formula and count were equal in all
# families. The tests take fewer samples and steps than the defaults.

# %%
formulas = pd.DataFrame({name: {"forwards": method.forwards, "backwards": method.backwards}
                         for name, method in METHODS.items()}).T.rename_axis("method")  # fmt: skip
counted = (
    cells[works].drop_duplicates("method").set_index("method")[["model", "tokens", "moved", "forwards", "backwards"]]
)
counted.columns = ["counted on", "T", "P", "forwards counted", "backwards counted"]
table(
    formulas.join(counted, how="inner").reset_index(), "Prompts sent forward and differentiated, beyond the first one"
)
