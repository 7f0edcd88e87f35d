# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Audit: what do a thousand steps buy?
#
# ReAGent goes on replacing tokens until its stopping test passes or a limit is reached: about a thousand steps in the
# paper's text, 3,000 or 5,000 in the released configurations. A score is the softmax of a sum over steps, so more steps
# make it sharper whatever the ranking does. Question: from which step on do faithfulness and ranking no longer move,
# how much do more runs add, and what does the stopping test do?
#
# Each prompt and seed is run once, to the last step, with the stopping test recorded but not obeyed. What fewer steps,
# fewer runs and the obeyed test give is read off that one recording, exactly as the method itself would give it. Reads
# `results/<profile>/reagent_steps`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What is left out
# :class: important
# **Steps**: the limit is stated below; the released code's is not run here. **Prompts**: our own short set and a small
# model that is not one of the paper's, because every step is a forward of every run, and the test another.
# **Replacer**: the default of [](../../methods/reagent), not RoBERTa. Intervals are over prompts; seeds are compared in
# the rank correlations alone.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with gold words
n_items: int = 12  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
most_steps: int = 100  # where the recording ends
most_runs: int = 3  # runs that are averaged; one run is shown beside them
seeds: int = 2  # of the runs, the masks and the random baseline
seed: int = 0  # the first of them

# %% tags=["hide-input"]
from itertools import product

import pandas as pd
from IPython.display import Markdown

from attribook.grid.settings import setting
from attribook.papers.reagent.runs import ReagentStudy
from attribook.papers.reagent.settings import METRICS
from attribook.show.figures import curves
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.agreement import rank_correlations
from attribook.statistics.estimates import estimate
from attribook.statistics.tests import UNDECIDED, decisions

marks = [digit * 10**power for power in range(len(str(most_steps))) for digit in (1, 2, 5)]
marks = [*(mark for mark in marks if mark < most_steps), most_steps]
kinds = [("on", 1, {}), ("on", most_runs, {}), ("off", most_runs, {"top_k": 0})]  # the stopping test, and runs
grid = {
    (test, runs, mark): setting("reagent", max_steps=mark, runs=runs, **options)
    for test, runs, options in kinds
    for mark in marks
}
study = ReagentStudy("reagent_steps", profile, model, dataset, "attribook", ("random", *grid.values()),
                     tuple(METRICS), n_items=n_items, keep=keep, seed=seed, random_seeds=seeds)  # fmt: skip
frame, scores = study.frame(), [row for row in study.scores() if row["method"] != "random"]
places = pd.DataFrame(list(grid), columns=["test", "runs", "steps"]).assign(method=list(grid.values()))
lines = places["runs"].astype(str) + " run" + places["runs"].gt(1).map({True: "s", False: ""})
places["name"] = lines + places["test"].map({"on": ", stopping test", "off": ", no stopping test"})
names, where = ["name", "test", "runs", "steps"], f"protocol attribook, {model}, {dataset}"

# %% tags=["answer", "remove-input"]
ours = estimate(frame, "log_ratio", against={"method": "random"}).merge(places, on="method")
gain = estimate(frame.merge(places, on="method"), "log_ratio", [*names, "metric"], of={"steps": most_steps})
gain, said = gain.assign(moves=decisions(gain) != UNDECIDED), []
for metric, test in product(METRICS, {"on": "as they stop", "off": "without the stopping test"}.items()):
    asked = f"metric == '{metric}' and test == '{test[0]}' and runs == {most_runs}"
    moves, ends = gain.query(asked).set_index("steps"), ours.query(asked).set_index("steps")
    settled = min(step for step in ends.index if not moves.loc[step:, "moves"].any())
    said.append(
        f"- **{METRICS[metric]}**, {most_runs} runs, {test[1]}: the log-ratio to random is {in_words(ends.loc[1])} "
        f"after step 1 and {in_words(ends.loc[most_steps])} after step {most_steps}. From step {settled} on, none of "
        f"the steps shown is shown to differ from step {most_steps}; a true change of "
        f"{moves.loc[1, 'detectable']:.2f} nats between steps 1 and {most_steps} would be found."
    )
draws = f"{seeds} seeds, {frame['draw'].max() + 1} mask draws a prompt, seed and metric; at most {most_steps} steps."
Markdown("\n".join([*said, "", f"{study.n_kept()} {draws}"]))

# %% [markdown]
# ## Faithfulness by steps
#
# Higher is better; 0 is random. With the stopping test a run that has stopped keeps its scores.

# %%
ours = estimate(frame, "log_ratio", against={"method": "random"}).merge(places, on="method")
label = "log Soft-NC ratio to random (nats)"
curves(ours[ours["metric"] == "soft_nc"], label, f"{label} by steps of ReAGent, {where}")

# %%
label = "log Soft-NS ratio to random (nats)"
curves(ours[ours["metric"] == "soft_ns"], label, f"{label} by steps of ReAGent, {where}")

# %% [markdown]
# In the tables, `to the last step` is the log-ratio of the mean after the last step to that after this one, paired over
# prompts. `detectable` is the smallest true change to the last step that these prompts would show at the 5% level with
# 80% power.

# %%
gain = estimate(frame.merge(places, on="method"), "log_ratio", [*names, "metric"], of={"steps": most_steps})
gain = gain[["name", "steps", "metric", "value", "low", "high", "detectable"]]
new = ["to the last step", "to the last step low", "to the last step high", "its detectable"]
gain = gain.rename(columns=dict(zip(["value", "low", "high", "detectable"], new, strict=True)))
listed = ours[["name", "steps", "metric", "value", "low", "high", "n", "failed", "detectable"]]
listed = listed.merge(gain, on=["name", "steps", "metric"], how="left").rename(columns={"value": "log-ratio"})
listed = listed.rename(columns={"low": "log-ratio low", "high": "log-ratio high", "name": "runs"})

# %%
drop = ["metric", "failed", "detectable"]
table(listed[listed["metric"] == "soft_nc"], f"Soft-NC, {where}", drop=drop, names={"its detectable": "detectable"})

# %%
table(listed[listed["metric"] == "soft_ns"], f"Soft-NS, {where}", drop=drop, names={"its detectable": "detectable"})

# %% [markdown]
# ## Does the ranking settle?
#
# Spearman correlation of the scores with those after the last step, and between two seeds at the same step. A ranking
# that settles has both near 1; one that only sharpens keeps the first high and the second low.

# %%
last = {name: grid[test, runs, most_steps] for (test, runs, steps), name in grid.items()}
pairs = rank_correlations(scores)  # every two settings, of one prompt and seed
pairs = pairs[pairs["other"] == pairs["method"].map(last)].merge(places, on="method")
to_end = estimate(pairs, "mean", names)
label = "Spearman, to the last step"
curves(to_end, label, f"{label}, by steps of ReAGent, {where}")

# %%
pairs = rank_correlations(scores, "seed").query("seed < other").merge(places, on="method")
between = estimate(pairs, "mean", names)
label = "Spearman, between seeds"
curves(between, label, f"{label}, by steps of ReAGent, {where}") if len(between) else Markdown(
    "There is one seed only."
)

# %% [markdown]
# `not stopped` is the share of runs that had not passed the test by that step; the released code gives NaN where this
# holds for all runs of a prompt, and its metrics then count the prompt as a perfect Soft-NC (see
# [](audit_departures)).

# %%
stops = pd.DataFrame({"method": row["method"], "stopped": row["details"]["runs_stopped"]} for row in scores)
stops = stops.groupby("method")["stopped"].mean().reset_index().merge(places.query("test == 'on'"), on="method")
stops["not stopped"] = 1 - stops["stopped"] / stops["runs"]
ends = {"value": "to the end", "low": "to the end low", "high": "to the end high"}
seeded = {"value": "between seeds", "low": "between seeds low", "high": "between seeds high"}
listed = to_end[["name", "steps", *ends, "n"]].rename(columns=ends)
listed = listed.merge(between[["name", "steps", *seeded]].rename(columns=seeded), on=["name", "steps"], how="left")
listed = listed.merge(stops[["name", "steps", "not stopped"]], on=["name", "steps"], how="left")
table(listed, f"Rank correlations (Spearman), {where}", digits={"not stopped": "{:.0%}"}, names={"name": "runs"})

# %% [markdown]
# ## What it cost

# %%
costs = study.rows().groupby("metric")[["forwards", "seconds"]].sum()
costs.loc["reagent, all recordings"] = [sum(row[name] for row in scores) for name in ("forwards", "seconds")]
table(costs.rename_axis("what"), f"Forwards and seconds, {where}", digits=dict.fromkeys(costs, "{:.0f}"))
