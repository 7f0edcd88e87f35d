# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: how much do ReAGent's own numbers matter?
#
# ReAGent has four numbers that somebody chose: the ratio `r` of tokens replaced in a step, the `k` of its stopping
# test, the share of tokens kept there, and the number of runs. Paper, released configurations, notebooks and ports use
# different ones. Claim that is tested: Soft-NC and Soft-NS do not depend on them. One is changed at a time; the change
# is paired over prompts, and the same random numbers are used before and after. Another seed of everything random
# (runs, masks) is a change like the others, so that a change can be compared with mere luck.
#
# Reads `results/<profile>/reagent_sensitivity`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What is left out
# :class: important
# **Interactions**: two numbers changed together. **Limit**: steps end at the base's `max_steps`, far below the released
# code's. **Prompts**: our own short set and a small model; n and the smallest detectable change are in the tables.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with gold words
n_items: int = 12  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
max_steps: int = 50  # of the base
runs: int = 3  # of the base
seeds: int = 3  # of the base; the first is compared with the others
seed: int = 0  # the first of them
second: str = ""  # another model, such as gemma-3-270m; empty for none
second_items: int = 6  # prompts of it; 0 takes all kept prompts

# %% tags=["remove-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.settings import setting
from attribook.papers.reagent.runs import ReagentStudy
from attribook.papers.reagent.show_audits import change_figure, change_listing
from attribook.papers.reagent.show_faithfulness import NAMES
from attribook.show.tables import table
from attribook.statistics.sensitivity import changes_told, one_at_a_time, sensitivity_tables, verdicts_alike

base = {"max_steps": max_steps, "runs": runs}
changes = one_at_a_time("reagent", base, ratio=(0.1, 0.5), top_k=(1, 10), keep_share=(0.1, 0.6),
                        runs=(1, 2 * runs), max_steps=(max_steps // 5,))  # fmt: skip
default = setting("reagent", **base)
given = ("reagent_sensitivity", profile, model, dataset, "attribook")
options = {"metrics": ("soft_nc", "soft_ns"), "n_items": n_items, "keep": keep, "seed": seed}
study = ReagentStudy(*given, (default, *changes.values()), **options, random_seeds=1)
seeded = ReagentStudy(*given, ("random", default), **options, random_seeds=seeds)
tables = sensitivity_tables(study, seeded, default, changes)
where = f"protocol attribook, {model}, {dataset}"
Markdown(f"{study.n_kept()} The base is `{default}`, other options at their defaults; {seeds} seeds of random.")

# %% [markdown]
# ## Soft-NC

# %% tags=["remove-input"]
Markdown(changes_told(tables["soft_nc"]))

# %% tags=["remove-input"]
change_figure(tables["soft_nc"], "soft_nc", where)

# %% tags=["remove-input"]
change_listing(tables["soft_nc"], "soft_nc", where)

# %% [markdown]
# `log-ratio` is to random; `moved` is the log-ratio of the changed mean to the base's, paired over prompts;
# `detectable` is the smallest true move that would be found at the 5% level with 80% power. Several changes are looked
# at, each at its own 5% level: of twenty that do nothing, one is expected to leave out 0.
#
# ## Soft-NS

# %% tags=["remove-input"]
Markdown(changes_told(tables["soft_ns"]))

# %% tags=["remove-input"]
change_figure(tables["soft_ns"], "soft_ns", where)

# %% tags=["remove-input"]
change_listing(tables["soft_ns"], "soft_ns", where)

# %% [markdown]
# ## How the runs went
#
# `sharpness` is the largest score of a prompt, averaged over prompts, which moves soft metrics by itself. `stopped` is
# the share of runs that passed the stopping test, `steps` the mean number of steps of a run.

# %% tags=["remove-input"]
told = {method: name for name, method in {"none": default, **changes}.items()}
found = [
    {"change": told[row["method"]], "sharpness": max(row["scores"]), "steps": row["details"]["steps_mean"],
     "stopped": row["details"]["runs_stopped"] / row["options"]["runs"], "forwards": row["forwards"],
     "seconds": row["seconds"]}
    for row in study.scores()
]  # fmt: skip
went = pd.DataFrame(found).groupby("change", sort=False)
shown = went[["sharpness", "steps", "stopped"]].mean().join(went[["forwards", "seconds"]].sum()).reset_index()
table(shown, caption=f"Runs by change, {where}; forwards and seconds are all prompts'",
      formats={"sharpness": "{:.2f}", "steps": "{:.1f}", "stopped": "{:.0%}", "seconds": "{:.0f}"})  # fmt: skip

# %% [markdown]
# 0 forwards: this setting was read off the recording of another one.

# %% tags=["remove-input"]
if second:
    smaller = [replace(each, model=second, n_items=second_items) for each in (study, seeded)]
    theirs = sensitivity_tables(*smaller, default, changes)
    display(Markdown(f"## A second model\n\nThe same changes, over prompts that it answers. {smaller[0].n_kept()}"))
    for metric, found in theirs.items():
        display(Markdown(f"**{NAMES[metric]}.** {changes_told(found)} {verdicts_alike(tables[metric], found)}"))
        display(change_listing(found, metric, f"protocol attribook, {second}, {dataset}"))
