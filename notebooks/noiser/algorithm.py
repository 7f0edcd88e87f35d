# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Noiser on one prompt
#
# Noiser adds Gaussian noise to the embedding of one token at a time and asks how much probability the prediction loses.
# How strong the noise may be is the heart of it: for many tokens there is a strength at which the prediction flips, and
# the smallest of these is used for all tokens. So no more than the most sensitive token is brought to the edge, and
# the prompts stay near the real one. [](../../methods/noiser) has the formula.
#
# This page stores nothing; it was computed when the page was built. Cost: under a minute. Left out: the paper's ten
# noise vectors; three show the same and are quicker.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the profile this run belongs to
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
prompt: str = "The capital of France, the city of"  # explained
vectors: int = 3  # noise vectors for each token and scale
steps: int = 10  # of each bisection of [0, 1]
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.papers.noiser.live import run_step_by_step
from attribook.show.heatmap import heatmaps
from attribook.show.literal import in_markdown
from attribook.show.tables import table
from attribook.show.tokens import label, labels

run = run_step_by_step(model, prompt, vectors=vectors, steps=steps, seed=seed)
encoding, scores = run.encoding, run.found.scores.tolist()
tokens = labels(encoding.tokens)
where = f"{model}, '{prompt}'"

# %% tags=["answer", "remove-input"]
moved = encoding.movable("keep").nonzero()[:, 0].tolist()  # special tokens stay as they are
first = min(moved, key=lambda place: float(run.thresholds[place]))
apart = abs(float(run.thresholds[first]) - run.scale)
cost, alone = run.found.cost.forwards, run.forwards_alone
least = "the same" if apart < 0.5 / 2**steps else f"{float(run.thresholds[first]):.4f}"
Markdown(
    f"`{model}` goes on with **{in_markdown(label(encoding.target_text))}** ({encoding.probability:.1%}). Noiser's "
    f"bound is **s\\* = {run.scale:.4f}**: noise of that scale on **{in_markdown(tokens[first])}**, the most "
    f"sensitive token, brings the prediction to its edge. The search that all tokens share took {cost} forwards; "
    f"searches of each token alone took {alone}, {alone / cost:.1f} times as many, and their smallest threshold is "
    f"{least}. This is one prompt and one seed, so nothing follows from it for others."
)

# %% [markdown]
# ## How much noise each token bears
#
# `flips above`: the largest scale below 1 at which the prediction stays, found by bisection for each token alone. Noise
# of scale 1 has the standard deviation 1 in every dimension of the embedding. `score`: the probability that is lost
# when noise of the common scale s\* falls on the token. The model is small and not one of the paper's.

# %%
searched = pd.DataFrame({"token": tokens, "flips above": run.thresholds.tolist(), "score": scores})
table(searched, f"Thresholds and scores of {len(tokens)} tokens, {where}",
      digits={"flips above": "{:.4f}", "score": "{:+.4f}"})  # fmt: skip

# %%
heatmaps(encoding.tokens, {"noiser": scores, "threshold": (-run.thresholds.log2()).tolist()},
         {"noiser": "probability lost at s*", "threshold": "halvings of the noise that the token bears"})  # fmt: skip

# %% [markdown]
# ## The search
#
# Only the smallest threshold is needed, so the tokens share a search: one token is bisected, all others are tested once
# at its scale, and those that hold there are out. Where a prediction that flips at one scale flips at every larger one,
# the result is that of separate searches.

# %%
searches = pd.DataFrame({
    "search": ["shared by all tokens", "each token alone"],
    "bound s*": [run.scale, float(run.thresholds[encoding.movable("keep")].min())],
    "forwards": [run.found.cost.forwards, run.forwards_alone],
})  # fmt: skip
table(searches, f"Two ways to search for the bound, {where}", digits={"bound s*": "{:.4f}"})

# %% [markdown]
# How often a prediction flips at one scale and holds at a larger one, which both searches take to be impossible, is
# counted in [](audit_search).
