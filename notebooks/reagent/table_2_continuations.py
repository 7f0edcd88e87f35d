# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Table 2, TellMeWhy and WikiBio: Soft-NC and Soft-NS
#
# Claim: ReAGent is the most faithful of eight methods on what a model writes after a story's why-question (TellMeWhy)
# and after the opening of a biography (WikiBio), by the log-ratio of Soft-NC and Soft-NS to a random attribution
# (ReAGent, Table 2). A tuned model writes a few greedy tokens after each prompt; what is explained is one of them, with
# respect to all that stands before it, the model's own words included. Reads `results/<profile>/reagent_tellmewhy` and
# `reagent_wikibio`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: the paper averages six models of 350M to 6.7B parameters; this page has one of 135M with 4-bit weights
# brought back to float32, and one of 270M at the end. **Data**: our own stories and openings. **Tokens**: the paper
# explains ten tokens a prompt; here one token is explained, some tokens into the continuation, because the first are
# mostly line breaks. **ReAGent** replaces by the explained model's own predictions (the paper's RoBERTa is behind the
# hub) and has one seed; LIME has fewer prompts than the others. **Distance**: ours; the published WikiBio column has
# the same, the TellMeWhy column does not say (see [](../shared/protocols)). **Attention**: by the released code this
# row is on these two tasks what is `attention_last` here, and *Attention Last* its softmax; on LongRA it is the mean
# over layers. So what can be compared is the *direction*: better or worse than random.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
tellmewhy: str = "tellmewhy-mini"  # or tellmewhy from $ATTRIBOOK_DATA
wikibio: str = "wikibio-mini"  # or wikibio from $ATTRIBOOK_DATA
n_items: int = 24  # of each set; 0 takes all
lime_items: int = 12  # as many of them for LIME, which is slow
continuation: int = 10  # greedy tokens after each prompt
start: int = 5  # as many of them are passed over
stride: int = 5  # of the rest, one in so many is explained
second: str = ""  # another model, such as gemma-3-270m; empty for none
second_items: int = 24  # prompts of each set, for it
second_slow_items: int = 12  # as many of them for gradient SHAP and ReAGent
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.study import Study
from attribook.papers.cells import published
from attribook.papers.reagent.settings import METRICS
from attribook.papers.reagent.tasks import PLAIN, with_slow
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.published_direction import published_direction
from attribook.statistics.tests import ABOVE, BELOW, decisions

methods = (*PLAIN, "attention_last{scaling=softmax}")
slow = ("gradient_shap", "reagent", "lime", *(f"reagent:{control}" for control in ("permuted", "reversed", "flat")))
datasets, studies, theirs = {"TellMeWhy": tellmewhy, "WikiBio": wikibio}, [], []
asked = {
    "n_items": n_items,
    "seed": seed,
    "keep": "all",
    "continuation": continuation,
    "start": start,
    "stride": stride,
}
for task, dataset in datasets.items():
    given = (f"reagent_{task.lower()}", profile, model, dataset, "attribook", methods, tuple(METRICS))
    study = Study(*given, **asked)
    studies += with_slow(study, dict.fromkeys(slow, n_items) | {"lime": lime_items})
    other = replace(study, model=second, n_items=second_items)
    theirs += with_slow(other, dict.fromkeys(("gradient_shap", "reagent"), second_slow_items)) if second else []
rows = pd.concat([study.frame() for study in studies + theirs], ignore_index=True)
rows["method"] = (rows["method"] + ":" + rows["variant"]).str.rstrip(":")
rows["task"] = rows["dataset"].map({dataset: task for task, dataset in datasets.items()})
rows, by = rows.drop(columns="variant"), ["task", "model", "method", "metric"]

# %% tags=["answer", "remove-input"]
ours = estimate(rows, "log_ratio", by, against={"method": "random"})
plain = rows[(rows["method"] != "random") & ~rows["method"].str.contains(":")]
lead = estimate(plain, "log_ratio", by, of={"method": "reagent"}, family=["task", "model", "metric"])
lead["decision"], lines = decisions(lead), []
for found in ours[ours["method"] == "reagent"].to_dict("records"):
    others = lead[lead[["task", "model", "metric"]].eq(pd.Series(found)[["task", "model", "metric"]]).all(axis=1)]
    ahead, behind = (others.loc[others["decision"] == side, "method"].tolist() for side in (ABOVE, BELOW))
    lines.append(
        f"- **{found['task']}, {METRICS[found['metric']]}, {found['model']}**: ReAGent's log-ratio to random is "
        f"{in_words(found)}. ReAGent is shown to be ahead of {len(ahead)} of {len(others)} other methods and behind "
        f"{len(behind)}{' (' * bool(behind)}{', '.join(behind)}{')' * bool(behind)}."
    )
kept = [f"{each.dataset}: {each.n_kept()}" for each in studies if each.methods == methods]
draws = f"{rows['draw'].max() + 1} mask draws a prompt and metric; {studies[0].random_seeds} seeds of random scores."
head = "In nats; comparisons are adjusted by max-T, and a task, model and metric are a family:"
Markdown("\n".join([head, "", *lines, "", *kept, draws]))

# %% [markdown]
# ## How the tables are made
#
# True Hellinger distance, raw attention, signed gradients clipped at 0. Higher is better; 0 is random. Each value is
# the log of the ratio of means over prompts, method to random. Published values stand beside ours for orientation: they
# come from other models. Names with a colon are controls made of ReAGent's scores: in random order, turned round, and
# all the same. The smallest detectable difference is the true log-ratio that these prompts would show at the 5% level
# with 80% power. `direction`: whether ours is shown to lie on the published side of random, on the other side, or
# neither. `difference` is ours minus published.

# %%
printed = published("reagent").query("table == 2")[["column", "method", "metric", "value"]]
printed = printed.rename(columns={"column": "task", "value": "published"})
ours = estimate(rows, "log_ratio", by, against={"method": "random"}).sort_values("value", ascending=False)
ours = ours.merge(printed, on=["task", "method", "metric"], how="left")
ours.insert(4, "published", ours.pop("published"))
ours["difference"], ours["direction"] = ours["value"] - ours["published"], published_direction(ours)
drop = ["task", "model", "metric", "failed", "p"]

# %% [markdown]
# ## Soft-NC

# %%
for task in datasets:
    shown = ours.query("task == @task and model == @model and metric == 'soft_nc'").rename(columns={"method": "name"})
    label = "log Soft-NC ratio to random (nats)"
    display(Markdown(f"**{task}**"), intervals(shown, label, f"{label}, protocol attribook, {model}, {datasets[task]}"))

# %%
for task in datasets:
    shown = ours.query("task == @task and model == @model and metric == 'soft_nc'")
    caption = f"Soft-NC, protocol attribook, {model} (small, not the paper's), {datasets[task]}"
    display(table(shown, caption, digits=3, drop=drop))

# %% [markdown]
# ## Soft-NS

# %%
for task in datasets:
    shown = ours.query("task == @task and model == @model and metric == 'soft_ns'").rename(columns={"method": "name"})
    label = "log Soft-NS ratio to random (nats)"
    display(Markdown(f"**{task}**"), intervals(shown, label, f"{label}, protocol attribook, {model}, {datasets[task]}"))

# %%
for task in datasets:
    shown = ours.query("task == @task and model == @model and metric == 'soft_ns'")
    caption = f"Soft-NS, protocol attribook, {model} (small, not the paper's), {datasets[task]}"
    display(table(shown, caption, digits=3, drop=drop))

# %% [markdown]
# ## A second model
#
# The same prompts, each with what *this* model writes after it, so that tokens explained are others. No LIME; gradient
# SHAP and ReAGent have fewer prompts. How alike the two models order the methods is on [](table_3). Where the profile
# names no second model, nothing follows.

# %%
for task in datasets if second else ():
    for metric, name in METRICS.items():
        shown = ours[(ours["task"] == task) & (ours["model"] == second) & (ours["metric"] == metric)]
        caption = f"{name}, protocol attribook, {second}, {datasets[task]}"
        display(table(shown, caption, digits=3, drop=drop))

# %% [markdown]
# ## Which method is the best, and by how much
#
# The best method against each of the others, over the prompts that both have; `p` is adjusted for all comparisons of
# a table, and for the best having been chosen by these rows: the family are all pairs (max-T).

# %%
for task in datasets:
    here = rows.query("task == @task and model == @model and metric == 'soft_nc' and not method.str.contains(':')")
    best = estimate(here, "log_ratio", against={"method": "random"}).sort_values("value")["method"].iloc[-1]
    compared = estimate(here, "log_ratio", of={"method": best}, family=(), chosen=True).sort_values("value")
    caption = f"Soft-NC, log-ratio of {best} to each other method, {model}, {datasets[task]}"
    display(table(compared, caption, drop=["metric", "failed", "p", "detectable"]))

# %% [markdown]
# ## What became of the published cells
#
# Only the direction from random is judged, on the first model. Whether ReAGent is the best is judged in the
# [ledger](../../claims/ledger).

# %%
judged = ours[(ours["model"] == model) & ours["published"].notna()]
counts = pd.crosstab([judged["task"], judged["metric"]], judged["direction"])
table(counts, f"Published cells by the direction of ours, {model}, {tellmewhy} and {wikibio}")

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat(study.rows() for study in studies).groupby(["study", "metric"])[["forwards", "seconds"]].sum()
table(costs, f"Forwards and seconds of the metrics, protocol attribook, {model}", digits={"seconds": "{:.0f}"})
