# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser on one prompt
#
# Noiser adds Gaussian noise to the embedding of one token at a time and asks how much probability the prediction loses.
# How strong the noise may be is the heart of it: for many tokens there is a strength at which the prediction flips, and
# the smallest of these is used for all tokens. So no more than the most sensitive token is brought to the edge, and
# the prompts stay near the real one. [](../../methods/noiser) has the formula.
#
# This page stores nothing; it was computed when the page was built. Cost: under a minute. Left out: the paper's ten
# noise vectors; three show the same and are quicker.

# %% tags=["parameters"]
profile: str = "laptop"  # the profile this run belongs to
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
prompt: str = "The capital of France, the city of"  # explained
vectors: int = 3  # noise vectors for each token and scale
steps: int = 10  # of each bisection of [0, 1]
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.papers.noiser.live import walk_noiser
from attribook.show.heatmap import heatmaps
from attribook.show.tables import table

walk = walk_noiser(model, prompt, vectors=vectors, steps=steps, seed=seed)
Markdown(f"`{model}` goes on with **{walk.encoding.target_text.strip()}** ({walk.encoding.probability:.1%}).")

# %% [markdown]
# ## How much noise each token bears
#
# `flips above`: the largest scale below 1 at which the prediction stays, found by bisection for each token alone. Noise
# of scale 1 has the standard deviation 1 in every dimension of the embedding. `score`: the probability that is lost
# when noise of the common scale s\* falls on the token.

# %% tags=["remove-input"]
table(walk.tokens(), caption=f"Thresholds and scores, {len(walk.encoding)} tokens",
      formats={"flips above": "{:.4f}", "score": "{:+.4f}"})  # fmt: skip

# %% tags=["remove-input"]
heatmaps(walk.encoding.tokens, {"noiser": walk.found.scores.tolist(), "threshold": (-walk.thresholds.log2()).tolist()},
         {"noiser": "probability lost at s*", "threshold": "halvings of the noise that the token bears"})  # fmt: skip

# %% [markdown]
# ## The search
#
# Only the smallest threshold is needed, so the tokens share a search: one token is bisected, all others are tested once
# at its scale, and those that hold there are out. Where a prediction that flips at one scale flips at every larger one,
# the result is that of separate searches.

# %% tags=["remove-input"]
Markdown(walk.told())

# %% [markdown]
# How often a prediction flips at one scale and holds at a larger one, which both searches take to be impossible, is
# counted in [](audit_search).
