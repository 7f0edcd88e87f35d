# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 2, TellMeWhy and WikiBio: Soft-NC and Soft-NS
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
# the same, the TellMeWhy column does not tell (see [](../shared/protocols)). **Attention**: by the released code this
# row is on these two tasks what is `attention_last` here, and *Attention Last* its softmax; on LongRA it is the mean
# over layers. So what can be compared is the *side*: better or worse than random.
# ```

# %% tags=["parameters"]
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

# %% tags=["remove-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.study import Study
from attribook.ledger.verdicts import EXPLANATION, verdict_counts
from attribook.papers.reagent.faithfulness import faithfulness_table
from attribook.papers.reagent.show_faithfulness import faithfulness_figure, faithfulness_listing
from attribook.papers.reagent.tasks import task_rows
from attribook.show.tables import table
from attribook.statistics.bootstrap import against_leader

METRICS, TASKS = ("soft_nc", "soft_ns"), {"TellMeWhy": tellmewhy, "WikiBio": wikibio}
plain = ("random", "occlusion", "input_x_gradient", "integrated_gradients", "attention_last", "attention_mean",
         "attention_rollout", "attention_last{scaling=softmax}")  # fmt: skip
methods = (*plain, "gradient_shap", "reagent", "lime")
slow = ("gradient_shap", "reagent", "lime", *(f"reagent:{control}" for control in ("permuted", "reversed", "flat")))
rows, told, studies = {}, [], {}
for task, dataset in TASKS.items():
    study = Study(f"reagent_{task.lower()}", profile, model, dataset, "attribook", plain, METRICS, n_items=n_items,
                  seed=seed, keep="all", continuation=continuation, start=start, stride=stride)  # fmt: skip
    studies[task] = study
    rows[task] = task_rows(study, dict.fromkeys(slow, n_items) | {"lime": lime_items})
    told.append(f"- **{task}**: {study.n_kept()}")
tables = {
    (task, metric): faithfulness_table(rows[task], metric, paper="reagent", table=2, column=task)
    for task in TASKS for metric in METRICS
}  # fmt: skip
draws = int(rows["WikiBio"]["draw"].max()) + 1
Markdown("\n".join([*told, "", f"{draws} mask draws a prompt and metric; random: {study.random_seeds} seeds."]))

# %% [markdown]
# ## Soft-NC
#
# True Hellinger distance, raw attention, signed gradients clipped at 0. Higher is better; 0 is random. Published values
# (diamonds) stand there for orientation: they come from other models. Controls are made of ReAGent's scores: in random
# order, turned round, and all the same.

# %% tags=["remove-input"]
for task in TASKS:
    display(Markdown(f"**{task}**"), faithfulness_figure(tables[task, "soft_nc"], "soft_nc", "attribook"))

# %% tags=["remove-input"]
for task, dataset in TASKS.items():
    display(faithfulness_listing(tables[task, "soft_nc"], "soft_nc", f"protocol attribook, {model}, {dataset}"))

# %% [markdown]
# `difference` is ours minus published. `detectable` is the smallest true log-ratio that these prompts would show at
# the 5% level with 80% power. `failed` counts prompts whose method or metric gave no value.
#
# ## Soft-NS

# %% tags=["remove-input"]
for task in TASKS:
    display(Markdown(f"**{task}**"), faithfulness_figure(tables[task, "soft_ns"], "soft_ns", "attribook"))

# %% tags=["remove-input"]
for task, dataset in TASKS.items():
    display(faithfulness_listing(tables[task, "soft_ns"], "soft_ns", f"protocol attribook, {model}, {dataset}"))

# %% [markdown]
# ## A second model
#
# The same prompts, each with what *this* model writes after it, so that tokens explained are others. No LIME; gradient
# SHAP and ReAGent have fewer prompts. How alike the two models order the methods is on [](table_3).

# %% tags=["remove-input"]
for task, dataset in TASKS.items() if second else ():
    other = replace(studies[task], model=second, n_items=second_items)
    theirs = task_rows(other, dict.fromkeys(("gradient_shap", "reagent"), second_slow_items))
    display(Markdown(f"**{task}**: {other.n_kept()}"))
    for metric in METRICS:
        found = faithfulness_table(theirs, metric, paper="reagent", table=2, column=task)
        display(faithfulness_listing(found, metric, f"protocol attribook, {second}, {dataset}"))

# %% [markdown]
# ## Who leads, and by how much
#
# The best method against each of the others, over the prompts that both have; `p` is adjusted for all comparisons of
# a table (Holm).

# %% tags=["remove-input"]
signed = dict.fromkeys(("difference", "low", "high"), "{:+.2f}") | {"p (Holm)": "{:.4f}"}
for task, dataset in TASKS.items():
    compared = against_leader(rows[task], "soft_nc", methods)
    display(table(compared, caption=f"Soft-NC, leader against others, {model}, {dataset}", formats=signed))

# %% [markdown]
# ## What became of the published cells
#
# Only the side of random is judged.

# %% tags=["remove-input"]
judged = {key: found.query("published.notna()")["verdict"] for key, found in tables.items()}
lines = [f"- **{task}, {metric}**, {len(found)} published cells: {verdict_counts(found)}."
         for (task, metric), found in judged.items()]  # fmt: skip
meanings = [f"*{verdict}*: {meaning}." for verdict, meaning in EXPLANATION.items()]
Markdown("\n".join([*lines, "", *meanings]))

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
both = pd.concat(rows.values())
table(
    both.groupby(["study", "metric"])[["forwards", "seconds"]].sum().reset_index(),
    caption="Forwards and seconds of the metrics, all methods, protocol attribook",
    formats={"seconds": "{:.0f}"},
)
