# ---
# jupyter:
#   attribook:
#     finding: "Choosing the best of"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Audit: is it the path, or choosing the best map?
#
# RPI draws R maps for a sentence and keeps, for each metric, the map that this very metric likes best. Its competitors
# have one map each. So two things differ at once: how maps are made, and how many there are to choose from. This page
# gives every method the same number of maps to choose from, random rankings among them.
#
# A pool is R candidate maps. RPI's are its own; `random rankings` are drawn; any other method gives its map and copies
# of it with noise as large as its scores' standard deviation. The best of R is the mean over all choices of R of the
# stored maps, so it does not depend on which maps were drawn first.
#
# The page reads `results/<profile>/rpi_pools`; from stored rows it takes seconds, and its last table says what the rows
# cost. Left out: the paper's models and data sets, and the exact limits over all orders, which [](audit_golden) has.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT. **RPI as released** has its third layer from
# last, factor a, t = T and the raw logit, with 11 points on the path instead of 31; **as written** it has the last
# layer and 30 points. **Metrics**: at least one token is deleted, also where k% of a short text rounds to zero, and
# sums over five shares of tokens are divided by 5.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 150  # texts for random rankings, RPI as released and integrated gradients
written_items: int = 150  # texts for RPI as written
other_items: int = 60  # texts for the other pools
size: int = 24  # R, the number of maps to choose from
drawn: int = 32  # maps stored for random rankings and RPI
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on a path of RPI as released
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.metrics.names import sign
from attribook.papers.rpi.settings import ARROW, ERASURE, UNIT, released_setting
from attribook.show.figures import curves
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import best_of, mean_map, one_map, oriented, share_of_gain
from attribook.statistics.summaries import directions, estimate_texts

RPI, WRITTEN, RANDOM, IG = "RPI as released", "RPI as written", "random rankings", "integrated gradients"
many, few, path = (drawn, n_items), (size, other_items), {"layers": layer, "steps": steps}
wanted = {
    RANDOM: ("random", *many), RPI: (released_setting(**path), *many), WRITTEN: ("rpi", drawn, written_items),
    IG: ("integrated_gradients", size, n_items), "occlusion": ("occlusion", *few), "SHAP": ("gradient_shap", *few),
    "rollout": ("attention_rollout", *few), "ALTI": ("alti", *few), "DecompX": ("decompx", *few),
    "RPI-G": (released_setting("rpi_g", **path), *few), "RPI-IG": ("rpi_ig{steps=10}", *few),
}  # fmt: skip
where = ("rpi_pools", profile, model, dataset, "rpi-paper")
given = {"metrics": tuple(ERASURE), "keep": "all", "seed": seed}
studies = {name: PoolStudy(*where, (method,), n_items=n, size=maps, **given)
           for name, (method, maps, n) in wanted.items()}  # fmt: skip
pools = pd.concat([study.frame().assign(method=name) for name, study in studies.items()])
three = pools[pools["method"].isin([RPI, WRITTEN, RANDOM])]
sizes = [R for R in (1, 2, 4, 8, 16, 24) if R in range(size + 1)]
best, here = f"best of {size}", f"{model} (small, not the paper's), {dataset}"
signed, n_texts = "{:+.3f}", {"n": "n (texts)"}

# %% tags=["answer", "remove-input"]
one, chosen = one_map(three), best_of(three, size)
shared = [frame[frame["method"] == RANDOM].drop(columns="method") for frame in (chosen, one)]
shares = share_of_gain(shared[0], chosen, shared[1], ["method", "metric"])
ahead = estimate(oriented(pd.concat([one, chosen])), "difference", ["method", "pick", "metric"],
                 against={"method": RANDOM})  # fmt: skip


def named(rows, style=signed):
    return (rows["metric"].map(ERASURE) + " " + estimate_texts(rows, style)).tolist()


lines = []
for name in (RPI, WRITTEN):
    share, lead = shares[shares["method"] == name], ahead[ahead["method"] == name]
    picks = {pick: directions(rows, named(rows)) for pick, rows in lead.groupby("pick")}
    lines.append(
        f"**{name}.** Choosing the best of {size} *random* rankings gives this share of the improvement over one "
        f"random ranking that choosing the best of RPI's {size} maps gives: {', '.join(named(share, '{:.0%}'))}. The "
        f"best of {size} maps is, beside the best of {size} random rankings, {picks[best]}. One map is, beside one "
        f"random ranking, {picks['one map']}. n = {lead['n'].min()} texts."
    )
Markdown("\n\n".join([*lines, f"{studies[RPI].n_kept()} The other pools have {other_items} of them."]))

# %% [markdown]
# ## RPI beside random rankings
#
# `one map` is RPI without choosing; `mean of maps` explains by the average of its R maps. With the factor a - b and the
# noise as the paper writes them, a map of RPI points against the gradient wherever noise outweighs attention (see
# [](../../methods/rpi)): it is then worse than chance until one chooses.

# %%
values = pd.concat([one_map(three), mean_map(three, size), best_of(three, size)])
means = estimate(values, "mean", ["metric", "method", "pick"])
wide = means.pivot(index=["metric", "method", "n"], columns="pick", values="value")
shown = wide.loc[list(ERASURE), ["one map", f"mean of {size} maps", best]].rename(index=ARROW)
table(shown, f"One map, the mean, and the best of R = {size} maps, {here}", digits=3, names=n_texts)

# %% [markdown]
# `ahead` says how much better the best of R maps of RPI is than the best of R random rankings, above 0 better, and the
# last difference is the smallest that these texts would show at the 5% level with 80% power. `share by chance` is the
# share of the improvement, from one random ranking to RPI's best map, that choosing among random rankings gives as
# well.

# %%
picked, one_random = best_of(three, size), one_map(three[three["method"] == RANDOM]).drop(columns="method")
ahead = estimate(oriented(picked), "difference", ["method", "metric"], against={"method": RANDOM})
by_chance = picked[picked["method"] == RANDOM].drop(columns="method")
share = share_of_gain(by_chance, picked, one_random, ["method", "metric"]).drop(columns=["n", "detectable"])
parts = [
    part.rename(columns={"value": name, "low": f"{name} low", "high": f"{name} high"}).drop(columns=["failed", "p"])
    for name, part in (("ahead", ahead), ("share by chance", share))
]
both = parts[0].merge(parts[1], on=["method", "metric"]).replace({"metric": ARROW})
table(both, f"The best of {size} maps of RPI beside the best of {size} random rankings, {here}",
      digits={"ahead": signed, "detectable": "{:.3f}", "share by chance": "{:.0%}"}, names=n_texts)  # fmt: skip

# %% [markdown]
# ## Every method with the same number of maps to choose from
#
# The first three columns of numbers are means over the texts that all pools have. `ahead` compares the best of R maps
# of each pool with the best of R random rankings, over the n texts of both. The model is small and not the paper's.

# %%
values = pd.concat([one_map(pools), mean_map(pools, size), best_of(pools, size)])
everywhere = values.groupby("item")["method"].transform("nunique") == len(wanted)
means = estimate(values[everywhere], "mean", ["metric", "method", "pick"])
wide = means.pivot(index=["metric", "method"], columns="pick", values="value")
chosen = oriented(values[values["pick"] == best])
ahead = estimate(chosen, "difference", ["metric", "method"], against={"method": RANDOM}).drop(columns=["failed", "p"])
ahead = ahead.rename(columns={"value": "ahead", "low": "ahead low", "high": "ahead high"})
ranked = wide[["one map", f"mean of {size} maps", best]].join(ahead.set_index(["metric", "method"])).reset_index()

# %%
for metric in ERASURE:
    rows = ranked[ranked["metric"] == metric].sort_values(best, ascending=sign(metric) < 0)
    caption = f"{UNIT[metric]}, R = {size}, {here}, means over {means['n'].min()} texts"
    formats = dict.fromkeys([*rows, "detectable"], signed) | {"detectable": "{:.3f}", "n": "{:.0f}"}
    display(table(rows, caption, digits=formats, names=n_texts, drop=["metric"]))

# %% [markdown]
# RPI as released beside integrated gradients and noisy copies of them: the best of R beside the best of R, one map
# beside one map, and the mean of R maps of RPI beside the one map of integrated gradients. Above 0 RPI is better.

# %%
pair = values[values["method"].isin([RPI, IG])]
mean, single = f"mean of {size} maps", pair[(pair["method"] == IG) & (pair["pick"] == "one map")]
pair = pd.concat([pair[(pair["method"] == RPI) | (pair["pick"] != mean)], single.assign(pick=mean)])
beside = estimate(oriented(pair), "difference", ["pick", "method", "metric"], against={"method": IG})
table(beside.replace({"metric": ARROW}), f"RPI as released beside integrated gradients, {here}", digits=3,
      names={"value": "ahead", "pick": "RPI's", **n_texts}, drop=["method", "failed", "p"])  # fmt: skip

# %% [markdown]
# ## More maps, better numbers
#
# The expected best of R, over the texts that all four pools have. A method that knows nothing climbs as well.

# %%
four = pools[pools["method"].isin([RANDOM, RPI, WRITTEN, IG])]
four = four[four.groupby("item")["method"].transform("nunique") == 4]
climbing = pd.concat([best_of(four, R).assign(steps=R) for R in sizes])
climbing = estimate(climbing, "mean", ["metric", "method", "steps"]).rename(columns={"method": "name"})
for metric in ("comprehensiveness", "log_odds"):
    rows, label = climbing[climbing["metric"] == metric], f"best of R, {UNIT[metric]}"
    display(curves(rows, label, f"{label}, {here}", zero=False, across="maps to choose from, R"))

# %% [markdown]
# ## Chosen by one metric, judged by another
#
# If a chosen map were a better explanation, other metrics would like it too. A cell is the share of the gain by
# choosing that is left when the metric on the left chooses and the one above judges. Sufficiency and comprehensiveness
# delete tokens and log-odds mask them, so the row LO chooses with one operator and is judged with the other.

# %%
crossed = pd.concat([best_of(three, size, by=name).assign(chooser=name) for name in ERASURE])
gains = share_of_gain(crossed, best_of(three, size), one_map(three), ["method", "chooser", "metric"])
for name in (RPI, RANDOM):
    rows = gains[gains["method"] == name]
    cells = rows.assign(share=estimate_texts(rows, "{:.0%}")).pivot(index="chooser", columns="metric", values="share")
    cells = cells.loc[list(ERASURE), list(ERASURE)].rename(index=ERASURE, columns=ARROW)
    display(table(cells.rename_axis("chosen by"), f"Share of the gain by choosing the best of {size} that is left, "
                  f"{name}, {here}, n = {rows['n'].min()} texts"))  # fmt: skip

# %% [markdown]
# The same averaged over all other metrics that choose. Suff and A-S, and Comp and A-C, contain each other, so neither
# counts as another metric. What random rankings keep is what the metrics have in common.

# %%
related = crossed["chooser"].str.removeprefix("aopc_") == crossed["metric"].str.removeprefix("aopc_")
kept = share_of_gain(crossed[~related], best_of(three, size), one_map(three), ["metric", "method"])
cells = kept.assign(share=estimate_texts(kept, "{:.0%}")).pivot(index="metric", columns="method", values="share")
table(cells.loc[list(ERASURE)].rename(index=ARROW), f"Share of the gain by choosing the best of {size} that is "
      f"left when other metrics choose, {here}, n = {kept['n'].min()} texts")  # fmt: skip

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat([study.costs().assign(pool=name) for name, study in studies.items()])
table(costs, f"Mean seconds for each text, to make a pool and to judge it, {here}", names=n_texts)
