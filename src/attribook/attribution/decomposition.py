"""What GlobEnc, ALTI and DecompX share: one forward taken apart, and vectors that each belong to one token.

T tokens, D width, H heads, F width of the feed-forward network, t some of the T rows. Once the attention weights and
the statistics of the layer norms are held at their true values, an attention block is linear in its input: its output
at position i is a sum of T vectors, one for each token j, and a constant made of the biases.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribook.errors import AttribookError
from attribook.models.encoder_parts import EncoderParts, LayerParts, encoder_parts
from attribook.models.encoding import Encoding
from attribook.models.engine import checked
from attribook.models.explained import Explained, eager_attention

CHUNK = 2**24  # numbers that the vectors of some rows may have at once (64 MiB in float32); moves no result


@dataclass(frozen=True)
class LayerState:
    """What one layer computed for a prompt."""

    parts: LayerParts
    weights: Tensor  # (H, T, T) attention
    x: Tensor  # (T, D) before the layer
    attended: Tensor  # (T, D) x + attention, before norm1
    z: Tensor  # (T, D) after norm1
    hidden: Tensor  # (T, F) feed-forward network before its activation
    summed: Tensor  # (T, D) z + feed-forward network, before norm2


@dataclass(frozen=True)
class Trace:
    """What an encoder with a head computed for a prompt."""

    parts: EncoderParts
    layers: list[LayerState]
    last: Tensor  # (T, D) after the last layer
    logits: Tensor  # (C,)


@torch.no_grad()
def traced(model: Explained, encoding: Encoding) -> Trace:
    """One forward of the prompt with everything that the decompositions need.

    The network gives its attention weights and the states between its layers. What lies within a layer follows from
    these by the layer's own modules, so nothing in the network is patched.
    """
    parts = encoder_parts(model.network)
    with eager_attention(model.network):
        output = model.network(
            input_ids=encoding.ids[None].to(model.network.device), output_attentions=True, output_hidden_states=True
        )
    model.engine._count(rows=1, tokens=len(encoding))
    states = [state[0] for state in output.hidden_states]  # L + 1 times (T, D)
    weights = [layer[0] for layer in output.attentions]  # L times (H, T, T)
    layers = [layer_state(*of_layer) for of_layer in zip(parts.layers, states[:-1], weights, strict=True)]
    return Trace(parts, layers, states[-1], checked(output.logits)[0])


def layer_state(parts: LayerParts, x: Tensor, weights: Tensor) -> LayerState:
    """What a layer computes from states `x` (T, D) when it attends with `weights` (H, T, T)."""
    values = parts.value(x).view(len(x), len(weights), -1)  # (T, H, D / H)
    heads = torch.einsum("hij,jhd->ihd", weights, values).flatten(1)  # (T, D)
    attended = parts.output(heads) + x
    z = parts.norm1(attended)
    hidden = parts.ffn_in(z)
    return LayerState(parts, weights, x, attended, z, hidden, parts.ffn_out(parts.activation(hidden)) + z)


def head_matrices(parts: LayerParts, heads: int) -> tuple[Tensor, Tensor]:
    """Each head's W_V `(H, D / H, D)` and W_O `(H, D, D / H)`, both to be applied from the left."""
    width = parts.value.out_features // heads
    w_v = parts.value.weight.view(heads, width, -1)
    return w_v, parts.output.weight.view(-1, heads, width).transpose(0, 1)


def linear_norm(norm: nn.LayerNorm, vectors: Tensor, states: Tensor) -> Tensor:
    """The layer norm as it acts on parts `vectors` (t, T, D) of `states` (t, D): linear, without its bias."""
    deviation = (states.var(dim=-1, correction=0) + norm.eps).sqrt()  # (t,)
    return (vectors - vectors.mean(dim=-1, keepdim=True)) / deviation[:, None, None] * norm.weight


def row_chunks(rows: int, size: int) -> Iterator[slice]:
    """Slices of rows with `size` numbers each that stay within CHUNK."""
    step = max(1, CHUNK // size)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def block_vectors(state: LayerState, value_bias: bool) -> Iterator[tuple[slice, Tensor]]:
    """The attention block by tokens, in chunks of rows i: vectors `(t, T, D)`.

    g_i(sum_h alpha^h_ij W_O^h (W_V^h x_j + b_V^h) + [i = j] x_i), g_i the linear norm1; b_V if `value_bias`.
    """
    tokens, width = state.x.shape
    w_v, w_o = head_matrices(state.parts, len(state.weights))
    values = torch.einsum("hcd,jd->hjc", w_v, state.x)  # (H, T, D / H)
    if value_bias:
        values = values + state.parts.value.bias.view(len(w_v), 1, -1)
    sent = values @ w_o.transpose(1, 2)  # (H, T, D)
    for rows in row_chunks(tokens, tokens * width):
        vectors = torch.einsum("hij,hjd->ijd", state.weights[:, rows], sent)  # (t, T, D)
        vectors.diagonal(rows.start).add_(state.x[rows].T)  # residual, to j = i only
        yield rows, linear_norm(state.parts.norm1, vectors, state.attended[rows])


Contribution = Callable[[LayerState, slice, Tensor], Tensor]


@torch.no_grad()
def layer_maps(trace: Trace, contribution: Contribution, *, value_bias: bool) -> Tensor:
    """Contributions `(L, T, T)` of token j to position i; each row sums to 1.

    `contribution(state, rows, vectors (t, T, D)) -> (t, T)`, not negative.
    Raises: AttribookError where a row is all zero: no share of nothing can be taken.
    """
    maps = []
    for number, state in enumerate(trace.layers):
        chunks = [contribution(state, *chunk) for chunk in block_vectors(state, value_bias)]
        raw = torch.cat(chunks).double()  # (T, T)
        total = raw.sum(dim=-1, keepdim=True)
        if bool((total == 0).any()):
            raise AttribookError(
                f"No token contributes to position {int(total.argmin())} in layer {number + 1}, so the layers cannot "
                "be combined for this prompt. Use decompx or integrated_gradients."
            )
        maps.append(raw / total)
    return torch.stack(maps)


def rollout(maps: Tensor) -> Tensor:
    """M_L ... M_1 of maps `(L, T, T)`: what each position holds of each input token, `(T, T)`; rows sum to 1."""
    result = maps[0]
    for layer in maps[1:]:
        result = layer @ result
    return result
