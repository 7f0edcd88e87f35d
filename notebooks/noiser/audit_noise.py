# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: noise, or any step of that length?
#
# Noiser moves a token's embedding in random directions. Here it moves as far, but towards the mask token, or towards
# tokens drawn from the vocabulary: directions that lead to something the model knows. Two strengths are matched: each
# kind's own bound (the smallest scale that flips any token), and one fixed length for all, that of noise of norm 1.
# Beside them stands occlusion, which takes the token away. Reads `results/<profile>/noiser_knowns`. Cost: from stored
# rows, seconds. Left out: the paper's models and prompts.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.papers.noiser.show import sum_figure, sum_listing, versus_listing
from attribook.papers.noiser.tables import leader_told, noiser_study, sum_leader, sum_table
from attribook.show.tables import table
from attribook.statistics.agreement import agreement

names = {"noise, own bound": "noiser", "towards mask, own bound": "noiser{towards=mask,vectors=1}",
         "towards tokens, own bound": "noiser{towards=tokens}", "noise, norm 1": "noiser{bound=norm_2}",
         "towards mask, norm 1": "noiser{towards=mask,vectors=1,bound=norm_2}",
         "towards tokens, norm 1": "noiser{towards=tokens,bound=norm_2}", "occlusion": "occlusion"}  # fmt: skip
given = {"n_items": n_items, "keep": keep, "seed": seed}
random = noiser_study("Knowns", profile, model, dataset, ("random",), random_seeds=5, **given)
study = noiser_study("Knowns", profile, model, dataset, tuple(names.values()), **given)
titles = {name: title for title, name in names.items()}
rows = pd.concat([random.rows(), study.rows()], ignore_index=True).replace({"method": titles})
found = sum_table(rows, "Knowns").drop(columns=["published", "least", "most", "verdict"])
found = found.assign(published=float("nan"), least=float("nan"), most=float("nan"), verdict="not published")
where = f"noiser-paper, {model}, {dataset}"
Markdown(study.n_kept())

# %% tags=["remove-input"]
sum_figure(found, where)

# %% tags=["remove-input"]
sum_listing(found, where)

# %% [markdown]
# ## Is noise better than a step to somewhere?

# %% tags=["remove-input"]
versus = sum_leader(rows, list(names), "noise, own bound")
Markdown(f"{leader_told(versus)} n = {versus['n'].min()}.")

# %% tags=["remove-input"]
versus_listing(versus, where)

# %% [markdown]
# ## Do they rank the tokens alike?
#
# Spearman's rank correlation of the scores of every two kinds, mean over prompts.

# %% tags=["remove-input"]
ranks = agreement([{**row, "method": titles[row["method"]]} for row in study.scores()])
table(ranks.reset_index(names="kind"), caption=f"Rank correlations, {where}",
      formats=dict.fromkeys(ranks.columns, "{:+.2f}"))  # fmt: skip
