# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Audit: picking without any model
#
# How far do random rankings get when the metric that is reported chooses the best of them? [](audit_picking) asks this
# of a small model. This page asks it where the answer is exact: the authors of normalised AOPC released what six
# classifiers, BERT and RoBERTa on three data sets, say to *every* subset of masked words of short sentences, and the
# scores that nine methods give to the words. No network is run, and nothing depends on our models.
#
# The page reads `results/original/rpi_golden`; without it, it makes the table of `$ATTRIBOOK_DATA/golden/naopc`, which
# takes less than a minute.
#
# ```{admonition} What this page is not
# :class: important
# RPI itself is not among the released methods; its maps are in [](audit_picking). A pool here is a method's scores and
# copies of them with noise as large as their standard deviation. **Sentences** have at most ten words. A sentence
# counts where a classifier is right; its values are averaged over these classifiers first, and intervals are over
# sentences.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the page is the same in all but smoke
with_golden: bool = True  # read the released table

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.metrics.names import sign
from attribook.papers.rpi.golden_picking import GOLDEN, TIDY, TRIES, UNIT
from attribook.show.figures import curves
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import oriented
from attribook.statistics.summaries import by_direction, estimate_texts

frame = GOLDEN.frame() if with_golden else pd.DataFrame(columns=TIDY)
best, here = f"best of {TRIES}", "released classifiers"

# %% tags=["answer", "remove-input"]
random = (frame["method"] == "random") & (frame["pick"] == best)
single = (frame["method"] != "random") & (frame["pick"] == "one map")
ahead = estimate(oriented(frame[random | single]), "difference", ["metric", "method"], of={"method": "random"})
lines = []
for metric, rows in ahead.assign(words=estimate_texts(ahead)).groupby("metric", sort=False):
    better, worse, undecided = map(len, by_direction(rows, "method").values())
    near = rows.loc[rows["value"].idxmin()]
    lines.append(
        f"- **{UNIT[metric]}**: the best of {TRIES} random rankings is better than one map of {better} of {len(rows)} "
        f"methods, worse than {worse}, and undecided for {undecided}. It is ahead of {near['method']}, the method that "
        f"comes closest, by {near['words']}, n = {near['n']} sentences."
    )
found = frame.groupby("item")[["words", "classifiers"]].first()
lines.append(
    f"\nThese are {len(found)} sentences of {found['words'].min():.0f} to {found['words'].max():.0f} words, in "
    f"{found['classifiers'].sum():.0f} pairs with a classifier. Each comparison is decided by its own 95% interval."
)
Markdown("\n".join(lines) if with_golden else "This profile does not read the released table.")

# %% [markdown]
# ## Every method: one map, and the best of many
#
# Comprehensiveness and sufficiency are normalised by the exact best and worst order of the sentence: for
# comprehensiveness 1 is the best order of all, for sufficiency 0. The column `chosen by the other` is what the map is
# worth that the other normalised metric likes best. `ahead of random` compares the best of a method's pool with the
# best of as many random rankings; above 0 the method is better. The classifiers are the released ones, not RPI's.

# %%
means = estimate(frame[frame["R"].isin([1, TRIES])], "mean", ["metric", "method", "pick"])
wide = means.pivot(index=["metric", "method"], columns="pick", values="value")
wide = wide.reindex(columns=["one map", best, f"{best} by the other"])
chosen = oriented(frame[frame["pick"] == best])
ahead = estimate(chosen, "difference", ["metric", "method"], against={"method": "random"})
heads = {"value": "ahead of random", "low": "ahead of random low", "high": "ahead of random high"}
pools = wide.join(ahead.rename(columns=heads).set_index(["metric", "method"])).reset_index()
for metric, rows in pools.groupby("metric", sort=False):
    rows = rows.sort_values("one map", ascending=sign(metric) < 0)
    display(table(rows, f"{UNIT[metric]}, exact, {here}", digits=3, drop=["metric", "failed", "p"],
                  names={f"{best} by the other": "chosen by the other", "n": "n (sentences)"}))  # fmt: skip

# %% [markdown]
# ## How many random rankings are worth a method?
#
# The expected best of R random rankings, by R. Horizontal lines are single maps of the three best methods. Bands are
# 95% intervals over sentences.

# %%
by_R = frame[(frame["method"] == "random") & ~frame["pick"].str.endswith("other")]
by_R = estimate(by_R, "mean", ["metric", "R"]).assign(name="best of R random rankings")
one = means[(means["pick"] == "one map") & (means["method"] != "random")]
for metric, rows in one.groupby("metric", sort=False):
    top = rows.sort_values("value", ascending=sign(metric) < 0).head(3)
    mine = by_R[by_R["metric"] == metric]
    levels = top.assign(name="one map of " + top["method"]).merge(mine[["R"]], how="cross")
    drawn = pd.concat([mine, levels]).rename(columns={"R": "steps"})
    label = f"best of R, {UNIT[metric]}"
    display(curves(drawn, UNIT[metric], f"{label}, {here}", zero=False, across="random rankings to pick from, R"))
