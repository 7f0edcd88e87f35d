"""GlobEnc: norms of transformed vectors through whole encoder layers, multiplied over the layers.

The paper's: residuals and both layer norms are in, the feed-forward network is not decomposed, but the second norm
divides by the deviation of z + FFN(z), the vector that the network really normalises. Rows are divided by their sum.
Layer norm biases belong to no token and are left out. Rollout adds no identity, because the residual is in the maps.
A deviation belongs to a row, so it cancels when the row is divided by its sum: what is left of the norms is that they
centre and weigh by gamma, and what a layer's feed-forward network computes does not touch that layer's map.
Our reading: the value bias is part of the transformed vector, f(x) = (x W_V + b_V) W_O, as in Kobayashi et al. 2020
and 2021, on which GlobEnc builds; `value_bias=False` leaves it out. The output bias belongs to no token.
"""

from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.decomposition import LayerState, layer_maps, linear_norm, rollout, traced
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(
    version=1,
    forwards="1",
    kinds=("sequence_classifier",),
    why="it follows tokens through the layers of an encoder to its CLS",
)
def globenc(
    model: Explained, encoding: Encoding, *, generator: Generator | None = None, value_bias: bool = True
) -> Tensor:
    r"""How much of each token reaches CLS, by the length of the vector it sends through every encoder layer. Unlike
    attention it sees what is sent as well as where one looks, residuals and layer norms included. Layers are chained by
    multiplication, and no class is asked about: the scores are the same for every answer.

    Formula: z_ij = LN1_i(sum_h alpha^h_ij W_O^h (W_V^h x_j + b_V^h) + [i = j] x_i), N_ij = ||LN2_i(z_ij)||_2, with
        LN_i(v) = (v - mean(v)) / s_i * gamma and s_i the true deviation, for LN2 that of z + FFN(z); M_ij =
        N_ij / sum_j N_ij; a = row of CLS of M_L ... M_1. Without b_V if not `value_bias`.
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. The same for every class.
    Raises:  AttribookError for a network other than BERT, RoBERTa and DistilBERT classifiers.
    Source:  Modarressi et al. 2022.
    Differs: The paper's released code was not looked at; this is written from the method as the paper gives it, and
        the module says what is our reading. Deviations cancel when rows are divided by their sums, so what the
        feed-forward network computes does not touch its own layer's map.
    """
    del generator
    maps = layer_maps(traced(model, encoding), lengths, value_bias=value_bias)  # (L, T, T)
    return rollout(maps)[encoding.reads].cpu()


def lengths(state: LayerState, rows: slice, vectors: Tensor) -> Tensor:
    """L2 norms `(t, T)` of what the second layer norm makes of the vectors `(t, T, D)`."""
    return linear_norm(state.parts.norm2, vectors, state.summed[rows]).norm(dim=-1)
