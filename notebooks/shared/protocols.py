# ---
# jupyter:
#   attribook:
#     reads: [protocol_options, reagent_departures, reagent_longra]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Protocols
#
# A protocol freezes every option that moves a number. There is one for each paper as written, one for its code as
# released where the two differ, and ours. This page prints what the code holds and what stored rows say; it computes
# nothing.

# %% tags=["parameters"]
profile: str = "laptop"  # the profile this run belongs to

# %% tags=["remove-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.papers.protocol_options import erasure_moves, method_moves, options_table, rpi_moves, soft_moves
from attribook.grid.protocols import PROTOCOLS
from attribook.papers.reagent.option_effects import option_effects
from attribook.show.tables import moves_listing, table

Markdown("\n".join(f"- **{name}**: {protocol.about}." for name, protocol in PROTOCOLS.items()))

# %% [markdown]
# ## Options of the soft metrics
#
# - `distance`: `hellinger` is $H(P,Q)=\frac{1}{\sqrt2}\lVert\sqrt P-\sqrt Q\rVert_2$; `hellinger_released` is
#   $\sqrt2\,H^2$, which ReAGent's released code computes under the name of Hellinger since 7 August 2023. After
#   normalisation the factor cancels, so each draw's Soft-NC is squared and log-ratios roughly double.
# - `scores_as`: how scores become keep probabilities. `clip_sum` clips at 0 and divides by the sum, `abs_sum` takes
#   absolute values first, `as_is` uses scores unchanged, `softmax` normalises their exponentials.
# - `draws`: Bernoulli masks a prompt and metric. The papers draw one; more draws have the same expectation and less
#   noise.
# - `specials`: whether BOS and other special tokens can be removed (`mask`) or never are (`keep`).
# - `random`: the form of the scores by whose mean every method is divided.

# %% tags=["remove-input"]
table(options_table("soft"), caption="Options of the soft metrics by protocol")

# %% [markdown]
# What each does alone, from our protocol, to three methods whose scores can be negative: how far the log-ratio to
# random moves, in nats, with the 95% interval over prompts, and the smallest true move that these prompts would show.
# `specials` moves nothing on SmolLM2, whose prompts have no special token. One draw in the place of eight is not meant
# to move a number: what it moves is the noise that a single draw adds. The form of the baseline is switched in the
# table of ReAGent's options below.

# %% tags=["remove-input"]
moves_listing(
    soft_moves(profile), "Moves of log-ratios by option of the soft metrics", "reagent_longra, protocol_options"
)

# %% [markdown]
# ## Options of the erasure metrics
#
# Sufficiency, comprehensiveness, log-odds and their averages ask what is left of the prediction when tokens go.
#
# - `share`, `shares`: how many of the tokens go (for sufficiency: stay), in percent; `rounding` and `least` make that a
#   number of tokens, which in the released code may be 0. `empty`: what sufficiency is then.
# - `operator`: `delete` takes a token out and moves the others up, `mask` puts the mask token in its place.
# - `divisor`: an average over five shares divides their sum by 5 (`bins`); the released code divides by 6.
# - `explained`: the most probable answer, right or wrong. `specials`: special tokens stay where they are.

# %% tags=["remove-input"]
table(options_table("erasure"), caption="Options of the erasure metrics by protocol")

# %% [markdown]
# What each does alone, from RPI as written, to the mean over texts. `empty` needs `least=0` to do anything, so that is
# its base.

# %% tags=["remove-input"]
moves_listing(erasure_moves(profile), "Moves of means by option of the erasure metrics", "protocol_options")

# %% [markdown]
# ## Options of the methods
#
# Only options that a protocol sets; everything else is at the default that `attribook methods` prints.

# %% tags=["remove-input"]
settings = [
    {"protocol": name, "method": method, **{"options": ", ".join(f"{k}={v}" for k, v in chosen.items())}}
    for name, protocol in PROTOCOLS.items()
    for method, chosen in protocol.methods.items()
]
table(pd.DataFrame(settings), caption="Method options by protocol")

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
# ### What each does alone
#
# From our protocol. Rows of the plain methods are those of
# [the table on LongRA](../reagent/table_2_longra).

# %% tags=["remove-input"]
moves_listing(method_moves(profile), "Moves of log-ratios by option of a method", "reagent_longra, protocol_options")

# %% [markdown]
# RPI's own options, from its text: one at a time as in the released code. The scores are the mean over two drawn
# baselines; `layers=-3` is the layer that the released code explains.

# %% tags=["remove-input"]
moves_listing(rpi_moves(profile), "Moves of means by option of RPI", "protocol_options")

# %% [markdown]
# ReAGent's own, each switched alone from the paper's reading, from the stored rows of
# [the audit of departures](../reagent/audit_departures), which says what it leaves out.

# %% tags=["remove-input"]
moves_listing(option_effects(profile), "Moves of ReAGent's log-ratios", "reagent_departures")

# %% [markdown]
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
