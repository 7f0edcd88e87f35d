# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Figure 4: where does the attribution go when a distractor stands in between?
#
# ReAGent's Figure 4 shows one LongRA prompt: a fact, an unrelated sentence in parentheses (the distractor), and a
# question about the fact. A good attribution gives the distractor little. This page shows one such prompt and then
# asks the same of the whole set, because one prompt can be chosen.
#
# Claim of the figure: the model's answer does not depend on the distractor, so importance belongs elsewhere.
# Reads and, where rows are missing, computes scores under the protocol `attribook`. Cost: from stored rows,
# seconds; from scratch, one run of each method on each prompt. ReAGent replaces by the explained model's own
# predictions and has fewer prompts, because it is slow. Left out: the paper's GPT-2 and OPT models.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "longra-mini"  # a data set with antecedents and distractors
n_items: int = 40  # 0 takes all kept prompts
reagent_items: int = 24  # as many of them for ReAGent
shown: int = 0  # which of them is drawn as a heat map
keep: str = "correct_both"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.papers.reagent.tasks import PLAIN
from attribook.show.figures import mass_bars, score_grid
from attribook.show.heatmap import heatmaps
from attribook.show.literal import in_markdown
from attribook.show.tables import table
from attribook.show.tokens import label
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.mass import FLAT, PARTS, flat_shares, mass_shares
from attribook.statistics.tests import decisions

study = Study("reagent_longra", profile, model, dataset, "attribook", (*PLAIN, "gradient_shap"),
              n_items=n_items, keep=keep, seed=seed)  # fmt: skip
reagent = replace(study, methods=("reagent",), n_items=reagent_items, random_seeds=1)
rows = study.scores() + reagent.scores()
item = study.items[shown]
example = {row["method"]: row for row in rows if row["item"] == item.id and row["seed"] == seed}
first, where = example["occlusion"], f"{model}, {dataset}"

# %% tags=["answer", "remove-input"]
shares = pd.concat([mass_shares(rows), flat_shares(rows)])
apart = estimate(shares, "difference", against={"method": FLAT}).assign(decision=decisions)
lines = []
for part in ("antecedent", "distractor"):
    found = apart[apart["metric"] == part]
    listed = {side: ", ".join(group["method"]) for side, group in found.groupby("decision")}
    mine = in_words(found[found["method"] == "reagent"].iloc[0], 3)
    lines.append(
        f"- **{part}**: ReAGent's share of the attribution minus that of a flat attribution is {mine}. Above the flat "
        f"attribution: {listed.get('above', 'none')}. Below: {listed.get('below', 'none')}. Undecided: "
        f"{listed.get('undecided', 'none')}."
    )
Markdown("\n".join([*lines, "", f"{study.n_kept()} Random scores are the mean of {study.random_seeds} seeds."]))

# %% [markdown]
# ## One prompt

# %%
antecedent, distractor = (item.text[slice(*item.spans[part])] for part in ("antecedent", "distractor"))
Markdown(
    f"Item `{item.id}`. Antecedent: **{antecedent}**. Distractor: *{distractor}* "
    f"`{model}` goes on with **{in_markdown(label(first['target']))}** (p = {first['probability']:.2f})."
)

# %%
heatmaps(first["tokens"], {name: row["scores"] for name, row in example.items()})

# %%
grid = pd.DataFrame({name: row["scores"] for name, row in example.items()})
alt = f"Heat map of {len(first['tokens'])} tokens by {len(grid.columns)} methods for item {item.id}, {where}"
score_grid(first["tokens"], grid, alt)

# %% [markdown]
# ## All prompts
#
# The share of each method's positive scores that falls on the antecedent, on the distractor, and on the rest. A
# flat attribution, which gives every token the same, has the shares of the parts' lengths. The model is small and not
# one of the paper's.

# %%
shares = pd.concat([mass_shares(rows), flat_shares(rows)])
means = estimate(shares)
across = means.pivot(index="method", columns="metric", values="value").loc[means["method"].unique(), list(PARTS)]
mass_bars(across, f"Mean share of attribution mass on antecedent, main part and distractor, by method, {where}")

# %%
shown_means = means[means["metric"] != "main"].sort_values(["metric", "value"], ascending=[True, False])
caption = (
    f"Mean share of the positive attribution on antecedent and distractor, with 95% intervals over prompts, {where}"
)
table(shown_means, caption, digits=3, drop=["p", "detectable"], names={"metric": "part", "value": "mean share"})

# %% [markdown]
# ## Against the flat attribution
#
# The antecedent should get more than its length gives it, the distractor less. A method counts as above or below flat
# only where p of the difference, over its own prompts, is below 5% and its prompts allow a verdict.

# %%
apart = estimate(shares, "difference", against={"method": FLAT})
apart["decision"] = decisions(apart)
caption = f"Share minus that of a flat attribution to the same prompts, {where}"
listed = apart[apart["metric"] != "main"].sort_values("metric", kind="stable")
table(listed, caption, digits=3, drop=["p", "failed"], names={"metric": "part", "value": "share minus flat"})

# %% [markdown]
# **What differs from the paper.** Figure 4 is one prompt on the paper's models; this is our own prompt set on a
# small model with 4-bit weights. The numbers above speak for that model and set alone.
