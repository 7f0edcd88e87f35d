# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Audit: noise, or any step of that length?
#
# Noiser moves a token's embedding in random directions. Here it moves as far, but towards the mask token, or towards
# tokens drawn from the vocabulary: directions that lead to something the model knows. Two strengths are matched: each
# kind's own bound (the smallest scale that flips any token), and one fixed length for all, that of noise of norm 1.
# Beside them stands occlusion, which takes the token away. Reads `results/<profile>/noiser_knowns`. Cost: from stored
# rows, seconds. Left out: the paper's models and prompts.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.papers.noiser.settings import KNOWNS
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.agreement import agreement
from attribook.statistics.estimates import estimate
from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, decisions

KINDS = {
    "noiser": "noise, own bound", "noiser{towards=mask,vectors=1}": "towards mask, own bound",
    "noiser{towards=tokens}": "towards tokens, own bound", "noiser{bound=norm_2}": "noise, norm 1",
    "noiser{towards=mask,vectors=1,bound=norm_2}": "towards mask, norm 1",
    "noiser{towards=tokens,bound=norm_2}": "towards tokens, norm 1",
}  # fmt: skip
given = {"profile": profile, "model": model, "dataset": dataset, "n_items": n_items, "keep": keep, "seed": seed}
random = Study(**KNOWNS, **given, methods=("random",), random_seeds=5)
study = Study(**KNOWNS, **given, methods=(*KINDS, "occlusion"), random_seeds=1)
rows = pd.concat([random.frame(), study.frame()], ignore_index=True).replace({"method": KINDS})
scores = pd.DataFrame(study.scores()).replace({"method": KINDS}).to_dict("records")
noise, where = KINDS["noiser"], f"{model}, {dataset}, protocol noiser-paper"

# %% tags=["answer", "remove-input"]
found = estimate(rows, "log_ratio", "method", against={"method": "random"}, sum_over="metric").set_index("method")
lead = estimate(rows[rows["method"] != "random"], "log_ratio", "method", of={"method": noise}, sum_over="metric",
                family=()).assign(won=decisions)  # fmt: skip
open_ = ", ".join(f"`{name}`" for name in lead.loc[lead["won"] == UNDECIDED, "method"])
Markdown(
    f"Noise at its own bound has the faithfulness {in_words(found.loc[noise])} nats. It is shown to be more "
    f"faithful than {(lead['won'] == ABOVE).sum()} of {len(lead)} other ways and less faithful than "
    f"{(lead['won'] == BELOW).sum()}"
    + (f"; not decided: {open_}" if open_ else "") + f" (p adjusted by max-T, {len(lead)} tests).\n\n{study.n_kept()}"
)  # fmt: skip

# %% [markdown]
# ## How faithful each kind of step is
#
# Faithfulness is the sum of the log-ratios of Soft-NC and Soft-NS to those of random scores. The model is small and not
# one of the paper's.

# %%
faithfulness = estimate(rows, "log_ratio", "method", against={"method": "random"}, sum_over="metric")
faithfulness = faithfulness.sort_values("value", ascending=False)
label = "faithfulness against random scores (nats)"
drawn = faithfulness.dropna(subset="value").rename(columns={"method": "name"})
intervals(drawn, label, f"{label} by kind of step, {where}")

# %%
halves = estimate(rows, "log_ratio", ["method", "metric"], against={"method": "random"})
halves = halves.pivot(index="method", columns="metric", values="value")
halves = halves.rename(columns={"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"})
table(faithfulness.join(halves, on="method"), f"Faithfulness by kind of step, {where}", drop=["failed", "p"],
      names={"method": "kind of step", "value": "faithfulness (nats)"})  # fmt: skip

# %% [markdown]
# ## Is noise better than a step to somewhere?
#
# The faithfulness of noise at its own bound minus that of each other kind, over the same prompts. p is adjusted by
# max-T over all of them.

# %%
versus = estimate(rows[rows["method"] != "random"], "log_ratio", "method", of={"method": noise}, sum_over="metric",
                  family=()).sort_values("value")  # fmt: skip
versus["noise is"] = decisions(versus).map({ABOVE: "ahead", BELOW: "behind"}).fillna("undecided")
table(versus, f"Faithfulness of {noise}, minus that of other kinds, {where}", drop=["failed", "p"],
      names={"method": "other kind", "value": "difference (nats)"})  # fmt: skip

# %% [markdown]
# ## Do they rank the tokens alike?
#
# Spearman's rank correlation of the scores of every two kinds, mean over prompts.

# %%
table(agreement(scores).rename_axis("kind of step"), f"Rank correlations, {where}")
