# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tables 3 and 8: the top three words
#
# Claim: of RPI, SIG and DecompX, RPI's three highest words agree best with what the classifier says (RPI, Table 3);
# Table 8 has more examples of RPI alone. Nothing is counted there, and which of the 24 maps is shown, picked by which
# metric, is not said. This page marks the three highest tokens of several methods in the same sentences, and then
# counts over all texts how many of the three two methods share.
#
# Reads stored scores of `results/<profile>/rpi_table2` and maps of `rpi_pools`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on Rotten Tomatoes snippets, not BERT and RoBERTa. **Data**: held-out snippets, the
# first ones in the study's order, not chosen by anybody. **Words** are the classifier's tokens, which may be pieces of
# words. **RPI** has the options of its released code with 11 points on the path; **SIG** has 10 points. **Metric**
# that picks: each of the five, and the mean of all maps, which nobody picks. **Left out**: Emotion, which has no
# classifier in this profile.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "minilm-rotten-tomatoes"  # a classifier: a known name, a folder, or a hub id
dataset: str = "rotten-tomatoes-held-out"  # texts to classify
n_items: int = 60  # texts that are counted
shown: int = 6  # texts that are printed
size: int = 24  # R, the number of maps to pick from
drawn: int = 32  # maps that are stored
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
slow_steps: int = 10  # points on a path of SIG
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.papers.rpi.tables import ERASURE, released_setting
from attribook.papers.rpi.top_words import marks_of, sharing_table, sharing_told
from attribook.show.marked import marked_texts
from attribook.show.tables import table

metrics, where = tuple(ERASURE), (profile, model, dataset, "rpi-paper")
given = {"n_items": n_items, "keep": "all", "seed": seed}
methods = {"SIG": f"sequential_integrated_gradients{{steps={slow_steps}}}", "DecompX": "decompx", "ALTI": "alti",
           "integrated gradients": "integrated_gradients", "gradient × input": "input_x_gradient"}  # fmt: skip
singles = {
    name: Study("rpi_table2", *where, (method,), (), **given, random_seeds=1) for name, method in methods.items()
}
pools = {
    name: PoolStudy("rpi_pools", *where, (method,), metrics, **given, size=drawn)
    for name, method in {"RPI": released_setting(layers=layer, steps=steps), "random": "random"}.items()
}
marks = marks_of(singles, pools, metrics, size)
Markdown(f"{pools['RPI'].n_kept()} R = {size}.")

# %% [markdown]
# ## In running text
#
# Bold are the three highest tokens. `RPI, picked by Comp` is the map that comprehensiveness likes best, as the paper
# reports it; `random, picked by Comp` is the best of as many random rankings.

# %% tags=["remove-input"]
rows = ["RPI, picked by Suff", "RPI, picked by Comp", "RPI, mean of maps", "SIG", "DecompX", "random, picked by Comp"]
for one in marks[:shown]:
    display(Markdown(f"Item `{one.item}`: the classifier says **{one.target}** (p = {one.probability:.2f})."))
    display(marked_texts(one.texts(rows)))

# %% [markdown]
# ## Counted over all texts
#
# Whichever map is shown, a reader finds a story for its three words: so a count comes before a story.

# %% tags=["remove-input"]
Markdown(sharing_told(marks, "RPI", metrics, "random"))

# %% tags=["remove-input"]
formats = dict.fromkeys(("shared", "low", "high"), "{:.2f}") | dict.fromkeys(("none shared", "all shared"), "{:.0%}")
others = [*methods, *(f"RPI, picked by {name}" for name in ERASURE.values()), "RPI, mean of maps", "RPI, first map",
          "random, picked by Comp"]  # fmt: skip
for name in ("RPI, picked by Comp", "RPI, mean of maps", "SIG", "DecompX"):
    frame = sharing_table(marks, name, others)
    display(table(frame, caption=f"{name}: how many of its three tokens others share, {model}", formats=formats))

# %% [markdown]
# `shared` has a 95% interval over texts; `none shared` and `all shared` are shares of texts; `(chance)` is what a
# random ranking shares on average.
#
# ## Table 8's form
#
# The form of Table 8: the prediction, and RPI's three tokens under each metric that could have picked the map.

# %% tags=["remove-input"]
listed = [
    {"item": one.item, "prediction": one.target}
    | {metric: ", ".join(one.words(f"RPI, picked by {metric}")) for metric in ERASURE.values()}
    for one in marks[:shown]
]
table(pd.DataFrame(listed), caption="RPI's three highest tokens by the metric that picks, the highest first")
