# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Audit: what should tokens be replaced with?
#
# ReAGent's authors leave open what the tokens should be replaced with: the paper says RoBERTa's predictions, the
# released configurations say tokens of the same part of speech. Here the same runs, from the same random numbers, use
# every replacer that needs no second network: any token of the vocabulary (`uniform`), any token of the same part of
# speech, the explained model's own prediction from the left (`left_to_right`, our default), and its best predictions
# weighed by the text to their right (`two_sided`).
#
# Reads `results/<profile>/reagent_replacers`. Cost: the table at the end; from stored rows, seconds. Left out:
# replacers that ask a masked language model, unless `masked_lm` names one; the paper's models and prompts. The model
# here is small and not one of the paper's.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with gold words
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
max_steps: int = 50  # of each run
runs: int = 3  # of each prompt
masked_lm: str = ""  # a masked language model for two more replacers: a folder or a hub id
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.settings import setting
from attribook.grid.study import Study
from attribook.papers.reagent.settings import METRICS
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.agreement import rank_correlations
from attribook.statistics.estimates import estimate
from attribook.statistics.sensitivity import NOTHING, effects
from attribook.statistics.sharpness import sharpness
from attribook.statistics.tests import UNDECIDED

base = {"max_steps": max_steps, "runs": runs}
asked = dict.fromkeys(("left_to_right", "two_sided", "part_of_speech", "uniform"), base)
asked |= {name: {**base, "masked_lm": masked_lm} for name in ("masked_lm", "prefix_argmax") if masked_lm}
replacers = {setting("reagent", replacer=name, **options): name for name, options in asked.items()}
study = Study("reagent_replacers", profile, model, dataset, "attribook", ("random", *replacers), tuple(METRICS),
              n_items=n_items, random_seeds=1, keep=keep, seed=seed)  # fmt: skip
frame = study.frame().replace({"method": replacers})
scores = [{**row, "method": replacers[row["method"]]} for row in study.scores() if row["method"] in replacers]
where = f"protocol attribook, {model}, {dataset}"

# %% tags=["answer", "remove-input"]
moved = estimate(frame[frame["method"] != "random"], "log_ratio", against={"method": "left_to_right"})
moved, said = moved.assign(effect=effects(moved)), []
for metric, name in METRICS.items():
    found = moved[moved["metric"] == metric].sort_values("value", key=abs, ascending=False)
    shown = found[~found["effect"].isin([UNDECIDED, NOTHING])]
    largest = f"; the largest estimate is that of `{found['method'].iloc[0]}`, {in_words(found.iloc[0])}"
    named = "; ".join(f"`{row['method']}` {row['effect']}, by {in_words(row)}" for row in shown.to_dict("records"))
    few = f"{len(shown)} of {len(found)} other replacers are shown to move it from that of `left_to_right`"
    said.append(f"- **{name}**: {few}{': ' + named if named else largest}.")
display(Markdown("How far the replacer moves the faithfulness of ReAGent, as a log of the ratio of means, in nats:"))
Markdown("\n".join([*said, "", f"{study.n_kept()} One seed of {runs} runs; at most {max_steps} steps."]))

# %% [markdown]
# ## Do they rank the tokens alike?
#
# Spearman's rank correlation of the scores of every two replacers, averaged over prompts: 1 is the same order.

# %%
pairs = rank_correlations(scores)
pairs = pairs[pairs["method"] < pairs["other"]]  # every two replacers once
agreed = estimate(pairs, "mean", ["method", "other"]).sort_values("value", ascending=False)
names = {"method": "replacer", "other": "other replacer", "value": "rank correlation"}
table(agreed, f"Rank correlation of scores, {where}", names=names, drop=["failed", "p", "detectable"])

# %% [markdown]
# ## Which is more faithful?
#
# `log-ratio` is to random scores. `against left_to_right` is the log of the ratio of means to that replacer's, paired
# over prompts. Each effect is decided at its own 5% level.

# %%
chance = estimate(frame, "log_ratio", against={"method": "random"}).rename(columns={"value": "log-ratio"})
moved = estimate(frame[frame["method"] != "random"], "log_ratio", against={"method": "left_to_right"})
moved["effect"] = effects(moved)
listed = chance[["method", "metric", "log-ratio"]].merge(moved, on=["method", "metric"], how="left")

# %%
label = "log Soft-NC ratio to left_to_right (nats)"
intervals(moved[moved["metric"] == "soft_nc"].rename(columns={"method": "name"}), label, f"{label}, {where}")

# %%
names = {"method": "replacer", "value": "against left_to_right"}
table(listed[listed["metric"] == "soft_nc"], f"Soft-NC, {where}", names=names, drop=["metric", "failed", "p"])

# %%
table(listed[listed["metric"] == "soft_ns"], f"Soft-NS, {where}", names=names, drop=["metric", "failed", "p"])

# %% [markdown]
# ## What they hit, how sharp they are, and what they cost
#
# `antecedent`: share of prompts with the subject among the three best tokens. `largest` and `entropy` as on
# [the page on sharpness](audit_sharpness): how sharp a replacer makes the scores moves soft metrics by itself. Steps,
# forwards and seconds are means over prompts; `stopped` is the share of runs that passed the stopping test.

# %%
hits = estimate(sharpness(scores), "mean").pivot(index="method", columns="metric", values="value")
hits = hits.reindex(columns=["antecedent", "largest", "entropy"])
costs = pd.DataFrame(
    {"method": row["method"], "stopped": row["details"]["runs_stopped"] / runs, "steps": row["details"]["steps_mean"],
     "forwards": row["forwards"], "seconds": row["seconds"]}
    for row in scores
).groupby("method", sort=False).mean()  # fmt: skip
formats = {"stopped": "{:.0%}", "steps": "{:.1f}", "forwards": "{:.0f}", "seconds": "{:.1f}"}
table(costs.join(hits), f"Means over prompts, {where}", digits=formats, names={"method": "replacer"})
