# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 2, LongRA: Soft-NC and Soft-NS
#
# Claim: on LongRA, as on every task, ReAGent is the most faithful method, measured as the log-ratio of Soft-NC and
# Soft-NS to a random attribution (ReAGent, Table 2, columns LongRA). This page measures its methods on two small models
# and our own LongRA-style prompts. Reads `results/<profile>/reagent_longra`. Cost: the table at the end; from stored
# rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: the paper averages six models of 350M to 6.7B parameters; this page has one of 135M with 4-bit weights
# brought back to float32, and one of 270M beside it. **Data**: our own LongRA-style prompts, not the paper's. **n**:
# stated at each table. **ReAGent** replaces by the explained model's own predictions, for 100 steps at most: the
# paper's RoBERTa is behind the hub, and the released code allows 5,000 steps. **LIME** has our options: nothing of the
# paper's LIME was released. Both have fewer prompts than the others and one seed. **Left out**: ReAGent under the
# paper's own settings, for which see [](audit_departures). So a *value* cannot be reproduced here; what can be
# compared is the *side*: better or worse than random.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "longra-mini"  # longra-mini, or longra from $ATTRIBOOK_DATA
n_items: int = 40  # 0 takes all kept prompts
slow_items: int = 24  # as many of them for ReAGent and LIME
second: str = ""  # another model, such as gemma-3-270m; empty for none
second_items: int = 24  # prompts of it; 0 takes all kept prompts
second_slow_items: int = 12  # as many of them for gradient SHAP and ReAGent
keep: str = "correct_both"  # correct_both, correct, or all
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
from attribook.statistics.bootstrap import against_leader, as_released

methods = ("random", "occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap",
           "attention_last", "attention_mean", "attention_rollout")  # fmt: skip
studies = {
    protocol: Study("reagent_longra", profile, model, dataset, protocol, methods, ("soft_nc", "soft_ns"),
                    n_items=n_items, keep=keep, seed=seed)
    for protocol in ("attribook", "reagent-paper")
}  # fmt: skip
slow = replace(studies["attribook"], methods=("reagent", "lime"), n_items=slow_items, random_seeds=1)
controls = tuple(f"reagent:{control}" for control in ("permuted", "reversed", "flat", "one_hot_random"))
rows = {protocol: study.rows() for protocol, study in studies.items()}
rows["attribook"] = pd.concat([rows["attribook"], slow.rows(), replace(slow, methods=controls).rows()])
rows["reagent-code"] = as_released(rows["reagent-paper"])  # exact, from the same forwards
tables = {
    (protocol, metric): faithfulness_table(frame, metric, paper="reagent", table=2, column="LongRA")
    for protocol, frame in rows.items()
    for metric in ("soft_nc", "soft_ns")
}
kept, draws = studies["attribook"].n_kept(), int(rows["attribook"]["draw"].max()) + 1
Markdown(f"{kept} {draws} mask draws a prompt and metric; random: {studies['attribook'].random_seeds} seeds.")

# %% [markdown]
# ## Our protocol: Soft-NC
#
# True Hellinger distance, raw attention, signed gradients clipped at 0. Higher is better; 0 is random. Published values
# (diamonds) stand there for orientation: they come from other models and another distance. Controls are made of
# ReAGent's scores: in random order, turned round, all the same, and all on one random token.

# %% tags=["remove-input"]
faithfulness_figure(tables["attribook", "soft_nc"], "soft_nc", "attribook")

# %% tags=["remove-input"]
faithfulness_listing(tables["attribook", "soft_nc"], "soft_nc", f"protocol attribook, {model}, {dataset}")

# %% [markdown]
# `difference` is ours minus published. `detectable` is the smallest true log-ratio that these prompts would show at
# the 5% level with 80% power. `failed` counts prompts whose method or metric gave no value.
#
# The best method against each of the others, over the prompts that both have; `p` is adjusted for all comparisons of
# the table (Holm).

# %% tags=["remove-input"]
compared = against_leader(rows["attribook"], "soft_nc", [*methods, *slow.methods])
signed = dict.fromkeys(("difference", "low", "high"), "{:+.2f}")
table(compared, caption=f"Soft-NC, leader against others, {model}, {dataset}", formats=signed | {"p (Holm)": "{:.4f}"})

# %% [markdown]
# ## Our protocol: Soft-NS

# %% tags=["remove-input"]
faithfulness_figure(tables["attribook", "soft_ns"], "soft_ns", "attribook")

# %% tags=["remove-input"]
faithfulness_listing(tables["attribook", "soft_ns"], "soft_ns", f"protocol attribook, {model}, {dataset}")

# %% [markdown]
# ## A second model
#
# The same prompts and protocol on a model of another family, over the prompts that *it* answers, without LIME. Gradient
# SHAP and ReAGent have fewer of them and one seed. At the end of each table: how alike the two models order the
# methods, by Spearman's rank correlation.

# %% tags=["remove-input"]
if second:
    plain = tuple(name for name in methods if name != "gradient_shap")
    other = replace(studies["attribook"], model=second, methods=plain, n_items=second_items)
    theirs = task_rows(other, dict.fromkeys(("gradient_shap", "reagent"), second_slow_items))
    display(Markdown(other.n_kept()))
    for metric in ("soft_nc", "soft_ns"):
        found = faithfulness_table(theirs, metric, paper="reagent", table=2, column="LongRA")
        display(faithfulness_listing(found, metric, f"protocol attribook, {second}, {dataset}"))
        both = found.merge(tables["attribook", metric], on="method")[["ours_x", "ours_y"]]
        alike = f"{both.rank().corr().iloc[0, 1]:+.2f} over {len(both)} methods"
        display(Markdown(f"Rank correlation of {second} and {model}, {metric}: {alike}."))

# %% [markdown]
# ## The paper's protocol, as written and as released
#
# The released code softmaxes attention, which makes it nearly flat, takes L2 norms of gradients, and squares the
# distance (see [](../shared/protocols)). The two tables below come from the same forwards: with the squared distance,
# each draw's Soft-NC is the square of the other's.

# %% tags=["remove-input"]
faithfulness_listing(tables["reagent-paper", "soft_nc"], "soft_nc", f"protocol reagent-paper, {model}, {dataset}")

# %% tags=["remove-input"]
faithfulness_listing(tables["reagent-code", "soft_nc"], "soft_nc", f"protocol reagent-code, {model}, {dataset}")

# %% tags=["remove-input"]
faithfulness_listing(tables["reagent-paper", "soft_ns"], "soft_ns", f"protocol reagent-paper, {model}, {dataset}")

# %% tags=["remove-input"]
faithfulness_listing(tables["reagent-code", "soft_ns"], "soft_ns", f"protocol reagent-code, {model}, {dataset}")

# %% [markdown]
# ## What became of the published cells
#
# Only the side of random is judged here: under the released code's protocol, whose distance the published LongRA column
# used; ReAGent and LIME, which have no rows under it, under ours. Whether ReAGent is the best is judged in the
# [ledger](../../claims/ledger).

# %% tags=["remove-input"]
lines = []
for metric in ("soft_nc", "soft_ns"):
    ours = tables["attribook", metric]
    both = pd.concat([tables["reagent-code", metric], ours[ours["method"].isin(slow.methods)]])
    found = both.loc[both["published"].notna(), "verdict"]
    lines += [f"- **{metric}**, {len(found)} published cells: {verdict_counts(found)}."]
meanings = [f"*{verdict}*: {meaning}." for verdict, meaning in EXPLANATION.items()]
Markdown("\n".join([*lines, "", *meanings]))

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
cost = rows["attribook"].groupby("metric")[["forwards", "seconds"]].sum().reset_index()
caption = "Forwards and seconds of the metrics, all methods, protocol attribook"
table(cost, caption=caption, formats={"seconds": "{:.0f}"})
