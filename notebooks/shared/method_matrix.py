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
# Every cell is a test that ran. It explains one prompt on a tiny random model of the family and asks for: finite
# scores, the cost that the method's formula says, the same scores whatever the batch, the same scores under both
# implementations of attention. A method that cannot explain a family must say why and name one that can. `make
# matrix` writes this table, and the tests fail where it is out of date. Random models show that a method computes
# what it should, and not that what it computes is useful.

# %% tags=["parameters"]
profile: str = "laptop"  # the profile this run belongs to

# %% tags=["remove-input"]
from attribook.site.matrix import cost_table, matrix_reasons, matrix_table
from attribook.show.tables import table

table(matrix_table(), caption="Methods and families; a number stands for a reason below")

# %% [markdown]
# `opt` is built like OPT-350M, `opt_prenorm` like the other sizes. `llama+sentiment` is a prompted classifier.

# %% tags=["remove-input"]
table(matrix_reasons(), caption="Why not: what the message says after the name of the method")

# %% [markdown]
# ## What they cost
#
# Formulas in T (tokens), P (tokens that may be taken away or moved: all but special ones, unless an option says
# otherwise), the options, and for methods whose cost depends on what happens, in what they report. The counts are
# those of one test; formula and count were equal in all `families`. The tests take fewer samples and steps than the
# defaults.

# %% tags=["remove-input"]
table(cost_table(), caption="Prompts sent forward and differentiated, beyond the one that encodes the prompt")
