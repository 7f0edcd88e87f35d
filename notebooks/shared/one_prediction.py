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
# A language model reads a prompt and predicts the next word. Seven attribution methods say which tokens of the prompt
# led to this prediction. Each method has its options at our defaults. This page stores nothing: everything on it was
# computed on the model named below when the page was built. Cost: seconds.
#
# The page shows what the methods *say*. Whether they are right is the subject of the rest of the book.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the profile this run belongs to
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
prompt: str = "When my flight landed in Japan, I converted my currency. I was staying in the capital,"  # explained
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.live import explain_live
from attribook.show.figures import score_grid
from attribook.show.heatmap import heatmaps
from attribook.show.literal import in_markdown
from attribook.show.tables import table
from attribook.show.tokens import label, labels

methods = ("random", "occlusion", "input_x_gradient", "integrated_gradients",
           "attention_last", "attention_mean", "attention_rollout")  # fmt: skip
live = explain_live(model, prompt, methods, seed=seed)
tokens, found = live.encoding.tokens, live.attributions
scores = pd.DataFrame({name: attribution.scores.tolist() for name, attribution in found.items()})

# %% tags=["answer", "remove-input"]
first = scores.drop(columns="random").idxmax()
most, votes = first.value_counts().index[0], int(first.value_counts().iloc[0])
target = in_markdown(label(live.encoding.target_text))
Markdown(
    f"`{model}` reads {len(tokens)} tokens and gives **{target}** the probability "
    f"{live.encoding.probability:.1%}. Of the {len(first)} methods other than `random`, {votes} give their highest "
    f"score to the same token, **{in_markdown(labels(tokens)[most])}**. This is one prompt, so it has no interval."
)

# %% [markdown]
# ## What the model predicts

# %%
candidates = pd.DataFrame(live.candidates, columns=["id in the vocabulary", "next token", "probability"])
table(candidates, f"The five next tokens that {model} finds most probable", digits={"probability": "{:.1%}"})

# %% [markdown]
# ## What led to the prediction
#
# Orange supports the predicted word, blue opposes it. Each method is coloured relative to its own largest score. Move
# the pointer over a token to see its score. Under each name stand the prompts sent forward, the prompts
# differentiated, and the seconds. The *completeness gap* is the difference between the sum of the scores of integrated
# gradients and the value that it should have; 0 is exact.

# %%
notes = {
    name: f"{a.cost.forwards} forward, {a.cost.backwards} backward, {a.cost.seconds:.1f} s"
    + "".join(f", {detail.replace('_', ' ')} {value:+.3f}" for detail, value in a.details.items())
    for name, a in found.items()
}
heatmaps(tokens, {name: list(column) for name, column in scores.items()}, notes)

# %% [markdown]
# ## Side by side
#
# The same scores as a grid, a column for each method. Attention is never negative. The scores of `random` are drawn
# without looking at the prompt, and yet they look like an explanation. This is why every table in this book has
# `random` as a row.

# %%
score_grid(tokens, scores, f"Scores of {len(found)} methods for each of {len(tokens)} tokens")

# %% [markdown]
# ## Do they agree?
#
# Spearman's rank correlation between the scores of two methods on this prompt. One prompt proves nothing in general;
# it shows that the choice of the method matters.

# %%
ranks = scores.corr(method="spearman").rename_axis("method").reset_index()
table(ranks, f"Rank correlation over the {len(tokens)} tokens of this prompt, {model}")

# %% [markdown]
# The same from a terminal, for your own prompt:
#
# ```
# attribook explain --method integrated_gradients "When my flight landed in Japan, ..."
# ```
