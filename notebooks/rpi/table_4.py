# ---
# jupyter:
#   attribook:
#     reads: [ledger]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Table 4: RPI on a prompted causal model
#
# Claim: on Llama2 and Mistral, asked for a label in a prompt, RPI is ahead of five methods in all cases (RPI, section
# 4.2 on Table 4; the [ledger](../../claims/ledger) says in how many cases the printed table has it so). One of the five
# is the model itself, told to rank the words that mattered. The printed value of RPI is that of the best of 24 maps,
# chosen by the metric that is reported. This page has single maps of the five, RPI's best of R, and beside it one map
# of RPI, the mean of its maps, and the best of R random rankings.
#
# It reads `results/<profile>/rpi_table4` and `rpi_pools`, which takes seconds; what the rows cost is at the end. Left
# out: the paper's three other data sets, which are on [](other_datasets).
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: SmolLM2-135M with six labelled examples in the prompt, fifty times smaller than the paper's models and
# right less often (see [](../shared/classifiers)); at the end Gemma 3 270M. **Data**: held-out Rotten Tomatoes
# snippets; published columns are RTN. **RPI** has the options of its released code, with 6 points on the path instead
# of 31 and **R = 8 instead of 24**, because every point costs three layers of about 175 tokens. **Competitors**: 3
# points for SIG, 8 samples for gradient SHAP, our options for DeepLIFT; the paper prints no prompt for the
# self-ranking, so its prompt is ours. **Metrics**: at least one token is deleted, also where k% of a short text rounds
# to zero, and sums over five shares of tokens are divided by 5; log-odds puts the unknown token in the place of a word,
# which to SmolLM2 ends a document and so is no empty word.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m+sentiment"  # a causal model and a template
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
task: str = "RTN"  # the paper's data set whose printed values stand beside ours
n_items: int = 60  # texts
slow_items: int = 60  # as many of them for SIG
second: str = ""  # another causal model and a template; empty for none
second_items: int = 24  # texts for it, without SIG
size: int = 8  # R, the number of maps to pick from
blind_size: int = 24  # random rankings stored for each text
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 6  # points on its path
slow_steps: int = 3  # points on a path of SIG
samples: int = 8  # of gradient SHAP
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.ledger.table_verdicts import verdict_counts
from attribook.metrics.names import sign
from attribook.papers.cells import published
from attribook.papers.rpi.comparisons import beside_best, better_than
from attribook.papers.rpi.live import prompted_studies
from attribook.papers.rpi.settings import DECODER_ROWS, ERASURE, UNIT
from attribook.show.figures import intervals
from attribook.show.source import source
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import best_of, mean_map, one_map, oriented, rankings_worth, share_of_gain
from attribook.statistics.summaries import directions, estimate_texts

given = {"size": size, "random_size": blind_size, "layer": layer, "steps": steps, "slow_steps": slow_steps,
         "samples": samples, "seed": seed}  # fmt: skip
studies = {model: prompted_studies(profile, model, dataset, n_items=n_items, slow_items=slow_items, **given)}
if second:
    studies[second] = prompted_studies(profile, second, dataset, n_items=second_items, slow_items=None, **given)
single = pd.concat([study.frame() for singles, _ in studies.values() for study in singles])
single["method"] = single["method"].str.replace(r"\{.*\}", "", regex=True)  # without options: each is there once
pool_studies = [(name, study) for _, found in studies.values() for name, study in found.items()]
pools = pd.concat([study.frame().assign(method=name) for name, study in pool_studies])
best, best_random = f"RPI, best of {size}", f"random, best of {size}"
trio = [best, "RPI, one map", best_random]  # whose comparisons with the other methods are counted
five, here = [*DECODER_ROWS.values()], f"{dataset} (the model is small and not the paper's)"


# %% tags=["answer", "remove-input"]
def beside_random(values):  # RPI against random rankings, by model
    found = estimate(oriented(values), "difference", ["model", "method", "metric"], against={"method": "random"})
    texts = found["metric"].map(ERASURE) + " " + estimate_texts(found)
    by_model = found.groupby("model", sort=False)
    return {name: (directions(rows, texts[rows.index]), rows["n"].min()) for name, rows in by_model}


bests, ones = beside_random(best_of(pools, size)), beside_random(one_map(pools))
lines = [
    f"**{name}**: the best of {size} maps of RPI is, beside the best of {size} random rankings, {said}. One map of RPI "
    f"is, beside one random ranking, {ones[name][0]}. n = {n} texts."
    for name, (said, n) in bests.items()
]
Markdown("\n\n".join([*lines, f"Each comparison is decided at the 5% level; {here}."]))

# %% [markdown]
# ## Is it the path, or the choice?
#
# Each text has one value for every method and metric: of the method's single map, or of the picked one. The best of R
# is the mean over all choices of R of the stored maps.

# %%
picked = pd.concat([one_map(pools), mean_map(pools, size), best_of(pools, size)])
picked["name"] = picked["method"] + ", " + picked["pick"]
single["name"] = (single["method"] + ":" + single["variant"]).str.rstrip(":")
everything = pd.concat([single, picked])
values = everything[everything["model"] == model]

# %% [markdown]
# For each metric, what one map and the best of R maps give. `of the gain` is the part of the way from one random
# ranking to RPI's best map that the best random ranking goes, with a 95% interval over texts.

# %%
part, whole, start = (values[values["name"] == name] for name in (best_random, best, "random, one map"))
share = share_of_gain(part, whole, start, ["metric"]).set_index("metric")
means = estimate(picked[picked["model"] == model], "mean", ["metric", "name"])
across = means.pivot(index="metric", columns="name", values="value").loc[list(ERASURE)]
across = across[["random, one map", best_random, "RPI, one map", f"RPI, mean of {size} maps", best]]
across["of the gain"], across["n"] = estimate_texts(share, "{:.0%}"), means.groupby("metric")["n"].min()
caption = f"One map and the best of {size}, {model}, {here}"
table(across.rename(index=UNIT).reset_index(), caption, digits=3, names={"n": "n (texts)"})

# %% [markdown]
# A map that is really better should also be better by a metric that did not choose it. This is the part of the gain
# from one map to the best of R that is left where another metric has chosen, averaged over the other metrics; a metric
# at one share of the tokens and its mean over five shares do not count as others of each other.

# %%
own = pools[pools["model"] == model]
others = pd.concat([best_of(own, size, by=metric).assign(by=metric) for metric in ERASURE])
stems = others[["metric", "by"]].map(lambda name: name.removeprefix("aopc_"))
others = others[stems["metric"] != stems["by"]]
left = share_of_gain(others, best_of(own, size), one_map(own), ["method", "metric"])
left["part"] = estimate_texts(left, "{:.0%}")
across = left.pivot_table(index=["method", "n"], columns="metric", values="part", aggfunc="first")[list(ERASURE)]
caption = f"Part of the gain that is left where another metric chooses, {model}, {here}"
table(across.rename(columns=ERASURE).reset_index(), caption, names={"n": "n (texts)"})

# %% [markdown]
# ## Do the maps differ?
#
# In a prompted decoder the released code puts noise on the attention of the user's text alone, and reads the map at
# the last position, which is the template's. What the noise changes reaches that row only by the layers between. This
# is the share of texts on which all of the first R maps have one value, so that there is nothing to choose.

# %%
first = pools[(pools["kind"] == "map") & (pools["map"] < size)]
alike = first.groupby(["model", "method", "metric", "item"], sort=False)["value"].nunique() == 1
shares = alike.groupby(["model", "method", "metric"], sort=False).mean().unstack("metric").rename(columns=ERASURE)
shares = shares.assign(n=alike.groupby(["model", "method", "metric"]).size().groupby(["model", "method"]).min())
digits, caption = dict.fromkeys(ERASURE.values(), "{:.0%}"), f"Share of texts on which all {size} maps have one value"
table(shares.reset_index(), f"{caption}, {here}", digits=digits, names={"n": "n (texts)"})

# %% [markdown]
# ## How many methods each is better than
#
# Here is how many of the paper's other methods' single maps RPI's best, one map of RPI and the best of as many random
# rankings are better or worse than. Each difference is over the texts of both and is decided at the 5% level.

# %%
counts = pd.concat([better_than(rows, trio, five).assign(model=name) for name, rows in everything.groupby("model")])
counts["decided"] = counts["better"].map(str) + " better, " + counts["worse"].map(str) + " worse"
across = counts.pivot_table(index=["model", "name", "of"], columns="metric", values="decided", aggfunc="first")
across, heads = across[list(ERASURE)].rename(columns=ERASURE), {"name": "method", "of": "methods"}
table(across.reset_index(), f"Better and worse than how many of the other methods, {here}", names=heads)

# %% tags=["hide-input"]
display(source(better_than), source(beside_best))

# %% [markdown]
# ## Every method, five metrics
#
# `RPI's best ahead by` is the difference to RPI's best of R over the texts of both: above 0 RPI's best is better. The
# downloads have the smallest difference that these texts would show at the 5% level with 80% power. The paper has
# neither occlusion nor the controls, which are the scores of gradient × input permuted, reversed, and all the same. The
# diamonds are Mistral's printed values. A second causal model with the same prompt follows where this profile has one,
# without SIG; how often each model is right stands on [](../shared/classifiers).

# %%
cells = published("rpi").query("table == 4 and dataset == @task").replace({"row": {**DECODER_ROWS, "RPI": best}})
printed = cells.rename(columns={"row": "name"}).pivot(index=["name", "metric"], columns="column", values="value")
found = [beside_best(rows, best).assign(model=name) for name, rows in everything.groupby("model", sort=False)]
frame = printed.merge(pd.concat(found), on=["name", "metric"], how="right")
heads = {"name": "method", "value": "mean", "n": "n (texts)", "ahead": "RPI's best ahead by",
         "ahead interval": "interval of the difference"}  # fmt: skip
for (name, metric), rows in frame.groupby(["model", "metric"], sort=False):
    rows = rows.sort_values("value", ascending=sign(metric) < 0)
    display(intervals(rows.rename(columns={"Mistral": "published"}), UNIT[metric], f"{UNIT[metric]}, {name}, {here}"))
    caption = f"{UNIT[metric]}, {name}, {here}; Mistral and Llama2 as published on {task}"
    display(table(rows, caption, digits=3, names=heads, drop=["model", "metric", "ahead n", "detectable"]))

# %% [markdown]
# ## How many random rankings is a method worth?
#
# This is the fewest random rankings whose best, picked by the metric, is on average at least as good as the method's
# single map, with a 95% interval over texts. The model is small and not the paper's.

# %%
random = pools[(pools["model"] == model) & (pools["method"] == "random")]
worth = rankings_worth(random, values[values["name"].isin([*five, "RPI, one map", best])], ["name", "metric"])
across = worth.pivot_table(index=["name", "n"], columns="metric", values="tries", aggfunc="first", sort=False)
table(across.rename(columns=ERASURE).reset_index(), f"Random rankings that reach a method, {model}, {here}, "
      f"{blind_size} stored", names={"name": "method", "n": "n (texts)"})  # fmt: skip

# %% [markdown]
# ## Does the model name words that are not there?
#
# The paper says that its models' lists often hold tokens that the text has not. A word that the model names but the
# text lacks is `hallucinated`; where no word is `ranked`, all scores are 0 and the order of reading decides. These are
# words a text, in lists of the small model and not of the paper's.

# %%
rows = [row for row in studies[model][0][0].scores() if row["method"] == "self_ranking"]
kinds = ["ranked", "hallucinated", "repeated", "unnamed"]
words = pd.DataFrame([{"item": row["item"], **row["details"]} for row in rows])
words = words.melt("item", kinds, var_name="words", value_name="value")
found = estimate(words, "mean", "words").drop(columns=["failed", "p", "detectable"])
found["texts with any"] = (words["value"] > 0).groupby(words["words"]).mean()[found["words"]].to_numpy()
heads, digits = {"value": "words a text", "n": "n (texts)"}, {"value": "{:.1f}", "texts with any": "{:.0%}"}
table(found, f"Words a text in the model's own ranking, {model}, {here}", digits=digits, names=heads)

# %% [markdown]
# ## What became of the published cells

# %%
table(verdict_counts("rpi", 4, dataset=task).rename(columns=ERASURE)[["verdict", *ERASURE.values()]],
      f"Verdicts on the printed cells of Table 4, both models on {task}")  # fmt: skip

# %% [markdown]
# ## What it cost

# %%
costs = pd.concat([study.costs().assign(pool=name, model=study.model) for name, study in pool_studies])
table(costs, f"Mean seconds a text for making a pool of maps and for judging it, {here}",
      names={"n": "n (texts)", "judging": "seconds for judging"})  # fmt: skip
