# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: the paper or the code?
#
# ReAGent's released code and configurations depart from its text in several places. Each is switched alone, starting
# from the paper's reading, and the question is how far it moves the numbers that the paper prints: the log-ratios of
# Soft-NC and Soft-NS to random. The last row switches everything that was released at once.
#
# Reads `results/<profile>/reagent_departures`. Cost: the table at the end; from stored rows, seconds. The squared
# distance, the NaN rule and the mean of stopped runs are read off the same forwards, exactly.
#
# ```{admonition} What is left out
# :class: important
# **RoBERTa**: the paper replaces tokens by RoBERTa's predictions; here the explained model predicts them from the left,
# because no masked language model is part of this profile. **Steps**: fewer than the paper's, so fewer runs stop (see
# [](audit_steps)), and prompts of which none did weigh more where they count as perfect: that move is larger
# here than it would be with the paper's steps. **Metrics' masks**: special tokens can be removed, as released.
# **n**: in the tables.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "longra-mini"  # longra-mini, or longra from $ATTRIBOOK_DATA
n_items: int = 12  # 0 takes all kept prompts
keep: str = "correct_both"  # correct_both, correct, or all
max_steps: int = 30  # at most, for a run
runs: int = 3  # that are averaged
random_seeds: int = 3  # of the two random baselines
specials: bool = False  # whether the model's prompts have special tokens, whose replacing is then a departure too
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.papers.reagent.departures import departure_names, departure_readings, departures_told
from attribook.papers.reagent.runs import ReagentStudy
from attribook.papers.reagent.show_audits import change_figure, change_listing
from attribook.show.tables import table
from attribook.statistics.sensitivity import change_table, changes_told

names = departure_names({"max_steps": max_steps, "runs": runs}, specials=specials)
given = ("reagent_departures", profile, model, dataset, "reagent-paper")
options = {"metrics": ("soft_nc", "soft_ns"), "n_items": n_items, "keep": keep, "seed": seed}
study = ReagentStudy(*given, tuple(dict.fromkeys(names.values())), **options, random_seeds=1)
baselines = ReagentStudy(*given, ("random", "random{form=uniform}"), **options, random_seeds=random_seeds)
rows, scores = pd.concat([study.rows(), baselines.rows()]), study.scores()
readings = departure_readings(names, rows, scores)
base = readings.pop("none")
tables = {metric: change_table(readings, base, metric) for metric in ("soft_nc", "soft_ns")}
where = f"protocol reagent-paper, {model}, {dataset}"
Markdown(f"{study.n_kept()} The paper's reading is `{names['none']}`; {random_seeds} seeds of each random baseline.")

# %% tags=["remove-input"]
table(departures_told(names), caption="Departures")

# %% [markdown]
# ## Soft-NC

# %% tags=["remove-input"]
Markdown(changes_told(tables["soft_nc"]))

# %% tags=["remove-input"]
change_figure(tables["soft_nc"], "soft_nc", where)

# %% tags=["remove-input"]
change_listing(tables["soft_nc"], "soft_nc", where)

# %% [markdown]
# `log-ratio` is the number as the paper would print it, `moved` its distance from the paper's reading, paired over
# prompts; `detectable` is the smallest true move that would be found at the 5% level with 80% power. Several changes
# are looked at, each at its own 5% level.
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
# `none stopped` counts prompts of which no run passed the stopping test: those are NaN in the released code, and then
# Soft-NC 1 and Soft-NS 0. `sharpness` is the largest score of a prompt, averaged over prompts.

# %% tags=["remove-input"]
by_name = {method: name for name, method in reversed(names.items())}
found = [
    {"change": by_name[row["method"]], "sharpness": max(row["scores"]), "steps": row["details"]["steps_mean"],
     "none stopped": row["details"]["runs_stopped"] == 0, "special tokens": row["scores"].count(0.0),
     "forwards": row["forwards"], "seconds": row["seconds"]}
    for row in scores
]  # fmt: skip
went = pd.DataFrame(found).groupby("change", sort=False)
means, sums = went[["sharpness", "steps"]].mean(), went.sum(numeric_only=False).drop(columns=["sharpness", "steps"])
table(means.join(sums).reset_index(), caption=f"Runs by setting, {where}; sums over all prompts but the first two",
      formats={"sharpness": "{:.2f}", "steps": "{:.1f}", "none stopped": "{:.0f}", "seconds": "{:.0f}"})  # fmt: skip

# %% [markdown]
# Departures that change only how rows are read have the runs of the paper's reading and are not listed. Forwards of 0:
# read off another setting's recording. `special tokens` counts tokens that were never replaced; where it is 0 for the
# paper's reading, replacing special tokens changes nothing by construction, and that departure is not switched.
