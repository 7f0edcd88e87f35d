# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How well the classifiers classify
#
# RPI explains classifiers. Two kinds stand in for its models here, and neither is one of them:
# `minilm-rotten-tomatoes`, a small encoder with a head, tuned on eight tenths of the Rotten Tomatoes snippets; and
# `smollm2-135m+sentiment`, a causal model that is shown six labelled examples of ours and asked for a label, with Gemma
# 3 270M beside it. RPI reports accuracies above 90% for its prompted models, which have billions of parameters. An
# explanation of a coin toss explains nothing, so this page comes before all explanations. Cost: from stored rows,
# seconds; else one forward a text.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
classifier: str = "minilm-rotten-tomatoes"  # an encoder with a head: a known name, a folder, or a hub id
prompted: str = "smollm2-135m+sentiment"  # a causal model and a template
second: str = ""  # another of the kind, such as gemma-3-270m+sentiment; empty for none
with_snippets: bool = True  # count the held-out snippets, which come from the package index

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.show.tables import table
from attribook.statistics.accuracy import wilson

models = [name for name in (classifier, prompted, second) if name]
datasets = ["rotten-tomatoes-held-out"] * with_snippets + ["reviews-mini"]
predictions = pd.concat(
    [
        Study("accuracy", profile, name, dataset, "attribook", ("random",)).predictions.assign(model=name, data=dataset)
        for name in models
        for dataset in datasets
    ]
)

# %% tags=["answer", "remove-input"]
lines = []
for (name, dataset), right in predictions.groupby(["model", "data"], sort=False)["correct"]:
    low, high = wilson(right.sum(), len(right))
    share = f"{right.mean():.1%} of the texts of {dataset} (95% interval {low:.1%} to {high:.1%}, n = {len(right)})"
    lines.append(f"- `{name}` is right on {share}.")
Markdown("\n".join(lines))

# %%
accuracy = predictions.groupby(["model", "data"], sort=False)["correct"].agg(value="mean", right="sum", n="size")
accuracy[["low", "high"]] = [wilson(right, n) for right, n in zip(accuracy["right"], accuracy["n"], strict=True)]
accuracy = accuracy[["value", "low", "high", "n"]].reset_index()
said = predictions.groupby(["model", "data"])["predicted"].value_counts(normalize=True).reset_index()
said["answers"] = said["predicted"] + said["proportion"].map(" {:.0%}".format)
said = said.sort_values("predicted").groupby(["model", "data"])["answers"].agg(", ".join)
table(accuracy.join(said, on=["model", "data"]), "Accuracy with Wilson's interval, and the labels answered",
      digits={"value": "{:.1%}"}, names={"value": "accuracy", "data": "data set", "n": "n (texts)"})  # fmt: skip

# %% [markdown]
# `rotten-tomatoes-held-out`: the snippets on which nothing was tuned and no recipe chosen; a snippet counts as
# positive where the mean valence that people gave it is above 0. `reviews-mini`: forty sentences written for this
# book, half of them negative, without a model in view. `answers` is how often a model says each class; the true
# shares are near one half, so a share far from it is a bias of the model.
#
# How often encoders tuned on SST-2, AG News and Emotion are right stands on [](../rpi/other_datasets).
