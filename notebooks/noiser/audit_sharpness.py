# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Audit: is Noiser right, or sharp?
#
# Soft-NC and Soft-NS use scores as probabilities, so how sharp scores are moves the number, whatever the ranking (see
# [the same question for ReAGent](../reagent/audit_sharpness)). `permuted` gives a method's own values to its tokens in
# random order: exactly as sharp, without knowledge. `ranked` replaces scores by their ranks, negative ones among
# them: of one prompt all methods become equally sharp (but where scores are equal) and keep their order. Reads
# `results/<profile>/noiser_knowns`. Cost: from stored rows, seconds. Left out: the paper's models and prompts.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with antecedents
n_items: int = 24  # 0 takes all kept prompts
random_seeds: int = 1  # seeds of noiser and of permutations
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.study import Study
from attribook.papers.noiser.settings import KNOWNS
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.sharpness import sharpness

methods = ("noiser", "occlusion", "input_x_gradient")
changed = [f"{name}:{variant}" for variant in ("permuted", "ranked") for name in methods]
controls = ("random:one_hot_random", "random:flat")
given = {"profile": profile, "model": model, "dataset": dataset, "n_items": n_items, "keep": keep, "seed": seed}
random = Study(**KNOWNS, **given, methods=("random",), random_seeds=5)
study = Study(**KNOWNS, **given, methods=(*methods, *changed, *controls), random_seeds=random_seeds)
frame, scores = pd.concat([random.frame(), study.frame()], ignore_index=True), study.scores()
METRICS, where = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}, f"{model}, {dataset}, protocol noiser-paper"

# %% tags=["answer", "remove-input"]
groups, explained = ["metric", "variant", "method"], frame[frame["method"] != "random"]
ours = estimate(frame, "log_ratio", groups, against={"method": "random", "variant": ""}).set_index(groups)
own = estimate(explained, "log_ratio", groups, against={"variant": "permuted"}).set_index(groups)


def place(table, metric, variant):
    values = table["value"].reindex([(metric, variant, name) for name in methods])
    return f"{values.rank(ascending=False, na_option='bottom').iloc[0]:.0f}"  # noiser is the first of the methods


lines = [
    f"- **{name}**: of {len(methods)} methods Noiser is number {place(ours, metric, '')} by its scores, "
    f"{place(ours, metric, 'ranked')} by its ranks alone, and {place(own, metric, '')} by what its order adds to its "
    f"own values, {in_words(own.loc[(metric, '', 'noiser')])}. Against random scores, everything on one random token "
    f"gives {in_words(ours.loc[(metric, 'one_hot_random', 'random')])}, the same for every token "
    f"{in_words(ours.loc[(metric, 'flat', 'random')])}."
    for metric, name in METRICS.items()
]
seeds = f"{study.n_kept()} Seeds of noiser and of permutations: {random_seeds}."
Markdown("\n".join([*lines, "", f"All numbers are in nats. {seeds}"]))

# %% [markdown]
# ## How sharp the scores are
#
# `largest` and `entropy` (1 is flat): how sharp the scores are. `antecedent`: how often one of the three best tokens
# lies there. All are means over prompts. The model is small and not one of the paper's.

# %%
sharp = estimate(sharpness(scores)).pivot(index="method", columns="metric", values="value")
sharp = sharp.reindex(index=list(methods), columns=["largest", "entropy", "antecedent", "distractor"])
table(sharp.dropna(axis="columns", how="all"), f"Sharpness and hits, means over prompts, {where}")

# %% [markdown]
# ## What is left of the order of the methods?
#
# `log-ratio`: to random scores, as in the paper. `ranks alone`: the same of the ranks. `own order`: the method against
# its own values in random order, with its 95% interval: what the ranking is worth at equal sharpness. All are in nats.

# %%
by = ["metric", "method", "variant"]
ratios = estimate(frame, "log_ratio", by, against={"method": "random", "variant": ""})
own_order = estimate(frame[frame["method"] != "random"], "log_ratio", by, against={"variant": "permuted"})
own_order = own_order[own_order["variant"] == ""].rename(columns={"low": "own order low", "high": "own order high"})
wide = ratios.pivot(index=["metric", "method"], columns="variant", values="value")
wide = wide[["", "ranked"]].set_axis(["log-ratio", "ranks alone"], axis="columns")
listed = wide.reset_index().merge(own_order, on=["metric", "method"]).sort_values("log-ratio", ascending=False)

# %%
for metric, name in METRICS.items():
    shown = listed[listed["metric"] == metric]
    hidden = ["metric", "variant", "failed", "p", "detectable"]
    display(table(shown, f"{name} of scores, ranks and order, {where}", drop=hidden, names={"value": "own order"}))

# %% [markdown]
# Two controls know nothing. They are compared with random scores: everything on one random token (`one_hot_random`),
# and the same for every token (`flat`).

# %%
table(ratios[ratios["method"] == "random"], f"Controls against random scores, {where}", drop=["method", "failed", "p"],
      names={"variant": "control", "value": "log-ratio"})  # fmt: skip
