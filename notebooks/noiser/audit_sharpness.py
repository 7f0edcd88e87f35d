# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: is Noiser right, or sharp?
#
# Soft-NC and Soft-NS use scores as probabilities, so how sharp scores are moves the number, whatever the ranking (see
# [the same question for ReAGent](../reagent/audit_sharpness)). `permuted` gives a method's own values to its tokens in
# random order: exactly as sharp, without knowledge. `ranked` replaces scores by their ranks, negative ones among
# them: of one prompt all methods become equally sharp (but where scores are equal) and keep their order. Reads
# `results/<profile>/noiser_knowns`. Cost: from stored rows, seconds. Left out: the paper's models and prompts.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with antecedents
n_items: int = 24  # 0 takes all kept prompts
random_seeds: int = 1  # seeds of noiser and of permutations
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.papers.noiser.tables import noiser_study
from attribook.papers.reagent.show_faithfulness import NAMES
from attribook.show.tables import table
from attribook.statistics.bootstrap import log_ratio
from attribook.statistics.sharpness import sharp_or_right, sharpness

methods = ("noiser", "occlusion", "input_x_gradient")
controls = ("random:one_hot_random", "random:flat")
names = [*methods, *(f"{name}:{variant}" for variant in ("permuted", "ranked") for name in methods), *controls]
given = {"n_items": n_items, "keep": keep, "seed": seed}
random = noiser_study("Knowns", profile, model, dataset, ("random",), random_seeds=5, **given)
study = noiser_study("Knowns", profile, model, dataset, tuple(names), random_seeds=random_seeds, **given)
rows = pd.concat([random.rows(), study.rows()], ignore_index=True)
vectors = sharpness(study.scores())
found = {metric: sharp_or_right(rows, vectors, metric, methods, {"ranks alone": "ranked"})
         for metric in ("soft_nc", "soft_ns")}  # fmt: skip
found = {metric: frame.dropna(axis="columns", how="all") for metric, frame in found.items()}
formats = dict.fromkeys(("largest", "entropy", "antecedent", "distractor"), "{:.2f}")
formats |= dict.fromkeys(("log-ratio", "ranks alone", "own order", "low", "high"), "{:+.2f}")
Markdown(f"{study.n_kept()} Seeds of noiser and of permutations: {random_seeds}.")

# %% [markdown]
# `log-ratio`: to random scores, as in the paper. `ranks alone`: the same of the ranks. `own order`: the method against
# its own values in random order, with its 95% interval: what the ranking is worth at equal sharpness. `largest` and
# `entropy` (1 is flat): how sharp the scores are; `antecedent`: how often one of the three best tokens lies there.

# %% tags=["remove-input"]
for metric, frame in found.items():
    display(table(frame, caption=f"{NAMES[metric]}, sharp or right: noiser-paper, {model}, {dataset}", formats=formats))

# %% [markdown]
# ## What is left of the order of the methods?

# %% tags=["remove-input"]
lines = []
for metric, frame in found.items():
    noiser = frame.set_index("method").loc["noiser"]
    lone, even = (log_ratio(rows, name, metric) for name in controls)
    place = {what: int((frame[what] > noiser[what]).sum()) + 1 for what in ("log-ratio", "ranks alone", "own order")}
    lines.append(
        f"- **{NAMES[metric]}**: of {len(frame)} methods Noiser is number {place['log-ratio']} by its scores, "
        f"{place['ranks alone']} by its ranks alone, {place['own order']} by what its order adds to its own values "
        f"({noiser['own order']:+.2f}, {noiser['low']:+.2f} to {noiser['high']:+.2f}). "
        f"Everything on one random token "
        f"gives {lone.value:+.2f} ({lone.low:+.2f} to {lone.high:+.2f}), the same for every token {even.value:+.2f}."
    )
Markdown("\n".join(lines) + f"\n\nn = {found['soft_nc']['n'].min()}.")
