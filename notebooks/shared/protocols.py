# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Protocols
#
# A protocol fixes every option that moves a number. There is one for each paper as written, one for its released code
# where code and text differ, and ours. This page lists them and asks what each option does alone. It reads
# `results/<profile>/protocol_options` and `reagent_longra`, which takes seconds. The models are small ones of ours and
# not the papers', so the size of a move is a property of these models.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # of the soft metrics: a known name, a folder, or a hub id
dataset: str = "longra-mini"  # its prompts
n_items: int = 40  # prompts for the options of the soft metrics; 0 takes all kept prompts
few_items: int = 12  # of them for the options whose scores have to be computed again
second: str = ""  # another model, for the options of the soft metrics; empty for none
second_items: int = 24  # its prompts; 0 takes all kept prompts
keep: str = "correct_both"  # correct_both, correct, or all
classifier: str = "minilm-rotten-tomatoes"  # of the erasure metrics: a known name, a folder, or a hub id
texts: str = "rotten-tomatoes-held-out"  # its texts
n_texts: int = 24  # of these
trials: int = 2  # baselines that RPI draws
layer: str = "-3"  # of RPI's released code, -1 is the last
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.protocols import PROTOCOLS
from attribook.grid.study import Study
from attribook.papers.protocol_options import CHANGED, EMPTY, ERASURE_CHANGED, RPI_CHANGED, SIGNED
from attribook.papers.rpi.settings import ERASURE
from attribook.show.tables import table
from attribook.statistics.estimates import estimate
from attribook.statistics.squared_distance import as_released
from attribook.statistics.summaries import estimate_texts
from attribook.statistics.tests import decisions

soft, plain = ("soft_nc", "soft_ns"), dict.fromkeys(name.partition("{")[0] for name in CHANGED)
given = {"keep": keep, "seed": seed}
bases = [
    Study("reagent_longra", profile, name, dataset, "attribook", ("random", *plain), soft, n_items=n, **given)
    for name, n in ((model, n_items), (second, second_items))
    if name
]
few = {"n_items": few_items, **given}
changed = Study("protocol_options", profile, model, dataset, "attribook", CHANGED, soft, **few)
absolute = Study("protocol_options", profile, model, dataset, "attribook+scores_as=abs_sum", SIGNED, soft, **few)
erasing = {
    option: Study("protocol_options", profile, classifier, texts, "+".join(["rpi-paper", option]).rstrip("+"),
                  ("occlusion", "integrated_gradients"), tuple(ERASURE), n_items=n_texts, keep="all", seed=seed)
    for option in ("", *ERASURE_CHANGED, EMPTY)
}  # fmt: skip
released = [option.replace("layers=-3", f"layers={layer}") for option in RPI_CHANGED]
own = tuple(f"rpi{{trials={trials}{option}}}" for option in ("", *(f",{option}" for option in released)))
rpi = Study("protocol_options", profile, classifier, texts, "rpi-paper", own, tuple(ERASURE), n_items=n_texts,
            keep="all", seed=seed)  # fmt: skip

# %% tags=["answer", "remove-input"]
settings = pd.concat([changed.frame(), bases[0].frame()])
settings[["plain", "option"]] = settings["method"].str.rstrip("}").str.partition("{")[[0, 2]]
ratios = estimate(settings, "log_ratio", ["plain", "option", "metric"], against={"option": ""}, family=())
moving = ratios[decisions(ratios) != "undecided"]
names = (moving["plain"] + " with " + moving["option"]).unique()
Markdown(
    f"Of {len(CHANGED)} options of methods in which ReAGent's protocols differ from ours, {len(names)} move a "
    f"log-ratio of `{model}` on {dataset}{': ' * bool(len(names))}{', '.join(names)} (p below 5%, adjusted "
    f"by max-T over {len(ratios)} tests; n = {ratios['n'].min()} prompts at least). The tables below have each "
    "move with its interval."
)

# %% [markdown]
# ## All protocols

# %%
table(pd.DataFrame([{"protocol": name, "what it is": one.about} for name, one in PROTOCOLS.items()]), "Protocols")

# %% [markdown]
# ## Options of the soft metrics
#
# - `distance`: `hellinger` is $H(P,Q)=\frac{1}{\sqrt2}\lVert\sqrt P-\sqrt Q\rVert_2$. `hellinger_released` is
#   $\sqrt2\,H^2$, which ReAGent's released code computes under the name of Hellinger since 7 August 2023. The
#   normalisation removes the factor, so that the Soft-NC of each draw is squared and log-ratios roughly double.
# - `scores_as`: how scores become keep probabilities. `clip_sum` clips them at 0 and divides by their sum, `abs_sum`
#   takes absolute values first, `as_is` uses scores unchanged, and `softmax` normalises their exponentials.
# - `draws`: the number of Bernoulli masks for a prompt and metric. The papers draw one. More draws have the same
#   expectation and less noise.
# - `specials`: whether BOS and other special tokens can be removed (`mask`) or never are (`keep`).
# - `random`: the form of the random scores, by whose mean the mean of every method is divided.

# %%
options = {name: {**one.metric, "random": one.baseline["form"]} for name, one in PROTOCOLS.items()}
table(pd.DataFrame(options).T.rename_axis("protocol").reset_index(), "Options of the soft metrics by protocol")

# %% [markdown]
# What does each option do alone? We switch it in our protocol, for three methods whose scores can be negative. The
# table shows how far the log-ratio to random moves, in nats. `specials` moves nothing on SmolLM2, whose prompts have no
# special token. One draw in the place of eight is not meant to move a number: its row shows the noise that a single
# draw adds.

# %%
ours = pd.concat([base.frame() for base in bases]).assign(option="")
ours = ours[ours["method"].isin([*SIGNED, "random"])]
squared = as_released(ours).assign(option="distance=hellinger_released")
single = ours[ours["draw"] == 0].assign(option="draws=1")
random = ours[(ours["method"] == "random") & (ours["model"] == model)]
summed = pd.concat([absolute.frame(), random]).assign(option="scores_as=abs_sum")
switched = pd.concat([ours, squared, single, summed])
against = [{"method": "random"}, {"option": ""}]
moves = estimate(switched, "log_ratio", ["model", "option", "method", "metric"], against=against)
table(moves, f"Moves of log-ratios by option of the soft metrics, {dataset}", drop=["failed", "p"])

# %% [markdown]
# ## Options of the erasure metrics
#
# Sufficiency, comprehensiveness, log-odds and their averages ask what is left of the prediction when tokens are erased.
#
# - `share`, `shares`: how many of the tokens are erased (for sufficiency: kept), in percent. `rounding` and `least`
#   make a number of tokens of it, which may be 0 in the released code. `empty`: what sufficiency is in that case.
# - `operator`: `delete` removes a token and moves the others up, `mask` puts the mask token in its place.
# - `divisor`: an average over five shares divides their sum by 5 (`bins`); the released code divides by 6.
# - `explained`: the most probable answer, right or wrong. `specials`: special tokens stay where they are.
#
# Suff is sufficiency, Comp comprehensiveness, LO log-odds; A-S and A-C are averages of the first two over shares.

# %%
cells = [(name, ERASURE[metric], option, str(value)) for name, one in PROTOCOLS.items()
         for metric, given in one.metrics.items() for option, value in given.items()]  # fmt: skip
known = pd.DataFrame(cells, columns=["protocol", "metric", "option", "value"])


def written(cell: pd.DataFrame) -> str:
    values = cell.groupby("value", sort=False)["metric"].agg(", ".join)
    return values.index[0] if len(values) == 1 else "; ".join(f"{value} ({of})" for value, of in values.items())


wide = known.groupby(["option", "protocol"], sort=False)[["value", "metric"]].apply(written).unstack()
table(wide[known["protocol"].unique()].reset_index(), "Options of the erasure metrics by protocol")

# %% [markdown]
# What does each option do alone? We switch it in RPI's protocol as written. The table shows how far the mean over texts
# moves. `empty` has an effect only with `least=0`, so it is compared with that.

# %%
erased = pd.concat([study.frame().assign(option=option) for option, study in erasing.items()])
by, last = ["option", "method", "metric"], erased["option"].isin(["least=0", EMPTY])
moves = [estimate(erased[erased["option"] != EMPTY], "difference", by, against={"option": ""})]
moves += [estimate(erased[last], "difference", by, against={"option": "least=0"})]
moves = pd.concat(moves, ignore_index=True)
moves["move"] = estimate_texts(moves)
wide = moves.pivot(index=["option", "method", "n"], columns="metric", values="move")[list(ERASURE)].reset_index()
table(wide, f"Moves of means by option of the erasure metrics, {classifier}, {texts}", names={"n": "n (texts)"})

# %% [markdown]
# ## Options of the methods
#
# The table has only options that a protocol sets. All others are at the default that `attribook methods` prints.

# %%
given = [(name, method, ", ".join(f"{option}={value}" for option, value in chosen.items()))
         for name, one in PROTOCOLS.items() for method, chosen in one.methods.items()]  # fmt: skip
table(pd.DataFrame(given, columns=["protocol", "method", "options"]), "Method options by protocol")

# %% [markdown]
# ### What Noiser's text leaves open
#
# No code of it was found. These are our readings; each is an option of [noiser](../../methods/noiser) or of its study.
#
# - `reuse`, `search_vectors`: whether the search for the scale has the ten noise vectors of the final run (`True`,
#   ours), or one, or others.
# - `unchanged`: what an unchanged prediction is with several vectors: the most probable token of the `mean`
#   distribution (ours), or of `every` one.
# - `bound`: seven; the text lost which printed row is which norm ([Table 2](../noiser/table_2)).
# - `steps`: ten bisections, so a scale in [0, 1]; that no larger one is tried is deduced from the accuracy it states.
# - Negative scores, where noise helped: clipped at 0 and divided by their sum (`scores_as`), like those of the others.
# - Gradients: L2 norms over an embedding, as Inseq sums them up by default; path methods start from zero embeddings.
#   Their numbers of steps and samples, and LIME's settings, are not said: 20 steps of integrated gradients, 10 of
#   sequential integrated gradients, 5 samples of gradient SHAP, our defaults for LIME.
# - Special tokens: BOS stays, in methods and, by `specials`, as the soft metrics say above.

# ### The judge of answerability
#
# - `judge`: a model of this process (SmolLM2-135M-Instruct; Gemma 3 270M beside it), or one on a server. `asking`:
#   `plain`, it goes on with a line of words (ours); `chat`, the question in its chat template; `server`, the same to
#   `$OPENAI_BASE_URL`. The paper's prompt is lost; [Table 3](../noiser/table_3) prints ours.
# - `share`: half of the words, rounded up; of equal scores the earlier word is more important. A word is a piece
#   between spaces; its score is the sum of its tokens'. `draws`: three draws of random words, a control of ours.
# - An answer is right where its first words are the gold word, or what the model predicts where that is not it (a token
#   that begins the gold word counts as it; our reading of "the prediction"), without case and the signs around it; two
#   words of a local answer are kept, of at most eight tokens. `candidates`: five, for Table 6: the most probable first
#   tokens, each continued greedily; of a server, its five most probable first tokens (`top_logprobs`).
# - `mass`: of word scores, clipped at 0, that sum to 1. Scores without a positive one have the status `no positive
#   score`.
# - A server: temperature 0, `timeout` 60 s, `tries` 5 with back-off of 1, 2, 4, ... s or what Retry-After says, never
#   beyond `longest_wait` 120 s, `per_minute` 60 requests, `max_tokens` 16. What still fails has a status and is
#   counted.

# %% [markdown]
# ### What does each option do alone?
#
# We switch it in our protocol. Rows of the plain methods are those of
# [the table on LongRA](../reagent/table_2_longra). The random scores by which both are divided are the same, so the
# move of the log-ratio to random is the log-ratio of the two means. An interval is infinite where the mean of some
# resample is 0.

# %%
settings = pd.concat([changed.frame(), bases[0].frame()])
settings[["plain", "option"]] = settings["method"].str.rstrip("}").str.partition("{")[[0, 2]]
moves = estimate(settings, "log_ratio", ["plain", "option", "metric"], against={"option": ""})
table(moves, f"Moves of log-ratios by option of a method, {model}, {dataset}", names={"plain": "method"},
      drop=["failed", "p"])  # fmt: skip

# %% [markdown]
# RPI's own options, from its text: each is switched to the value in the released code. The scores are the mean over
# the drawn baselines. `layers` is the layer that the released code explains, the last but two.

# %%
frame = rpi.frame()
frame["option"] = frame["method"].str.rstrip("}").str.replace(rf"rpi{{trials={trials},?", "", regex=True)
moves = estimate(frame, "difference", ["option", "metric"], against={"option": ""})
moves["move"] = estimate_texts(moves)
wide = moves.pivot(index=["option", "n"], columns="metric", values="move").loc[released, list(ERASURE)]
table(wide.reset_index(), f"Moves of means by option of RPI, {classifier}, {texts}", names={"n": "n (texts)"})

# %% [markdown]
# What the options of ReAGent do alone stands on [the audit of departures](../reagent/audit_departures).
#
# ## What all protocols share
#
# - The embedding of a removed element is zero; its position stays.
# - A baseline or operator `mask` is the tokenizer's mask, unknown or padding token, the first that exists. SmolLM2's
#   unknown token is `<|endoftext|>`, which ends a document: to this model a masked token says more than "nothing".
# - The reference distribution has all word embeddings zero.
# - A number of a soft metric is the log of a ratio of means over prompts, method to random baseline, in nats; one of
#   an erasure metric is the mean over prompts.
# - The random baseline is drawn for each prompt with several seeds and is the same for all methods of a table; the
#   released code drew another one for each method.
# - A prompt whose attribution or metric fails is left out and counted in the column `failed`. The released code let a
#   failed ReAGent attribution count as Soft-NC 1.
