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
# # Table 4: RPI on a prompted causal model
#
# Claim: on Llama2 and Mistral, asked for a label in a prompt, RPI is ahead of five methods in all cases (RPI, section
# 4.2 on Table 4; the [ledger](../../claims/ledger) says in how many the printed table has it so). One of the five is
# the model itself, told to rank the words that mattered. RPI is the best of 24 maps, picked by the metric that is
# reported. This page has single maps of the five, RPI's best of R, and beside it one map of RPI, the mean of its
# maps, and the best of R random rankings.
#
# Reads `results/<profile>/rpi_table4` and `rpi_pools`. Cost: the table at the end; from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: SmolLM2-135M with six labelled examples in the prompt, fifty times smaller than the paper's and right
# less often (see [](../shared/classifiers)); at the end Gemma 3 270M. **Data**: held-out Rotten Tomatoes snippets;
# published columns are RTN. **RPI** has the options of its released code, with 6 points on the path instead of 31 and
# **R = 8 instead of 24**, because every point costs three layers of about 175 tokens. **Competitors**: 3 points for
# SIG, 8 samples for gradient SHAP, our options for DeepLIFT; the paper prints no prompt for the self-ranking, so its
# prompt is ours. **Metrics**: at least one token goes, five shares are divided by 5, log-odds puts the unknown token,
# which to SmolLM2 ends a document and so says more than nothing. **n** stands at every number.
# ```

# %% tags=["parameters"]
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

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.papers.rpi.prompted_rows import prompted_rows
from attribook.papers.rpi.show_picking import erasure_figure, erasure_listing, path_listing
from attribook.papers.rpi.tables import (
    DECODER_ROWS,
    ERASURE,
    alike_told,
    erasure_table,
    headline,
    named_words_table,
    path_or_picking,
    printed,
    tries_table,
    verdicts_table,
)
from attribook.show.tables import table

metrics = tuple(ERASURE)
given = {"size": size, "blind_size": blind_size, "layer": layer, "steps": steps, "slow_steps": slow_steps,
         "samples": samples, "seed": seed}  # fmt: skip
first = prompted_rows(profile, model, dataset, n_items=n_items, slow_items=slow_items, **given)
pools, values, best, here = first.pools, first.values, first.best, first.where
Markdown(first.study.n_kept())

# %% [markdown]
# ## The answer
#
# Is it the path, or the picking? And than how many of the five methods' single maps are RPI's best, one map of RPI, and
# the best of as many random rankings better / worse, at the 5% level? Which they are: the leads in the tables below.

# %% tags=["remove-input"]
Markdown(headline(pools["RPI"], pools["random"], metrics, size, "RPI"))

# %% tags=["remove-input"]
table(first.leads(), caption=f"Better / worse than, of {len(first.five)} methods, {here}")

# %% tags=["remove-input"]
path_listing(path_or_picking(pools["RPI"], pools["random"], metrics, size), f"RPI as released, {here}, R = {size}")

# %% [markdown]
# ## Do the maps differ?
#
# In a prompted decoder the released code puts noise on the attention of the user's text alone, and reads the map at the
# last position, which is the template's. What the noise changes reaches that row by the layers between only.

# %% tags=["remove-input"]
Markdown(
    f"Texts on which all {size} maps have one value, so that nothing can be picked: RPI "
    f"{alike_told(pools['RPI'], metrics, size)}; random rankings {alike_told(pools['random'], metrics, size)}."
)

# %% [markdown]
# ## Every method, five metrics
#
# `lead`: how much better RPI's best is than this row, over the texts of both; above 0 RPI's best is better.
# `detectable`: the smallest lead that these texts would show at the 5% level with 80% power. The paper has neither
# occlusion nor controls: scores of gradient × input permuted, turned round, and all the same.

# %% tags=["remove-input"]
for metric in metrics:
    known = {f"{column}, {task}": printed(4, metric, {best: "RPI", **DECODER_ROWS}, dataset=task, column=column)
             for column in ("Mistral", "Llama2")}  # fmt: skip
    frame = erasure_table(values, metric, best, known)
    display(erasure_figure(frame, metric, here, f"Mistral, {task}"))
    display(erasure_listing(frame, metric, here, list(known)))

# %% [markdown]
# ## How many random rankings is a method worth?
#
# The fewest random rankings whose best is on average at least as good as the method's single map,
# with a 95% interval over texts.

# %% tags=["remove-input"]
reached = {**first.five, "RPI, one map": values["RPI, one map"], best: values[best]}
worth = tries_table(pools["random"], reached, metrics)
table(worth.rename(columns=ERASURE), caption=f"Random rankings that reach a method, {here}, {blind_size} stored")

# %% [markdown]
# ## Does the model name words that are not there?
#
# The paper says that its models' lists often hold tokens that the text has not. A word that the model names but the
# text lacks is `hallucinated`; where no word is `ranked`, all scores are 0 and the order of reading decides.

# %% tags=["remove-input"]
table(named_words_table(first.study.scores()), caption=f"Self-ranking, {here}: words a text, and share of texts",
      formats={"a text": "{:.1f}", "low": "{:.1f}", "high": "{:.1f}", "texts with any": "{:.0%}"})  # fmt: skip

# %% [markdown]
# ## A second model
#
# The same on another causal model with the same prompt, without SIG. How often each is right stands on
# [](../shared/classifiers).

# %% tags=["remove-input"]
if second:
    other = prompted_rows(profile, second, dataset, n_items=second_items, slow_items=None, **given)
    display(Markdown(f"{other.study.n_kept()}\n\n{headline(*other.pools.values(), metrics, size, 'RPI')}"))
    alike = alike_told(other.pools["RPI"], metrics, size)
    display(Markdown(f"Texts on which all {size} maps of RPI have one value: {alike}."))
    display(table(other.leads(), caption=f"Better / worse than, of {len(other.five)} methods, {other.where}"))
    for metric in metrics:
        display(erasure_listing(erasure_table(other.values, metric, best, {}), metric, other.where))

# %% [markdown]
# ## What became of the published cells

# %% tags=["remove-input"]
table(verdicts_table(4, dataset=task), caption=f"Verdicts on RPI's Table 4, both models on {task}")

# %% [markdown]
# ## What it cost

# %% tags=["remove-input"]
costs = pd.concat([source.costs().assign(pool=name) for name, source in first.sources.items()])
table(costs, caption="Mean seconds a text for making a pool and for judging it",
      formats=dict.fromkeys(("seconds", "judging"), "{:.2f}"))  # fmt: skip
