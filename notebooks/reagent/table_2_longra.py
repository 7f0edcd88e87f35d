# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Table 2, LongRA: Soft-NC and Soft-NS
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
# compared is the *direction*: better or worse than random.
# ```

# %% tags=["parameters", "hide-input"]
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
from attribook.statistics.squared_distance import as_released
from attribook.statistics.tests import ABOVE, BELOW, decisions

quick = Study("reagent_longra", profile, model, dataset, "attribook", (*PLAIN, "gradient_shap"), tuple(METRICS),
              n_items=n_items, keep=keep, seed=seed)  # fmt: skip
slow = ("reagent", "lime", *(f"reagent:{control}" for control in ("permuted", "reversed", "flat", "one_hot_random")))
other = replace(quick, model=second, methods=PLAIN, n_items=second_items)
first = [quick, replace(quick, methods=slow, n_items=slow_items, random_seeds=1)]
theirs = with_slow(other, dict.fromkeys(("gradient_shap", "reagent"), second_slow_items)) if second else []
as_written = replace(quick, protocol="reagent-paper").frame()
released = as_released(as_written).assign(protocol="reagent-code")  # exact, from the same forwards
rows = pd.concat([*(study.frame() for study in first + theirs), as_written, released], ignore_index=True)
rows["method"] = (rows["method"] + ":" + rows["variant"]).str.rstrip(":")
rows = rows.drop(columns="variant")
by = ["protocol", "model", "method", "metric"]

# %% tags=["answer", "remove-input"]
mine = rows[(rows["protocol"] == "attribook") & (rows["method"] != "random") & ~rows["method"].str.contains(":")]
ours = estimate(rows, "log_ratio", by, against={"method": "random"}).query("protocol == 'attribook'")
lead = estimate(mine, "log_ratio", by, of={"method": "reagent"}, family=["model", "metric"])
lead["decision"], lines = decisions(lead), []
for found in ours[ours["method"] == "reagent"].to_dict("records"):
    others = lead[(lead["model"] == found["model"]) & (lead["metric"] == found["metric"])]
    ahead, behind = (others.loc[others["decision"] == side, "method"].tolist() for side in (ABOVE, BELOW))
    lines.append(
        f"- **{METRICS[found['metric']]}, {found['model']}**: ReAGent's log-ratio to random is {in_words(found)}. "
        f"ReAGent is shown to be ahead of {len(ahead)} of {len(others)} other methods and behind {len(behind)}"
        f"{' (' * bool(behind)}{', '.join(behind)}{')' * bool(behind)}."
    )
facts = (
    f"{quick.n_kept()} {rows['draw'].max() + 1} mask draws a prompt and metric; {quick.random_seeds} seeds of random."
)
Markdown(
    "Under our protocol, in nats, comparisons adjusted by max-T (one model and metric are a family):\n\n"
    + "\n".join([*lines, "", facts])
)

# %% [markdown]
# ## Our protocol
#
# True Hellinger distance, raw attention, signed gradients clipped at 0. Higher is better; 0 is random. Each value is
# the log of the ratio of means over prompts, method to random. Published values stand beside ours for orientation: they
# come from other models and another distance. Names with a colon are controls made of ReAGent's scores: in random
# order, turned round, all the same, and all on one random token.

# %%
printed = published("reagent").query("table == 2 and column == 'LongRA'")[["method", "metric", "value"]]
ours = estimate(rows, "log_ratio", by, against={"method": "random"}).sort_values("value", ascending=False)
ours = ours.merge(printed.rename(columns={"value": "published"}), on=["method", "metric"], how="left")
ours.insert(4, "published", ours.pop("published"))
ours["difference"], ours["direction"] = ours["value"] - ours["published"], published_direction(ours)
drop = ["protocol", "model", "metric", "failed", "p"]

# %% [markdown]
# ### Soft-NC
#
# `difference` is ours minus published. The smallest detectable difference is the true log-ratio that these prompts
# would show at the 5% level with 80% power. `direction`: whether ours is shown to lie on the published side of random,
# on the other side, or neither.

# %%
shown = ours.query("protocol == 'attribook' and metric == 'soft_nc' and model == @model")
label = "log Soft-NC ratio to random (nats)"
intervals(shown.rename(columns={"method": "name"}), label, f"{label}, protocol attribook, {model}, {dataset}")

# %%
table(shown, f"Soft-NC, protocol attribook, {model} (small, not the paper's), {dataset}", digits=3, drop=drop)

# %% [markdown]
# The best method against each of the others, over the prompts that both have; `p` is adjusted for all comparisons of
# the table, and for `{best}` having been chosen by these rows: the family are all pairs (max-T).

# %%
here = rows.query("protocol == 'attribook' and metric == 'soft_nc' and model == @model")
here = here[~here["method"].str.contains(":")]
best = shown.loc[~shown["method"].str.contains(":"), "method"].iloc[0]
compared = estimate(here, "log_ratio", of={"method": best}, family=(), chosen=True).sort_values("value")
caption = f"Soft-NC, log-ratio of {best} to each other method, {model}, {dataset}"
table(compared, caption, drop=["metric", "failed", "p", "detectable"])

# %% [markdown]
# ### Soft-NS

# %%
shown = ours.query("protocol == 'attribook' and metric == 'soft_ns' and model == @model")
label = "log Soft-NS ratio to random (nats)"
intervals(shown.rename(columns={"method": "name"}), label, f"{label}, protocol attribook, {model}, {dataset}")

# %%
table(shown, f"Soft-NS, protocol attribook, {model} (small, not the paper's), {dataset}", digits=3, drop=drop)

# %% [markdown]
# ## A second model
#
# The same prompts and protocol on a model of another family, over the prompts that *it* answers, without LIME. Gradient
# SHAP and ReAGent have fewer of them and one seed. The last table has Spearman's rank correlation between the two
# models' orders of the methods. Where the profile names no second model, nothing follows.

# %%
for metric in METRICS if second else ():
    shown = ours.query("protocol == 'attribook' and metric == @metric and model == @second")
    display(table(shown, f"{METRICS[metric]}, protocol attribook, {second}, {dataset}", digits=3, drop=drop))

# %%
if second:
    wide = ours[ours["protocol"] == "attribook"].pivot(index=["metric", "method"], columns="model", values="value")
    alike = wide.dropna().groupby("metric").apply(lambda both: both[model].corr(both[second], method="spearman"))
    alike = pd.DataFrame({"rank correlation": alike, "methods": wide.dropna().groupby("metric").size()})
    display(Markdown(other.n_kept()), table(alike, f"Order of the methods on {model} and on {second}, {dataset}"))

# %% [markdown]
# ## The paper's protocol, as written and as released
#
# The released code softmaxes attention, which makes it nearly flat, takes L2 norms of gradients, and squares the
# distance (see [](../shared/protocols)). The tables of the two protocols come from the same forwards: with the squared
# distance, each draw's Soft-NC is the square of the other's.

# %%
for metric in METRICS:
    for protocol in ("reagent-paper", "reagent-code"):
        shown = ours.query("protocol == @protocol and metric == @metric")
        display(table(shown, f"{METRICS[metric]}, protocol {protocol}, {model}, {dataset}", digits=3, drop=drop))

# %% [markdown]
# ## What became of the published cells
#
# Only the direction from random is judged here: under the released code's protocol, whose distance the published
# LongRA column used; ReAGent and LIME, which have no rows under it, under ours. Whether ReAGent is the best is judged
# in the [ledger](../../claims/ledger).

# %%
measured = ours["method"].isin(["reagent", "lime"]).map({True: "attribook", False: "reagent-code"})
judged = ours[(ours["protocol"] == measured) & (ours["model"] == model) & ours["published"].notna()]
table(
    pd.crosstab(judged["metric"], judged["direction"]),
    f"Published LongRA cells by the direction of ours, {model}, {dataset}",
)

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat(study.rows() for study in first).groupby("metric")[["forwards", "seconds"]].sum()
table(costs, f"Forwards and seconds of the metrics, protocol attribook, {model}", digits={"seconds": "{:.0f}"})
