# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: what vectors and steps buy
#
# Noiser takes ten noise vectors and bisects in ten steps, and bisection takes for granted that a prediction which flips
# at one scale flips at every larger one. How much of the ranking hangs on either number, and how often is that wrong?
# Reads `results/<profile>/noiser_knowns`. Cost: from stored rows, seconds. Left out: the paper's models and prompts.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
n_items: int = 24  # 0 takes all kept prompts
random_seeds: int = 1  # seeds of each setting
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.papers.noiser.show import search_listing
from attribook.papers.noiser.tables import noiser_study, search_table

names = {"10 vectors, 10 steps": "noiser", "3 vectors, 10 steps": "noiser{vectors=3}",
         "1 vector, 10 steps": "noiser{vectors=1}", "10 vectors, 7 steps": "noiser{steps=7}",
         "10 vectors, 4 steps": "noiser{steps=4}"}  # fmt: skip
given = {"n_items": n_items, "keep": keep, "seed": seed}
random = noiser_study("Knowns", profile, model, dataset, ("random",), random_seeds=5, **given)
study = noiser_study("Knowns", profile, model, dataset, tuple(names.values()), random_seeds=random_seeds, **given)
rows = pd.concat([random.rows(), study.rows()], ignore_index=True)
found = search_table(rows, study.scores(), names, "noiser")
Markdown(f"{study.n_kept()} Seeds of each setting: {random_seeds}; settings share their random numbers.")

# %% tags=["remove-input"]
search_listing(found, f"noiser-paper, {model}, {dataset}")

# %% [markdown]
# `agreement`: Spearman's rank correlation with the scores of ten vectors and ten steps from the same seed, mean over
# prompts. `scale`: the mean bound s\*. `turned back`: the share of prompts in whose search some token was seen to
# flip at one scale and to hold at a larger one; the shared search looks at few scales, so this is a lower bound.
# `forwards`: mean for a prompt. `failed`: prompts without a value, such as those whose bound is 0 because few halvings
# found no scale small enough: without noise all scores are 0.

# %% tags=["remove-input"]
least = found.iloc[1:]["agreement"].idxmin()
Markdown(
    f"Of the other settings, `{found.loc[least, 'search']}` is the least like the full search: rank correlation "
    f"{found.loc[least, 'agreement']:+.2f}, faithfulness {found.loc[least, 'ours']:+.2f} against "
    f"{found.loc[0, 'ours']:+.2f}. With ten vectors and ten steps {found.loc[0, 'turned back']:.0%} of the searches "
    f"met a flip that turned back. n = {found.loc[0, 'n']}."
)
