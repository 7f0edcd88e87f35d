# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Figure 2: mass on the critical word, the main part and the distractor
#
# Noiser's Figure 2 asks where the attribution of LongRA prompts lies: on the word that decides the answer (the
# antecedent), on the rest of the main part, or on the distractor. Claim: Noiser gives the critical word the most and
# the distractor the least. Reads `results/<profile>/reagent_longra`. Cost: from stored rows, seconds; see
# [](../reagent/figure_4) for heat maps of one prompt.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: 135M parameters, 4-bit weights brought back to float32, not the paper's six. **Data**: our own prompts in
# the form of LongRA, all relations, not capitals alone. **n** is in the table; Noiser, with three noise vectors, has
# fewer prompts or none; sequential integrated gradients has no rows here. The figure's values are not in the paper's
# text, so only its order is compared.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "longra-mini"  # a data set with antecedents and distractors
n_items: int = 24  # 0 takes all kept prompts
few_items: int = 24  # for Noiser; 0 leaves it out
keep: str = "correct_both"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.papers.noiser.show import mass_lead_listing, share_listing
from attribook.papers.noiser.tables import TEN, noiser_study
from attribook.show.figures import mass_bars
from attribook.show.tables import table
from attribook.statistics.mass import PARTS, against_flat, length_shares, mass_lead, mass_shares, mean_shares

dear = ("noiser", "sequential_integrated_gradients")
quick, few = ("random", *(name for name in TEN if name not in dear)), ("noiser{vectors=3}",)
parts = [noiser_study("LongRA", profile, model, dataset, methods, n_items=n, keep=keep, seed=seed)
         for methods, n in ((quick, n_items), (few, few_items))[: 2 if few_items else 1]]  # fmt: skip
rows = [row for part in parts for row in part.scores()]
shares = mass_shares(rows)
told = f"{few_items} of them by Noiser, with three noise vectors." if few_items else "Noiser has no rows here."
Markdown(f"{parts[0].n_kept()} {told}")

# %% tags=["remove-input"]
means = shares[shares["status"] == "ok"].groupby("method", sort=False)[list(PARTS)].mean()
flat = length_shares(rows)
means.loc["flat (by length)"] = flat.mean()
mass_bars(means, "Mean share of attribution mass on antecedent, main part and distractor, by method")

# %% tags=["remove-input"]
found = {part: mean_shares(shares, part, seed=seed) for part in PARTS}
share_listing(found, f"Mean share of positive mass with 95% intervals over prompts, {model}, {dataset}")

# %% [markdown]
# ## Who is ahead?
#
# Noiser's share minus that of each other method, over the prompts that both have; where Noiser has no rows, that of the
# method that gives the critical word the most.

# %% tags=["remove-input"]
best = found["antecedent"].sort_values("share", ascending=False)["method"].iloc[0]
leader = few[0] if few_items else best
lead = mass_lead(shares, leader, seed=seed)
more, less = lead["antecedent low"] > 0, lead["distractor high"] < 0
Markdown(
    f"`{leader}` gives the critical word more than {more.sum()} of {len(lead)} others and less than "
    f"{(lead['antecedent high'] < 0).sum()}; it gives the distractor less than {less.sum()} and more than "
    f"{(lead['distractor low'] > 0).sum()}. n = {lead['n'].min()}."
)

# %% tags=["remove-input"]
mass_lead_listing(lead, f"{leader} minus others, {model}, {dataset}")

# %% tags=["remove-input"]
caption = f"Share minus that of a flat attribution to the same prompts, {model}, {dataset}"
table(against_flat(shares, flat, PARTS), caption=caption)
