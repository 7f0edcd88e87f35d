# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Audit: sharp or right?
#
# Soft-NC and Soft-NS use scores as probabilities of removing or keeping a token. Scores that add up to 1 and lie on one
# token remove that token whole; the same ranking, spread evenly, removes a little of everything. So a method can win by
# being sharp. In the released vectors ReAGent is the sharp one and attention, softmaxed there, nearly flat; how sharp
# each is under our protocol stands in the tables.
#
# This page takes the two apart. `permuted` gives a method's own values to its tokens in random order: it is exactly as
# sharp and knows nothing. `ranked` replaces the scores by their ranks, negative scores among them: of one prompt all
# methods become equally sharp (but where scores are equal) and keep their order. Powers make the same scores flatter
# or sharper. Reads `results/<profile>/reagent_sharpness`. Cost: from stored rows, seconds; from scratch, two metrics of
# eight draws for every variant. Left out: the paper's models and prompts; short prompts of our own are used because
# every variant is judged anew.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
dataset: str = "knowns-mini"  # a data set with antecedents
n_items: int = 24  # 0 takes all kept prompts
random_seeds: int = 2  # seeds of random methods and of permutations
keep: str = "correct"  # correct_both, correct, or all
with_released: bool = True  # add the score vectors that ReAGent's authors released
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.grid.study import Study
from attribook.papers.reagent.released import released_table
from attribook.show.figures import scatter
from attribook.show.tables import table
from attribook.statistics.bootstrap import log_ratio
from attribook.statistics.sharpness import rank_agreement, sharp_or_right, sharpness

methods = ("occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap", "attention_last",
           "attention_mean", "attention_rollout", "reagent")  # fmt: skip
powers = {"flatter": "tempered_0.5", "sharper": "tempered_2"}
variants = [f"{name}:{variant}" for variant in ("permuted", "ranked", *powers.values()) for name in methods]
controls = ("random:one_hot_random", "random:flat")
metrics = ("soft_nc", "soft_ns")
names = ("random", *methods, *variants, *controls)
study = Study("reagent_sharpness", profile, model, dataset, "attribook", names, metrics,
              n_items=n_items, random_seeds=random_seeds, keep=keep, seed=seed)  # fmt: skip
rows, vectors = study.rows(), sharpness(study.scores())
titles = {"ranks alone": "ranked", **powers}
found = {metric: sharp_or_right(rows, vectors, metric, methods, titles) for metric in metrics}
found = {metric: frame.dropna(axis="columns", how="all") for metric, frame in found.items()}
shares = dict.fromkeys(("largest", "entropy", "antecedent", "distractor"), "{:.2f}")
formats = shares | dict.fromkeys(("log-ratio", *titles, "own order", "low", "high"), "{:+.2f}")
Markdown(f"{study.n_kept()} Seeds of random methods and permutations: {random_seeds}. Protocol `attribook`.")

# %% [markdown]
# ## Soft-NC
#
# `log-ratio`: to random scores, as in the paper. `ranks alone`, `flatter` (power 0.5), `sharper` (power 2): the same of
# the changed scores. `own order`: the method against its own values in random order, with its 95% interval; this is
# what the ranking is worth when sharpness is equal. `largest` and `entropy` (1 is flat) say how sharp the scores are;
# `antecedent` how often one of the three best tokens lies there.

# %% tags=["remove-input"]
table(found["soft_nc"], caption=f"Soft-NC, sharp or right: {model}, {dataset}", formats=formats)

# %% tags=["remove-input"]
nc = found["soft_nc"]
lone, even = (log_ratio(rows, name, "soft_nc") for name in controls)
Markdown(
    "Controls that know nothing, against random scores: everything on one random token "
    f"**{lone.value:+.2f}** ({lone.low:+.2f} to {lone.high:+.2f}), the same for every token **{even.value:+.2f}** "
    f"({even.low:+.2f} to {even.high:+.2f})."
)

# %% [markdown]
# ## Soft-NS

# %% tags=["remove-input"]
table(found["soft_ns"], caption=f"Soft-NS, sharp or right: {model}, {dataset}", formats=formats)

# %% [markdown]
# ## Does the order of the methods survive?

# %% tags=["remove-input"]
scatter(nc, "entropy", "log-ratio", "method", "Soft-NC against evenness of the scores, a point for each method")

# %% tags=["remove-input"]
lines = [
    f"- **{metric}**: rank correlation over {len(methods)} methods between the log-ratio and sharpness (1 - entropy) "
    f"{-rank_agreement(frame, 'log-ratio', 'entropy'):+.2f}; between the log-ratio and that of the ranks alone "
    f"{rank_agreement(frame, 'log-ratio', 'ranks alone'):+.2f}; between the log-ratio and the antecedent hit rate "
    f"{rank_agreement(frame, 'log-ratio', 'antecedent'):+.2f}."
    for metric, frame in found.items()
]
Markdown("\n".join(lines))

# %% [markdown]
# ## The authors' own vectors
#
# ReAGent's authors released the scores of seven methods for 157 LongRA prompts and GPT-2 medium, ReAGent in ten
# settings, with the Soft-NC and Soft-NS of each. No model is needed to ask how sharp they are and what they hit:
# `antecedent` and `distractor` are the shares of prompts with one of the five best tokens there. `log_nc`, `log_ns`: to
# the released random draw, true Hellinger distance, prompts with NaN vectors (`nan`) left out.

# %% tags=["remove-input"]
released = released_table() if with_released else None
if with_released:
    logs = dict.fromkeys(("log_nc", "log_ns"), "{:+.2f}")
    display(table(released, caption="Released vectors: sharpness, hits and log-ratios", formats=shares | logs))

# %% tags=["remove-input"]
if with_released:
    display(scatter(released, "entropy", "log_nc", "method", "Released Soft-NC against evenness, a point a setting"))
    facts = [(what, rank_agreement(released, "log_nc", what)) for what in ("largest", "entropy", "antecedent")]
    said = ", ".join(f"{what} {value:+.2f}" for what, value in facts)
    rows_above = f"the {len(released)} rows above, most of which are settings of ReAGent"
    display(Markdown(f"Rank correlation of log_nc over {rows_above}, with: {said}."))
