# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: what do a thousand steps buy?
#
# ReAGent goes on replacing tokens until its stopping test passes or a limit is reached: about a thousand steps in the
# paper's text, 3,000 or 5,000 in the released configurations. A score is the softmax of a sum over steps, so more steps
# make it sharper whatever the ranking does. Question: from which step on do faithfulness and ranking no longer move,
# how much do more runs add, and what does the stopping test do?
#
# Each prompt and seed is run once, to the last step, with the stopping test looked at but not obeyed; what fewer steps,
# fewer runs and the obeyed test give is read off that one recording, exactly as the method itself would give it. Reads
# `results/<profile>/reagent_steps`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What is left out
# :class: important
# **Steps**: the limit is stated below; the released code's is not run here. **Prompts**: our own short set and a small
# model, because every step is a forward of every run, and the test another. **Replacer**: the default of
# [](../../methods/reagent), not RoBERTa. Intervals are over prompts; seeds are compared in the rank correlations alone.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with gold words
n_items: int = 12  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
most_steps: int = 100  # where the recording ends
most_runs: int = 3  # runs that are averaged; one run is shown beside them
seeds: int = 2  # of the runs, the masks and the random baseline
seed: int = 0  # the first of them

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.papers.reagent.runs import ReagentStudy, first_steps, step_grid
from attribook.papers.reagent.show_audits import stable_figure, stable_listing, steps_figure, steps_listing
from attribook.papers.reagent.steps import faithful_steps, stable_steps, steps_told
from attribook.show.tables import table

grid = step_grid(first_steps(most_steps), (1, most_runs))
study = ReagentStudy("reagent_steps", profile, model, dataset, "attribook", ("random", *grid.values()),
                     ("soft_nc", "soft_ns"), n_items=n_items, keep=keep, seed=seed, random_seeds=seeds)  # fmt: skip
rows = study.rows()
faithful = {metric: faithful_steps(rows, grid, metric) for metric in ("soft_nc", "soft_ns")}
scores = study.scores()
stable = stable_steps([row for row in scores if row["method"] != "random"], grid)
where = f"protocol attribook, {model}, {dataset}"
draws = int(rows["draw"].max()) + 1
Markdown(f"{study.n_kept()} {seeds} seeds, {draws} mask draws a prompt, seed and metric; at most {most_steps} steps.")

# %% [markdown]
# ## Faithfulness by steps
#
# Higher is better; 0 is random. With the stopping test a run that has stopped keeps its scores. The sentences below
# are computed: "cannot be told" means that the 95% interval of the paired change contains 0.

# %% tags=["remove-input"]
names = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}
told = [f"- {steps_told(faithful[metric], names[metric], test)}" for metric in names for test in ("on", "off")]
Markdown("\n".join(told))

# %% tags=["remove-input"]
steps_figure(faithful["soft_nc"], "soft_nc", where)

# %% tags=["remove-input"]
steps_figure(faithful["soft_ns"], "soft_ns", where)

# %% tags=["remove-input"]
steps_listing(faithful["soft_nc"], "soft_nc", where)

# %% tags=["remove-input"]
steps_listing(faithful["soft_ns"], "soft_ns", where)

# %% [markdown]
# `to the last step` is the log-ratio of the mean after the last step to that after this one, paired over prompts.
# `detectable` and `its detectable` are the smallest true values that these prompts would show at the 5% level with 80%
# power: of the log-ratio to random, and of the change to the last step.
#
# ## Does the ranking settle?
#
# Spearman correlation of the scores with those after the last step, and between two seeds at the same step. A ranking
# that settles has both near 1; one that only sharpens keeps the first high and the second low.

# %% tags=["remove-input"]
stable_figure(stable, "to the end", where)

# %% tags=["remove-input"]
stable_figure(stable, "between seeds", where)

# %% tags=["remove-input"]
stable_listing(stable, where)

# %% tags=["remove-input"]
end = stable.query("test == 'on' and runs == @most_runs and steps == @most_steps").iloc[0]
Markdown(
    f"Of {int(end['n']) * seeds * most_runs} runs, {end['never']:.0%} had not stopped after {most_steps} steps. "
    f"Between two seeds, {most_runs} runs averaged, the rank correlation of scores is {end['between seeds']:+.2f} "
    f"({end['between seeds low']:+.2f} to {end['between seeds high']:+.2f})."
)

# %% [markdown]
# `not stopped` is the share of runs that had not passed the test by that step; the released code gives NaN where this
# holds for all runs of a prompt, and its metrics then count the prompt as a perfect Soft-NC (see
# [](audit_departures)).
#
# ## What it cost

# %% tags=["remove-input"]
cost = rows.groupby("metric")[["forwards", "seconds"]].sum()
cost.loc["reagent, all recordings"] = [sum(row[name] for row in scores) for name in ("forwards", "seconds")]
table(cost.rename_axis("what").reset_index(), caption="Forwards and seconds",
      formats={"forwards": "{:.0f}", "seconds": "{:.0f}"})  # fmt: skip
