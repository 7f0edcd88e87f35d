# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Figure 2: mass on the critical word, the main part and the distractor
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

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "longra-mini"  # a data set with antecedents and distractors
n_items: int = 24  # 0 takes all kept prompts
few_items: int = 24  # for Noiser; 0 leaves it out
keep: str = "correct_both"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.papers.noiser.settings import FEWER, LONGRA, TEN
from attribook.show.figures import mass_bars
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.mass import FLAT, PARTS, flat_shares, mass_shares
from attribook.statistics.tests import ABOVE, BELOW, decisions

quick = ("random", *(name for name in TEN if name not in ("noiser", "sequential_integrated_gradients")))
given = {"profile": profile, "model": model, "dataset": dataset, "keep": keep, "seed": seed, "random_seeds": 1}
studies = [Study(**LONGRA, **given, methods=quick, n_items=n_items)]
studies += [Study(**LONGRA, **given, methods=(f"noiser{FEWER}",), n_items=few_items)] if few_items else []
scores = [row for study in studies for row in study.scores()]
shares = pd.concat([mass_shares(scores), flat_shares(scores)], ignore_index=True)  # `metric` is the part of the prompt
shares["method"] = shares["method"].str.removesuffix(FEWER)
where = f"{model}, {dataset}"

# %% tags=["answer", "remove-input"]
means = estimate(shares[shares["method"] != FLAT]).sort_values("value", ascending=False)
leader = "noiser" if few_items else means.loc[means["metric"] == "antecedent", "method"].iloc[0]
apart = estimate(shares[shares["method"] != FLAT], "difference", of={"method": leader}, family=["metric"],
                 chosen=not few_items)  # fmt: skip
count = apart.assign(won=decisions(apart)).groupby(["metric", "won"]).size()
mine = means[means["method"] == leader].set_index("metric")
antecedent, distractor = (in_words(mine.loc[part], 3, sign="") for part in ("antecedent", "distractor"))
Markdown(
    f"`{leader}` gives the critical word (the antecedent) {antecedent} of its positive scores and the distractor "
    f"{distractor}. Of {apart['method'].nunique()} other methods, {count.get(('antecedent', ABOVE), 0)} are shown to "
    f"give the critical word less than it and {count.get(('antecedent', BELOW), 0)} more; "
    f"{count.get(('distractor', BELOW), 0)} are shown to give the distractor more than it and "
    f"{count.get(('distractor', ABOVE), 0)} less.\n\n{studies[0].n_kept()} "
    + (f"{few_items} of them by Noiser, with three noise vectors." if few_items else "Noiser has no rows here.")
)

# %% [markdown]
# ## Where the mass lies
#
# The mean share of each method's positive scores that falls on each part of the prompt. A flat attribution, which gives
# every token the same, has the shares of the parts' lengths. The model is small and not one of the paper's.

# %%
mean_shares = estimate(shares, "mean", ["method", "metric"])
bars = mean_shares.set_index(["method", "metric"])["value"].unstack(sort=False)[list(PARTS)]
mass_bars(bars, f"Mean share of attribution mass on antecedent, main part and distractor, by method, {where}")

# %%
wide = mean_shares.pivot(index="method", columns="metric", values=["value", "low", "high"]).loc[bars.index]
wide.columns = [f"{part} {end}".removesuffix(" value") for end, part in wide.columns]
wide = wide[[f"{part}{end}" for part in PARTS for end in ("", " low", " high")]]
counts = mean_shares.drop_duplicates("method").set_index("method")[["n", "failed"]]
table(wide.join(counts), f"Mean share of the positive scores with 95% intervals, {where}", digits=3, drop=["failed"])

# %% [markdown]
# ## Who is ahead?
#
# Noiser's share minus that of each other method, over the prompts that both have; where Noiser has no rows, the method
# that gives the critical word the most stands in its place. p is adjusted by max-T over the methods, for each part.

# %%
leader = "noiser" if few_items else bars.drop(FLAT)["antecedent"].idxmax()
compared = shares[(shares["method"] != FLAT) & shares["metric"].isin(["antecedent", "distractor"])]
lead = estimate(compared, "difference", of={"method": leader}, family=["metric"], chosen=not few_items)
lead = lead.sort_values(["metric", "value"])
lead["gives"] = decisions(lead).map({ABOVE: "more", BELOW: "less"}).fillna("undecided")
table(lead, f"Share given by {leader} minus that of others, {where}", digits=3,
      drop=["failed", "p", "detectable"],
      names={"metric": "part", "method": "other", "value": "difference", "gives": f"{leader} gives"})  # fmt: skip

# %% [markdown]
# ## Against a flat attribution
#
# The share of each part minus that of a flat attribution to the same prompts, with p adjusted as above.

# %%
flat = estimate(shares, "difference", against={"method": FLAT}, family=["metric"])
flat = flat.sort_values(["metric", "value"])
flat["gives"] = decisions(flat).map({ABOVE: "more", BELOW: "less"}).fillna("undecided")
table(flat, f"Share minus that of a flat attribution, {where}", digits=3,
      drop=["failed", "p", "detectable"],
      names={"metric": "part", "value": "difference", "gives": "than flat"})  # fmt: skip
