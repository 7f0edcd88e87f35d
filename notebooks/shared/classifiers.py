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

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
classifier: str = "minilm-rotten-tomatoes"  # an encoder with a head: a known name, a folder, or a hub id
prompted: str = "smollm2-135m+sentiment"  # a causal model and a template
second: str = ""  # another of the kind, such as gemma-3-270m+sentiment; empty for none
with_snippets: bool = True  # count the held-out snippets, which come from the package index

# %% tags=["remove-input"]
from attribook.show.tables import table
from attribook.statistics.accuracy import accuracy_table

datasets = ["rotten-tomatoes-held-out"] * with_snippets + ["reviews-mini"]
shares = accuracy_table(profile, [name for name in (classifier, prompted, second) if name], datasets)
percent = dict.fromkeys(("accuracy", "low", "high"), "{:.1%}")
table(shares, caption="Accuracy with its 95% interval (Wilson), and what the models answer", formats=percent)

# %% [markdown]
# `rotten-tomatoes-held-out`: the snippets on which nothing was tuned and no recipe chosen; a snippet counts as
# positive where the mean valence that people gave it is above 0. `reviews-mini`: forty sentences written for this
# book, half of them negative, without a model in view. `answers` is how often a model says each class; the true
# shares are near one half, so a share far from it is a bias of the model.
#
# How often encoders tuned on SST-2, AG News and Emotion are right stands on [](../rpi/other_datasets).
