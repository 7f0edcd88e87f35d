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
# RPI explains classifiers. Two kinds of small models stand in for its models here. `minilm-rotten-tomatoes` is an
# encoder with a classification head, tuned on eight tenths of the Rotten Tomatoes snippets. `smollm2-135m+sentiment` is
# a causal model that sees six labelled examples of ours and is asked for a label; Gemma 3 270M stands beside it. RPI
# reports accuracies above 90% for its prompted models, which have billions of parameters. If a classifier only guesses,
# there is nothing to explain, so this page says how often ours are right. Cost: from stored rows, seconds; otherwise
# one forward pass for each text.

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
from attribook.statistics.accuracy import clopper_pearson

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
for (name, data), answers in predictions.groupby(["model", "data"], sort=False):
    low, high = clopper_pearson(int(answers["correct"].sum()), len(answers))
    lines.append(f"- `{name}` is right on {answers['correct'].mean():.1%} of the texts of {data} "
                 f"(95% interval {low:.1%} to {high:.1%}, n = {len(answers):,}).")  # fmt: skip
Markdown("\n".join(lines))

# %%
groups = predictions.groupby(["model", "data"], sort=False)["correct"]
accuracy = groups.agg(accuracy="mean", n="count")
accuracy[["accuracy low", "accuracy high"]] = [clopper_pearson(int(right.sum()), len(right)) for _, right in groups]
shares = predictions.groupby(["model", "data"])["predicted"].value_counts(normalize=True).reset_index()
shares["answers"] = shares["predicted"] + shares["proportion"].map(" {:.0%}".format)
shares = shares.sort_values("predicted").groupby(["model", "data"])["answers"].agg(", ".join)
table(accuracy.join(shares).reset_index(), "Accuracy with the interval of Clopper and Pearson, and the labels answered",
      digits={"accuracy": "{:.1%}"}, names={"data": "data set", "n": "n (texts)"})  # fmt: skip

# %% [markdown]
# `rotten-tomatoes-held-out` are the snippets on which nothing was tuned and no recipe was chosen. A snippet counts as
# positive where the mean valence that people gave it is above 0. `reviews-mini` are forty sentences written for this
# book, half of them negative. No model was looked at while they were written. `answers` is how often a model gives each
# label. The true shares are near one half, so a share far from it is a bias of the model.
#
# [](../rpi/other_datasets) says how often encoders that were tuned on SST-2, AG News and Emotion are right.
