# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Audit: how much do ReAGent's own numbers matter?
#
# ReAGent has four numbers that somebody chose: the ratio `r` of tokens replaced in a step, the `k` of its stopping
# test, the share of tokens kept there, and the number of runs. The paper, the released configurations, notebooks and
# ports use different ones. Claim that is tested: Soft-NC and Soft-NS do not depend on them. One number is changed at a
# time; the change is paired over prompts, and the same random numbers are used before and after. Another seed of
# everything random (runs, masks) is treated as one more change, so that the size of a change can be compared with that
# of chance.
#
# Reads `results/<profile>/reagent_sensitivity`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What is left out
# :class: important
# **Interactions**: two numbers changed together. **Limit**: steps end at the base's `max_steps`, far below the released
# code's. **Prompts and model**: a small model that is not one of the paper's; n and the smallest detectable change are
# in the tables.
# ```

# %% tags=["parameters", "hide-input"]
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

# %% tags=["hide-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.settings import setting
from attribook.papers.reagent.runs import ReagentStudy
from attribook.papers.reagent.settings import METRICS
from attribook.show.figures import intervals
from attribook.show.source import source
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.sensitivity import LOWERS, NOTHING, RAISES, effects, under_change
from attribook.statistics.tests import UNDECIDED

base = {"max_steps": max_steps, "runs": runs}
changed = {"ratio": (0.1, 0.5), "top_k": (1, 10), "keep_share": (0.1, 0.6), "runs": (1, 2 * runs),
           "max_steps": (max_steps // 5,)}  # fmt: skip
settings = {"none": setting("reagent", **base)} | {
    f"{option}={value}": setting("reagent", **{**base, option: value})
    for option in changed
    for value in changed[option]
}
given = ("reagent_sensitivity", profile, model, dataset, "attribook")
options = {"metrics": tuple(METRICS), "n_items": n_items, "keep": keep, "seed": seed}
study = ReagentStudy(*given, tuple(settings.values()), **options, random_seeds=1)
seeded = ReagentStudy(*given, ("random", settings["none"]), **options, random_seeds=seeds)
every = pd.concat([study.frame(), seeded.frame()]).drop_duplicates()
reseeded = (every["method"] == settings["none"]) & (every["seed"] > seed)
every["method"] = every["method"].mask(reseeded, "seed=" + every["seed"].astype(str))
settings |= {
    f"seed={n}": f"seed={n}" for n in range(seed + 1, seed + seeds)
}  # the base again, with other random numbers
against = [{"method": "random"}, {"change": "none"}]
where = f"protocol attribook, {model}, {dataset}"

# %% tags=["answer", "remove-input"]
rows = pd.concat([under_change(every, change, name) for change, name in settings.items()])
moved = estimate(rows, "log_ratio", ["change", "method", "metric"], against=against)
moved, said = moved.assign(effect=effects(moved)), []
for metric, name in METRICS.items():
    found = moved[moved["metric"] == metric].sort_values("value", key=abs, ascending=False)
    shown = found[~found["effect"].isin([UNDECIDED, NOTHING])]
    largest = f"; the largest estimate is that of {found['change'].iloc[0]}, {in_words(found.iloc[0])}"
    named = "; ".join(f"{row['change']} {row['effect']}, by {in_words(row)}" for row in shown.to_dict("records"))
    reseeds = found[found["change"].str.startswith("seed=")]["value"].abs().max()
    said.append(
        f"- **{name}**: {len(shown)} of {len(found)} changes are shown to move the log-ratio to random"
        f"{': ' + named if named else largest}. Another seed alone moves it by up to {reseeds:.2f} nats."
    )
display(Markdown("How far one change moves a log-ratio, in nats, with its 95% interval and the number of prompts:"))
Markdown("\n".join([*said, "", f"{study.n_kept()} The base is `{settings['none']}`; {seeds} seeds of random scores."]))

# %% [markdown]
# ## How far each change moves Soft-NC and Soft-NS
#
# Each change is a setting of ReAGent whose rows stand beside those of the random scores. `log-ratio` is the
# number after the change; `change of it` is its distance from the log-ratio of the base, `none`, paired over prompts.
# The effect of each change is decided at its own 5% level, without a correction for several tests: of twenty changes
# that do nothing, one is expected to be called an effect.

# %%
rows = pd.concat([under_change(every, change, name) for change, name in settings.items()])
ours = estimate(rows, "log_ratio", ["change", "method", "metric"], against={"method": "random"})
moved = estimate(rows, "log_ratio", ["change", "method", "metric"], against=against)
moved["effect"] = effects(moved)
listed = ours[["change", "metric", "value"]].rename(columns={"value": "log-ratio"})
listed = listed.merge(moved.drop(columns="method"), on=["change", "metric"], how="left")

# %% tags=["hide-input"]
source(under_change)

# %%
label = "change of the log Soft-NC ratio to random (nats)"
intervals(moved[moved["metric"] == "soft_nc"].rename(columns={"change": "name"}), label, f"{label}, {where}")

# %%
names = {"value": "change of it"}
table(listed[listed["metric"] == "soft_nc"], f"Soft-NC, {where}", names=names, drop=["metric", "failed", "p"])

# %%
label = "change of the log Soft-NS ratio to random (nats)"
intervals(moved[moved["metric"] == "soft_ns"].rename(columns={"change": "name"}), label, f"{label}, {where}")

# %%
table(listed[listed["metric"] == "soft_ns"], f"Soft-NS, {where}", names=names, drop=["metric", "failed", "p"])

# %% [markdown]
# The smallest detectable difference is the true change that these prompts would show at the 5% level with 80% power.
#
# ## How the runs went
#
# `sharpness` is the largest score of a prompt, averaged over prompts, which moves soft metrics by itself. `stopped` is
# the share of runs that passed the stopping test, `steps` the mean number of steps of a run. Forwards and seconds are
# sums over all prompts; a setting with 0 forwards was read off the recording of another one.

# %%
change_of = {name: change for change, name in settings.items()}
went = pd.DataFrame(
    {"change": change_of[row["method"]], "sharpness": max(row["scores"]), "steps": row["details"]["steps_mean"],
     "stopped": row["details"]["runs_stopped"] / row["options"]["runs"], "forwards": row["forwards"],
     "seconds": row["seconds"]}
    for row in study.scores()
).groupby("change", sort=False)  # fmt: skip
shown = went[["sharpness", "steps", "stopped"]].mean().join(went[["forwards", "seconds"]].sum())
table(shown, f"Runs by change, {where}", digits={"steps": "{:.1f}", "stopped": "{:.0%}", "seconds": "{:.0f}"})

# %% [markdown]
# ## A second model
#
# The same changes on a model of another family, over prompts that it answers; empty where the profile names none.

# %%
if second:
    theirs = [replace(each, model=second, n_items=second_items).frame() for each in (study, seeded)]
    theirs = pd.concat(theirs).drop_duplicates()
    reseeded = (theirs["method"] == settings["none"]) & (theirs["seed"] > seed)
    theirs["method"] = theirs["method"].mask(reseeded, "seed=" + theirs["seed"].astype(str))
    rows = pd.concat([under_change(theirs, change, name) for change, name in settings.items()])
    there = estimate(rows, "log_ratio", ["change", "method", "metric"], against=against)
    there["effect"] = effects(there)
    caption = f"Change of the log-ratio to random, protocol attribook, {second}, {dataset}"
    display(table(there, caption, drop=["method", "failed", "p"]))

# %%
if second:
    both = moved.merge(there, on=["change", "metric"], suffixes=("", " there"))
    decided = both[["effect", "effect there"]].isin([RAISES, LOWERS]).all(axis=1)
    both["alike"] = both["effect"] == both["effect there"]
    both["opposed"] = decided & ~both["alike"]
    alike = both.groupby("metric", sort=False)[["alike", "opposed"]].sum()
    alike["changes"] = both.groupby("metric").size()
    display(table(alike, f"Effects that {second} shares with {model}, and effects that contradict each other"))
