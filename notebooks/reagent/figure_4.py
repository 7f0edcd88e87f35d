# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Figure 4: where does the attribution go when a distractor stands in between?
#
# ReAGent's Figure 4 shows one LongRA prompt: a fact, an unrelated sentence in parentheses (the distractor), and a
# question about the fact. A good attribution gives the distractor little. This page shows one such prompt and then
# asks the same of the whole set, because one prompt can be chosen.
#
# Claim of the figure: the model's answer does not depend on the distractor, so importance belongs elsewhere.
# Reads and, where rows are missing, computes scores under the protocol `attribook`. Cost: from stored rows,
# seconds; from scratch, one run of each method a prompt. ReAGent replaces by the explained model's own predictions and
# has fewer prompts, because it is slow. Left out: the paper's GPT-2 and OPT models.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "longra-mini"  # a data set with antecedents and distractors
n_items: int = 40  # 0 takes all kept prompts
reagent_items: int = 24  # as many of them for ReAGent
shown: int = 0  # which of them is drawn as a heat map
keep: str = "correct_both"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.papers.noiser.show import share_listing
from attribook.show.figures import mass_bars, score_grid
from attribook.show.heatmap import heatmaps
from attribook.show.tables import table
from attribook.statistics.mass import PARTS, against_flat, length_shares, mass_shares, mean_shares

methods = ("random", "occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap",
           "attention_last", "attention_mean", "attention_rollout")  # fmt: skip
study = Study("reagent_longra", profile, model, dataset, "attribook", methods,
              n_items=n_items, keep=keep, seed=seed)  # fmt: skip
reagent = replace(study, methods=("reagent",), n_items=reagent_items, random_seeds=1)
rows = study.scores() + reagent.scores()
item = study.items[shown]
example = {row["method"]: row for row in rows if row["item"] == item.id and row["seed"] == seed}
Markdown(f"{study.n_kept()} The random row is the mean of {study.random_seeds} seeds.")

# %% [markdown]
# ## One prompt

# %% tags=["remove-input"]
first = example["occlusion"]
marked = {
    "antecedent": item.text[slice(*item.spans["antecedent"])],
    "distractor": item.text[slice(*item.spans["distractor"])],
}
Markdown(
    f"Item `{item.id}`. Antecedent: **{marked['antecedent']}**. Distractor: *{marked['distractor']}* "
    f"`{model}` goes on with **{first['target'].strip()}** (p = {first['probability']:.2f})."
)

# %% tags=["remove-input"]
heatmaps(first["tokens"], {name: row["scores"] for name, row in example.items()})

# %% tags=["remove-input"]
grid = pd.DataFrame({name: row["scores"] for name, row in example.items()})
score_grid(
    first["tokens"],
    grid,
    f"Heat map of {len(first['tokens'])} tokens by {len(grid.columns)} methods for item {item.id}",
)

# %% [markdown]
# ## All prompts
#
# The share of each method's positive scores that falls on the antecedent, on the distractor, and on the rest. A
# flat attribution, which gives every token the same, has the shares of the parts' lengths.

# %% tags=["remove-input"]
shares = mass_shares(rows)
means = shares[shares["status"] == "ok"].groupby("method", sort=False)[list(PARTS)].mean()
flat = length_shares(rows)
means.loc["flat (by length)"] = flat.mean()
mass_bars(means, "Mean share of attribution mass on antecedent, main part and distractor, by method")

# %% tags=["remove-input"]
found = {part: mean_shares(shares, part, seed=seed) for part in ("antecedent", "distractor")}
share_listing(found, "Mean share of positive mass on antecedent and distractor, with 95% intervals over prompts")

# %% [markdown]
# ## Against the flat attribution
#
# The antecedent should get more than its length gives it, the distractor less. A method counts as above or below flat
# only where the 95% interval of the difference, over its own prompts, leaves out 0.

# %% tags=["remove-input"]
caption = f"Share minus that of a flat attribution to the same prompts, {model}, {dataset}"
table(against_flat(shares, flat, ("antecedent", "distractor")), caption=caption)

# %% [markdown]
# **What differs from the paper.** Figure 4 is one prompt on the paper's models; this is our own prompt set on a
# small model with 4-bit weights. The numbers above speak for that model and set alone.
