# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Audit: the paper or the code?
#
# ReAGent's released code and configurations depart from its text in several places. Each departure is switched alone,
# starting from the paper's reading, and the question is how far it moves the numbers that the paper prints: the
# log-ratios of Soft-NC and Soft-NS to random. The last row switches everything that was released at once.
#
# Reads `results/<profile>/reagent_departures`. Cost: the table at the end; from stored rows, seconds. The squared
# distance, the NaN rule and the mean of stopped runs are read off the same forwards, exactly.
#
# ```{admonition} What is left out
# :class: important
# **RoBERTa**: the paper replaces tokens by RoBERTa's predictions; here the explained model, which is small and not one
# of the paper's, predicts them from the left, because no masked language model is part of this profile. **Steps**:
# fewer than the paper's, so fewer runs stop (see [](audit_steps)), and prompts of which none did weigh more where they
# count as perfect: that move is larger here than it would be with the paper's steps. **Metrics' masks**: special tokens
# can be removed, as released. **n**: in the tables.
# ```

# %% tags=["parameters", "hide-input"]
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

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.settings import setting
from attribook.papers.reagent.departures import DEPARTURES, FLAT, PAPER, RANDOM, by_departure
from attribook.papers.reagent.runs import ReagentStudy
from attribook.papers.reagent.settings import METRICS
from attribook.show.figures import intervals
from attribook.show.source import source
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.sensitivity import NOTHING, effects, under_change
from attribook.statistics.squared_distance import as_released
from attribook.statistics.tests import UNDECIDED

base = {"max_steps": max_steps, "runs": runs, **PAPER}
also = {"all as released": {"specials": "perturb"}} if specials else {}
asked = {name: d.options for name, d in DEPARTURES.items() if specials or "specials" not in d.options}
settings = {
    name: setting("reagent", **{**base, **options, **also.get(name, {})})
    for name, options in {"none": {}, **asked}.items()
}
given = ("reagent_departures", profile, model, dataset, "reagent-paper")
options = {"metrics": tuple(METRICS), "n_items": n_items, "keep": keep, "seed": seed}
study = ReagentStudy(*given, tuple(dict.fromkeys(settings.values())), **options, random_seeds=1)
baselines = ReagentStudy(*given, (FLAT, RANDOM), **options, random_seeds=random_seeds)
every, scores = pd.concat([study.frame(), baselines.frame()]), study.scores()
against = [{"method": "random"}, {"change": "none"}]
where = f"protocol reagent-paper, {model}, {dataset}"

# %% tags=["answer", "remove-input"]
rows = by_departure(settings, every, scores)
moved = estimate(rows, "log_ratio", ["change", "method", "metric"], against=against)
moved, said = moved.assign(effect=effects(moved)), []
for metric, name in METRICS.items():
    found = moved[moved["metric"] == metric].sort_values("value", key=abs, ascending=False)
    shown = found[~found["effect"].isin([UNDECIDED, NOTHING])]
    largest = f"; the largest estimate is that of *{found['change'].iloc[0]}*, {in_words(found.iloc[0])}"
    named = "; ".join(f"*{row['change']}* {row['effect']}, by {in_words(row)}" for row in shown.to_dict("records"))
    few = f"{len(shown)} of {len(found)} departures are shown to move the log-ratio to random"
    said.append(f"- **{name}**: {few}{': ' + named if named else largest}.")
display(Markdown("How far a departure of the released code moves a log-ratio, in nats, with its 95% interval and n:"))
kept = f"{study.n_kept()} The paper's reading is `{settings['none']}`; {random_seeds} seeds of each random baseline."
Markdown("\n".join([*said, "", kept]))

# %% [markdown]
# ## The departures

# %%
listed = {name: DEPARTURES[name].about for name in settings if name in DEPARTURES}
table(
    pd.Series(listed, name="what it changes").rename_axis("departure"), "Departures of the released code from the paper"
)

# %% [markdown]
# ## How far each departure moves Soft-NC and Soft-NS
#
# Each departure is a setting of ReAGent, or another way to read the rows of one. `log-ratio` is the number as the paper
# would print it; `change of it` is its distance from that of the paper's reading, `none`, paired over prompts. The
# effect of each departure is decided at its own 5% level, without a correction for several tests.

# %%
rows = by_departure(settings, every, scores)
ours = estimate(rows, "log_ratio", ["change", "method", "metric"], against={"method": "random"})
moved = estimate(rows, "log_ratio", ["change", "method", "metric"], against=against)
moved["effect"] = effects(moved)
listed = ours[["change", "metric", "value"]].rename(columns={"value": "log-ratio"})
listed = listed.merge(moved.drop(columns="method"), on=["change", "metric"], how="left")

# %% tags=["hide-input"]
display(source(by_departure), source(under_change), source(as_released))

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
# `none stopped` counts prompts of which no run passed the stopping test: those are NaN in the released code, and then
# Soft-NC 1 and Soft-NS 0. `sharpness` is the largest score of a prompt and `steps` the number of steps of a run, both
# averaged over prompts; everything else is a sum over prompts.

# %%
change_of = {method: change for change, method in reversed(settings.items())}
went = pd.DataFrame(
    {"change": change_of[row["method"]], "sharpness": max(row["scores"]), "steps": row["details"]["steps_mean"],
     "none stopped": row["details"]["runs_stopped"] == 0, "special tokens": row["scores"].count(0.0),
     "forwards": row["forwards"], "seconds": row["seconds"]}
    for row in scores
).groupby("change", sort=False)  # fmt: skip
sums = went[["none stopped", "special tokens", "forwards", "seconds"]].sum().astype({"none stopped": int})
shown = went[["sharpness", "steps"]].mean().join(sums)
table(shown, f"Runs by setting, {where}", digits={"steps": "{:.1f}", "seconds": "{:.0f}"})

# %% [markdown]
# Departures that change only how rows are read have the runs of the paper's reading and are not listed. Forwards of 0:
# read off another setting's recording. `special tokens` counts tokens that were never replaced; where it is 0 for the
# paper's reading, replacing special tokens changes nothing by construction, and that departure is not switched.
