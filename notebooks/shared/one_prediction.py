# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One prediction, explained
#
# A language model reads a prompt and names a next word. Seven attribution methods say which tokens of the prompt
# made it do so, each with its options at our defaults. This page stores nothing: what you see was computed on the
# model named below when the page was built. Cost: seconds.
#
# It shows what the methods *say*. Which of them is right is the subject of the rest of the book.

# %% tags=["parameters"]
profile: str = "laptop"  # the profile this run belongs to
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
prompt: str = "When my flight landed in Japan, I converted my currency. I was staying in the capital,"  # explained
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.live import explain_live
from attribook.show.figures import score_grid
from attribook.show.heatmap import heatmaps
from attribook.show.tables import table

methods = ("random", "occlusion", "input_x_gradient", "integrated_gradients",
           "attention_last", "attention_mean", "attention_rollout")  # fmt: skip
live = explain_live(model, prompt, methods, seed=seed)
encoding, found = live.encoding, live.attributions
candidates = ", ".join(f"`{token.strip() or token!r}` {p:.1%}" for token, p in live.candidates.items())

# %% [markdown]
# ## What the model says

# %% tags=["remove-input"]
Markdown(
    f"`{model}` reads {len(encoding)} tokens and gives **{encoding.target_text.strip()}** the probability "
    f"{encoding.probability:.1%}. Its five most probable next tokens: {candidates}."
)

# %% [markdown]
# ## What made it say so
#
# Orange speaks for the predicted word, blue against it; each method is coloured relative to its own largest score.
# Hover over a token for its score. Under each name: prompts sent forward, prompts differentiated, and seconds. The
# *completeness gap* is what the scores of integrated gradients fail to add up to; 0 is exact.

# %% tags=["remove-input"]
notes = {
    name: f"{a.cost.forwards} fwd, {a.cost.backwards} bwd, {a.cost.seconds:.1f} s"
    + "".join(f", {detail.replace('_', ' ')} {value:+.3f}" for detail, value in a.details.items())
    for name, a in found.items()
}
heatmaps(encoding.tokens, {name: a.scores.tolist() for name, a in found.items()}, notes)

# %% [markdown]
# ## Side by side
#
# The same scores as a grid, a column for each method. Attention is never negative. `random` knows nothing and looks
# busy all the same, which is why every table in this book has it as a row.

# %% tags=["remove-input"]
grid = pd.DataFrame({name: a.scores.tolist() for name, a in found.items()})
score_grid(encoding.tokens, grid, f"Scores of {len(found)} methods for each of {len(encoding)} tokens")

# %% [markdown]
# ## Do they agree?
#
# Spearman's rank correlation between the methods' scores on this one prompt. One prompt proves nothing; it shows
# that the choice of method matters.

# %% tags=["remove-input"]
ranks = grid.corr(method="spearman")
table(ranks.reset_index(names="method"), caption=f"Rank correlation over {len(encoding)} tokens",
      formats=dict.fromkeys(ranks.columns, "{:+.2f}"))  # fmt: skip

# %% [markdown]
# The same from a terminal, for your own prompt:
#
# ```
# attribook explain --method integrated_gradients "When my flight landed in Japan, ..."
# ```
