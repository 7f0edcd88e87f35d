# ---
# jupyter:
#   attribook:
#     finding: "**Soft-NC**"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Audit: do soft metrics reward the ranking, or how sharp the scores are?
#
# Soft-NC and Soft-NS use scores as probabilities of removing or keeping a token. Scores that add up to 1 and lie on one
# token remove that token whole; the same ranking, spread evenly, removes a little of everything. So a method can win by
# being sharp. In the released vectors ReAGent is the sharp one and attention, softmaxed there, nearly flat; how sharp
# each method is under our protocol stands in the tables.
#
# This page separates the two. `permuted` gives a method's own values to its tokens in random order: it is exactly as
# sharp and knows nothing. `ranked` replaces the scores by their ranks, negative scores among them: of one prompt all
# methods become equally sharp (but where scores are equal) and keep their order. Powers make the same scores flatter
# or sharper. Reads `results/<profile>/reagent_sharpness`. Cost: from stored rows, seconds; from scratch, two metrics of
# eight draws for every variant. Left out: the paper's models and prompts; the model here is small, and short prompts of
# our own are used because every variant is judged anew.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with antecedents
n_items: int = 24  # 0 takes all kept prompts
random_seeds: int = 2  # seeds of random methods and of permutations
keep: str = "correct"  # correct_both, correct, or all
with_released: bool = True  # add the score vectors that ReAGent's authors released
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from IPython.display import Markdown, display

from attribook.grid.study import Study
from attribook.papers.reagent.released import RELEASED
from attribook.papers.reagent.settings import METRICS
from attribook.show.figures import scatter
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.sharpness import sharpness
from attribook.statistics.tests import ABOVE, decisions

methods = ("occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap", "attention_last",
           "attention_mean", "attention_rollout", "reagent")  # fmt: skip
titles = {"": "log-ratio", "ranked": "ranks alone", "tempered_0.5": "flatter", "tempered_2": "sharper"}
changed = [f"{name}:{variant}" for variant in ("permuted", "ranked", "tempered_0.5", "tempered_2") for name in methods]
names = ("random", *methods, *changed, "random:one_hot_random", "random:flat")
study = Study("reagent_sharpness", profile, model, dataset, "attribook", names, tuple(METRICS),
              n_items=n_items, random_seeds=random_seeds, keep=keep, seed=seed)  # fmt: skip
frame, scores = study.frame(), study.scores()
released = RELEASED.frame() if with_released else None
by, where = ["method", "variant", "metric"], f"protocol attribook, {model}, {dataset}"

# %% tags=["answer", "remove-input"]
order = estimate(frame[frame["method"] != "random"], "log_ratio", by, against={"variant": "permuted"})
order = order[order["variant"] == ""].assign(decision=decisions)
ours = estimate(frame, "log_ratio", by, against={"method": "random", "variant": ""})
even = estimate(sharpness(scores)).query("metric == 'entropy'").set_index("method")["value"]
said = []
for metric, name in METRICS.items():
    found = order[order["metric"] == metric].set_index("method")
    mine = ours[(ours["metric"] == metric) & (ours["variant"] == "") & (ours["method"] != "random")].set_index("method")
    alike = -mine["value"].corr(even, method="spearman")
    said.append(
        f"- **{name}**: {(found['decision'] == ABOVE).sum()} of {len(found)} methods do better than their own values "
        f"in random order, ReAGent's order by {in_words(found.loc['reagent'])}, in nats. Over the {len(mine)} methods "
        f"the log-ratio to random and the sharpness of the scores (1 - entropy) have the rank correlation {alike:+.2f}."
    )
Markdown("\n".join([*said, "", f"{study.n_kept()} Seeds of random methods and permutations: {random_seeds}."]))

# %% [markdown]
# ## How sharp each method is, and what it hits
#
# `largest` and `entropy` (1 is flat) say how sharp the scores are; `antecedent` and `distractor`, how often one of the
# three best tokens lies there.

# %%
sharp = estimate(sharpness(scores)).pivot(index="method", columns="metric", values="value")
sharp = sharp.reindex(index=["random", *methods], columns=["largest", "entropy", "antecedent", "distractor"])
table(sharp.dropna(axis="columns", how="all"), f"Sharpness and hits, means over prompts, {where}")

# %% [markdown]
# ## Log-ratios of the scores, of their ranks, and of the method's own values in random order
#
# `log-ratio`: to random scores, as in the paper. `ranks alone`, `flatter` (power 0.5) and `sharper` (power 2): the same
# of the changed scores. `own order`: the method against its own values in random order, with its 95% interval; this is
# what the ranking is worth when sharpness is equal.

# %%
ours = estimate(frame, "log_ratio", by, against={"method": "random", "variant": ""})
wide = ours.pivot(index=["metric", "method"], columns="variant", values="value")[list(titles)].rename(columns=titles)
order = estimate(frame[frame["method"] != "random"], "log_ratio", by, against={"variant": "permuted"})
order = order[order["variant"] == ""].rename(
    columns={"value": "own order", "low": "own order low", "high": "own order high"}
)
listed = order.merge(wide, on=["metric", "method"]).sort_values("log-ratio", ascending=False)
listed = listed[["metric", "method", *titles.values(), "own order", "own order low", "own order high", "n"]]

# %%
table(listed[listed["metric"] == "soft_nc"], f"Soft-NC, {where}", drop=["metric"])

# %%
table(listed[listed["metric"] == "soft_ns"], f"Soft-NS, {where}", drop=["metric"])

# %% [markdown]
# Two controls know nothing. They are compared with random scores: everything on one random token (`one_hot_random`),
# and the same for every token (`flat`).

# %%
controls = ours[ours["method"] == "random"]
table(
    controls, f"Controls against random scores, {where}", drop=["method", "failed", "p"], names={"variant": "control"}
)

# %% [markdown]
# ## Does the order of the methods survive?

# %%
shown = listed[listed["metric"] == "soft_nc"].merge(sharp.reset_index(), on="method")
alt = f"Soft-NC against evenness of the scores, a point for each method, {where}"
scatter(shown, "entropy", "log-ratio", "method", alt)

# %% [markdown]
# The table has Spearman's rank correlation over methods between the log-ratio and how sharp the scores are, what they
# hit, and the log-ratio of the ranks alone.

# %%
both = listed.join(sharp, on="method").groupby("metric", sort=False)
kinds = [name for name in ("largest", "entropy", "ranks alone", "own order", "antecedent") if name in both.obj]
alike = both.apply(lambda rows: rows[kinds].corrwith(rows["log-ratio"], method="spearman"))
table(alike, f"Rank correlation with the log-ratio over {len(methods)} methods, {where}")

# %% [markdown]
# ## The authors' own vectors
#
# ReAGent's authors released the scores of seven methods for 157 LongRA prompts and GPT-2 medium, ReAGent in ten
# settings, with the Soft-NC and Soft-NS of each. No model is needed to ask how sharp they are and what they hit:
# `antecedent` and `distractor` are the shares of prompts with one of the five best tokens there. `log_nc`, `log_ns`: to
# the released random draw, true Hellinger distance, prompts with NaN vectors (`nan`) left out.

# %%
if with_released:
    display(
        table(released, "Released vectors of GPT-2 medium on LongRA: sharpness, hits, log-ratios", drop=["nan", "n"])
    )

# %%
if with_released:
    display(scatter(released, "entropy", "log_nc", "method", "Released Soft-NC against evenness, a point a setting"))

# %% [markdown]
# Spearman's rank correlation of `log_nc` with the other columns, over all rows above, most of which are settings of
# ReAGent:

# %%
if with_released:
    alike = released[["largest", "entropy", "antecedent"]].corrwith(released["log_nc"], method="spearman")
    display(
        table(
            alike.rename("rank correlation").rename_axis("with"), f"Rank correlation with log_nc, {len(released)} rows"
        )
    )
