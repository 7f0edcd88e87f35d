# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: which perturber?
#
# ReAGent's authors name it as open what the tokens should be replaced with: the paper says RoBERTa, the released
# configurations say tokens of the same part of speech. Here the same runs, from the same random numbers, use every
# replacer that needs no second network: any token of the vocabulary (`uniform`), any token of the same part of speech,
# the explained model's own prediction from the left (`left_to_right`, our default), and its best predictions weighed by
# the text to their right (`two_sided`).
#
# Reads `results/<profile>/reagent_replacers`. Cost: the table at the end; from stored rows, seconds. Left out:
# replacers that ask a masked language model, unless `masked_lm` names one; the paper's models and prompts.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with gold words
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
max_steps: int = 50  # of each run
runs: int = 3  # of each prompt
masked_lm: str = ""  # a masked language model for two more replacers: a folder or a hub id
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.settings import setting
from attribook.grid.study import Study
from attribook.papers.reagent.show_audits import change_figure, change_listing
from attribook.show.tables import table
from attribook.statistics.agreement import agreement
from attribook.statistics.bootstrap import Reading
from attribook.statistics.sensitivity import change_table, changes_told
from attribook.statistics.sharpness import sharpness

base = {"max_steps": max_steps, "runs": runs}
default, *others = (
    setting("reagent", replacer=name, **base) for name in ("left_to_right", "two_sided", "part_of_speech", "uniform")
)
if masked_lm:
    asked = {**base, "masked_lm": masked_lm}
    others += [setting("reagent", replacer=name, **asked) for name in ("masked_lm", "prefix_argmax")]
study = Study("reagent_replacers", profile, model, dataset, "attribook", ("random", default, *others),
              ("soft_nc", "soft_ns"), n_items=n_items, random_seeds=1, keep=keep, seed=seed)  # fmt: skip
rows, scores = study.rows(), study.scores()
short = {name: name.split("replacer=")[1].split(",")[0] for name in (default, *others)}
readings = {short[name]: Reading(rows, name) for name in others}
tables = {metric: change_table(readings, Reading(rows, default), metric) for metric in ("soft_nc", "soft_ns")}
where = f"protocol attribook, {model}, {dataset}"
Markdown(f"{study.n_kept()} The base is `{default}`; one seed of {runs} runs.")

# %% [markdown]
# ## Do they say the same?
#
# Rank correlation of the scores of every two replacers, averaged over prompts: 1 is the same order of tokens.

# %% tags=["remove-input"]
own = [{**row, "method": short[row["method"]]} for row in scores if row["method"] in short]
agreed = agreement(own)
table(agreed.reset_index(names="replacer"), caption=f"Agreement, {where}", formats=dict.fromkeys(agreed, "{:+.2f}"))

# %% [markdown]
# ## Which is more faithful?
#
# `moved` is the log of the ratio of means to `left_to_right`'s, paired over prompts.

# %% tags=["remove-input"]
Markdown("**Soft-NC.** " + changes_told(tables["soft_nc"]) + " **Soft-NS.** " + changes_told(tables["soft_ns"]))

# %% tags=["remove-input"]
change_figure(tables["soft_nc"], "soft_nc", where)

# %% tags=["remove-input"]
change_listing(tables["soft_nc"], "soft_nc", where)

# %% tags=["remove-input"]
change_listing(tables["soft_ns"], "soft_ns", where)

# %% [markdown]
# ## What they hit, how sharp they are, and what they cost
#
# `antecedent`: share of prompts with the subject among the three best tokens. `largest` and `entropy` as on
# [the page on sharpness](audit_sharpness): how sharp a replacer makes the scores moves soft metrics by itself.

# %% tags=["remove-input"]
hits = sharpness(own).groupby("method", sort=False)[["antecedent", "largest", "entropy"]].mean()
told = [{"method": row["method"], "stopped": row["details"]["runs_stopped"] / runs,
         "steps": row["details"]["steps_mean"], "forwards": row["forwards"], "seconds": row["seconds"]}
        for row in own]  # fmt: skip
costs = pd.DataFrame(told).groupby("method", sort=False).mean()
formats = dict.fromkeys(("antecedent", "largest", "entropy"), "{:.2f}") | {"stopped": "{:.0%}", "steps": "{:.1f}"}
table(hits.join(costs).reset_index(names="replacer"), caption=f"Means over prompts, {where}",
      formats=formats | {"forwards": "{:.0f}", "seconds": "{:.1f}"})  # fmt: skip
