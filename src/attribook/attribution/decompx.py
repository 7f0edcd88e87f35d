"""DecompX: every hidden state as a sum of T vectors, one a token, carried through the whole network to the logit.

The paper's: vectors are propagated and never mixed between layers; attention weights and layer norm statistics are
held at their true values; an activation f becomes the factor f(z) / z at the true z, the line through the origin; the
pooler and the classifier are taken along; each bias is shared out to the tokens by absolute dot products (AbsDot).
The scores then sum to the logit, and their signs are the direction: a token with a positive score raises the logit of
the explained class, one with a negative score lowers it. Nothing is made absolute or normalised.

Our reading, where the text leaves it open:
- A token's own vector at the start is its whole embedding, position and segment included, after the embedding norm.
- The value bias and the output bias are one constant, W_O b_V + b_O, because a row of attention sums to 1. It is
  shared out over the attention's vectors before the residual is added, as is the second bias of the feed-forward
  network. The classifier's bias is shared by one weight a token, as at any layer, so the weights look at all classes.
- Where all weights of a share are zero, it is equal. At z = 0 the factor is the slope just right of it.
- `norm` (by length), `equal`, `abssim` (by absolute cosine) and `cls` (all to CLS) are alternatives that the released
  code names. With `equal` and `cls` a token that the head does not see can have a score.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from attribook.attribution.base import method
from attribook.attribution.decomposition import LayerState, Trace, head_matrices, linear_norm, row_chunks, traced
from attribook.errors import AttribookError
from attribook.models.encoder_parts import Activation
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

BIAS_RULES = ("absdot", "norm", "equal", "abssim", "cls")


@method(
    version=1,
    forwards="1",
    kinds=("sequence_classifier",),
    why="it follows tokens through the layers of an encoder to its CLS",
)
def decompx(
    model: Explained, encoding: Encoding, *, generator: Generator | None = None, bias: str = "absdot"
) -> tuple[Tensor, dict[str, float]]:
    r"""The logit as a sum of what each token brought to it, by carrying one vector a token through all layers. Nothing
    is mixed or shortened to a number on the way, so the scores have signs, ask about one class and sum to its logit.
    Attention weights, norms and the bends of activations are held as they were: who caused those is not asked.

    Formula: x_i = sum_k x_i<=k at every layer. Attention, residuals and layer norms act on each x_i<=k as linear
        maps, an activation as f(z) / z, and a bias b adds w_k b, w_k = |b . v_k| / sum_k |b . v_k| (`absdot`), with
        v_k the vectors it is added to; `norm`, `equal`, `abssim`, `cls` weigh otherwise. a_k = logit_c<=k.
    Shapes:  (T,).
    Range:   signed, in units of the logit, and sums to it (details: `completeness_gap`). Higher is more important.
    Raises:  AttribookError for a network other than BERT, RoBERTa and DistilBERT classifiers, an activation that
        is not 0 at 0, or an unknown bias rule.
    Source:  Modarressi et al. 2023.
    Differs: The paper explains with the scores of the predicted class, as here. Biases are shared out by the paper's
        AbsDot rule; its released code has the other rules too. A bias that stands after an attention block or a
        feed-forward network is shared out before the residual is added, which is our reading.
    """
    del generator
    if bias not in BIAS_RULES:
        raise AttribookError(f"Unknown rule {bias!r} for biases. Choose one of: {', '.join(BIAS_RULES)}.")
    trace = traced(model, encoding)
    scores = class_vectors(trace, encoding.reads, bias)[:, encoding.target].double()  # (T,)
    return scores.cpu(), {"completeness_gap": float(trace.logits[encoding.target].double() - scores.sum())}


@torch.no_grad()
def class_vectors(trace: Trace, reads: int, rule: str) -> Tensor:
    """What each token brings to each class's logit, `(T, C)`, for a head that reads position `reads`."""
    vectors = start_vectors(trace)  # (T, T, D)
    for state in trace.layers[:-1]:
        vectors = through_layer(state, vectors, slice(0, len(vectors)), rule)
    # of the last layer nothing but what the head reads is needed
    vectors = through_layer(trace.layers[-1], vectors, slice(reads, reads + 1), rule)  # (1, T, D)
    head = trace.parts
    vectors = linear(vectors, head.dense.weight, head.dense.bias, rule)
    vectors = vectors * slope(head.activation, head.dense(trace.last[reads]))
    return linear(vectors, head.classifier.weight, head.classifier.bias, rule)[0]


def start_vectors(trace: Trace) -> Tensor:
    """Each embedding is its own token's: `(T, T, D)` with x_i at (i, i) and zero elsewhere."""
    return torch.diag_embed(trace.layers[0].x.T).permute(1, 2, 0).contiguous()


@torch.no_grad()
def through_layer(state: LayerState, vectors: Tensor, rows: slice, rule: str) -> Tensor:
    """Vectors `(t, T, D)` of the given rows after a layer, from all rows `(T, T, D)` before it."""
    parts = state.parts
    result = attend(state, vectors, rows)  # (t, T, D)
    constant = functional.linear(parts.value.bias, parts.output.weight, parts.output.bias)  # (D,)
    for chunk in row_chunks(len(result), result.shape[1] * parts.ffn_in.out_features):
        v = with_bias(result[chunk], constant, rule) + vectors[rows][chunk]
        v = with_norm(parts.norm1, v, state.attended[rows][chunk], rule)
        hidden = linear(v, parts.ffn_in.weight, parts.ffn_in.bias, rule)  # (t, T, F)
        hidden *= slope(parts.activation, state.hidden[rows][chunk])[:, None]
        v = v + linear(hidden, parts.ffn_out.weight, parts.ffn_out.bias, rule)
        result[chunk] = with_norm(parts.norm2, v, state.summed[rows][chunk], rule)
    return result


def attend(state: LayerState, vectors: Tensor, rows: slice) -> Tensor:
    """sum_h sum_j alpha^h_ij W_O^h W_V^h x_j<=k without biases, `(t, T, D)`; head by head, to save memory."""
    result = torch.zeros_like(vectors[rows])
    for weights, w_v, w_o in zip(state.weights[:, rows], *head_matrices(state.parts, len(state.weights)), strict=True):
        mixed = torch.einsum("ij,jkd->ikd", weights, vectors @ w_v.T)  # (t, T, D / H)
        result += mixed @ w_o.T
    return result


def linear(vectors: Tensor, weight: Tensor, bias: Tensor, rule: str) -> Tensor:
    """A linear layer on vectors `(..., T, D)` whose sum over tokens is its input: `(..., T, D')`."""
    return with_bias(vectors @ weight.T, bias, rule)


def with_norm(norm: torch.nn.LayerNorm, vectors: Tensor, states: Tensor, rule: str) -> Tensor:
    """The layer norm of `states` (t, D) on their parts `vectors` (t, T, D), its bias shared out."""
    return with_bias(linear_norm(norm, vectors, states), norm.bias, rule)


def with_bias(vectors: Tensor, bias: Tensor, rule: str) -> Tensor:
    """A bias `(D,)` shared out over tokens: vectors `(..., T, D)` whose sum has grown by it."""
    return vectors + shares(vectors, bias, rule)[..., None] * bias


def shares(vectors: Tensor, bias: Tensor, rule: str) -> Tensor:
    """Each token's share of a bias, `(..., T)`, which sum to 1 over tokens."""
    if rule == "absdot":
        raw = (vectors @ bias).abs()
    elif rule == "norm":
        raw = vectors.norm(dim=-1)
    elif rule == "abssim":
        raw = (functional.normalize(vectors, dim=-1) @ bias).abs()
    else:
        raw = vectors.new_zeros(vectors.shape[:-1])
        raw[..., slice(None) if rule == "equal" else 0] = 1  # CLS comes first
    total = raw.sum(dim=-1, keepdim=True)
    return torch.where(total == 0, 1 / raw.shape[-1], raw / total)


def slope(activation: Activation, z: Tensor) -> Tensor:
    """f(z) / z; at 0 the slope just right of it. Raises: AttribookError if f(0) is not 0."""
    if float(activation(z.new_zeros(()))) != 0:
        raise AttribookError(
            "An activation of this network is not 0 at 0, so decompx cannot write it as a factor. "
            "Use integrated_gradients."
        )
    safe = torch.where(z == 0, torch.finfo(z.dtype).eps, z)
    return activation(safe) / safe
