# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Figure 4: does faithfulness go with answerability?
#
# Noiser's Figure 4 draws each method's faithfulness against its answerability rate and score on Knowns, and the text
# speaks of a correlation without giving one. Here it is computed, with its interval over prompts. Reads
# `results/<profile>/noiser_knowns` and `noiser_knowns_judged_*`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: 135M parameters, 4-bit weights brought back to float32. **Judge**: of 135M parameters, not
# Llama-3.3-70B-Instruct. **Data**: our own prompts in the form of Knowns; n is below. A correlation over ten methods
# says little, however many prompts there are: the interval is over prompts, for these ten.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # whose predictions are explained
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
judge: str = "smollm2-135m"  # a known name, a folder, or a hub id
asking: str = "plain"  # how: plain, chat, or server ($OPENAI_BASE_URL)
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.papers.noiser.answers import (
    correlation_told,
    faith_and_answers,
    figure4_correlation,
    figure4_points,
    judge_study,
)
from attribook.papers.noiser.tables import TEN, noiser_study
from attribook.show.figures import scatter
from attribook.show.tables import table

given = {"n_items": n_items, "keep": keep, "seed": seed}
random = noiser_study("Knowns", profile, model, dataset, ("random",), random_seeds=5, **given)
soft = noiser_study("Knowns", profile, model, dataset, TEN, **given)
answers = judge_study("Knowns", profile, model, dataset, ("random", *TEN), judge, asking=asking, **given)
parts = faith_and_answers(pd.concat([random.rows(), soft.rows()], ignore_index=True), answers.rows(), TEN)
points, where = figure4_points(parts), f"noiser-paper, {model}, {dataset}, judge {judge}"
Markdown(soft.n_kept())

# %% tags=["remove-input"]
for what in ("rate", "score"):
    display(Markdown(correlation_told(what, figure4_correlation(parts, what, seed=seed))))
    display(scatter(points, "faithfulness", what, "method", f"Faithfulness against {what} by method, {where}"))

# %% tags=["remove-input"]
formats = {"faithfulness": "{:+.2f}", "rate": "{:.0f}", "score": "{:.3f}"}
table(points.assign(n=len(parts["soft_nc"])), caption=f"Figure 4, {where}", formats=formats)
