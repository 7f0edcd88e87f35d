# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Audit: what vectors and steps buy
#
# Noiser takes ten noise vectors and bisects in ten steps, and bisection takes for granted that a prediction which flips
# at one scale flips at every larger one. How much of the ranking hangs on either number, and how often is that wrong?
# Reads `results/<profile>/noiser_knowns`. Cost: from stored rows, seconds. Left out: the paper's models and prompts.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
n_items: int = 24  # 0 takes all kept prompts
random_seeds: int = 1  # seeds of each setting
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.papers.noiser.settings import KNOWNS
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.agreement import agreement
from attribook.statistics.estimates import estimate

SEARCHES = {
    "noiser": "10 vectors, 10 steps", "noiser{vectors=3}": "3 vectors, 10 steps",
    "noiser{vectors=1}": "1 vector, 10 steps", "noiser{steps=7}": "10 vectors, 7 steps",
    "noiser{steps=4}": "10 vectors, 4 steps",
}  # fmt: skip
given = {"profile": profile, "model": model, "dataset": dataset, "n_items": n_items, "keep": keep, "seed": seed}
random = Study(**KNOWNS, **given, methods=("random",), random_seeds=5)
study = Study(**KNOWNS, **given, methods=tuple(SEARCHES), random_seeds=random_seeds)
rows = pd.concat([random.frame(), study.frame()], ignore_index=True).replace({"method": SEARCHES})
scores = pd.DataFrame(study.scores()).replace({"method": SEARCHES})
full = SEARCHES["noiser"]

# %% tags=["answer", "remove-input"]
found = estimate(rows, "log_ratio", "method", against={"method": "random"}, sum_over="metric").set_index("method")
alike = agreement(scores.to_dict("records"))[full].drop(full)
back = pd.DataFrame(scores.loc[scores["method"] == full, "details"].tolist())["not_monotone"] > 0
least = alike.idxmin() if alike.notna().any() else alike.index[0]
Markdown(
    f"Of the other settings, `{least}` ranks tokens the least like the full search: rank correlation "
    f"{alike[least]:+.2f}, faithfulness {in_words(found.loc[least])} nats against {in_words(found.loc[full])}. In "
    f"{back.mean():.0%} of the {len(back)} full searches (ten vectors, ten steps), a token was seen to flip at one "
    "scale and to hold at a larger one."
    f"\n\n{study.n_kept()} Seeds of each setting: {random_seeds}; settings share their random numbers."
)

# %% [markdown]
# ## What each setting gives, and what it costs
#
# `agreement`: Spearman's rank correlation with the scores of ten vectors and ten steps from the same seed, mean over
# prompts. `scale`: the mean bound s\*. `turned back`: the share of prompts in whose search some token was seen to
# flip at one scale and to hold at a larger one; the shared search looks at few scales, so this is a lower bound.
# `forwards`: mean for a prompt. Prompts without a value are left out, such as those whose bound is 0 because few
# halvings found no scale small enough: without noise all scores are 0. The model is small and not one of the paper's.

# %%
faithfulness = estimate(rows, "log_ratio", "method", against={"method": "random"}, sum_over="metric")
details = pd.json_normalize(scores["details"].tolist()).assign(method=scores["method"], forwards=scores["forwards"])
details["turned back"] = details["not_monotone"] > 0
searched = details.groupby("method")[["scale", "turned back", "forwards"]].mean()
searched.insert(0, "agreement", agreement(scores.to_dict("records"))[full])
listed = faithfulness.join(searched, on="method").drop(columns=["p", "detectable"])
table(listed, f"Noiser's search by vectors and steps, {model}, {dataset}, protocol noiser-paper", drop=["failed"],
      digits={"value": "{:+.2f}", "scale": "{:.4f}", "turned back": "{:.0%}", "forwards": "{:.0f}"},
      names={"method": "search", "value": "faithfulness (nats)"})  # fmt: skip
