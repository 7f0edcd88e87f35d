"""ALTI, aggregation of layer-wise token-to-token interactions: how near each token's vector is to the whole.

The paper's: y_i is what the attention block puts out, after residual and layer norm; nearness is in the L1 norm and
cut at zero; rows are divided by their sum and multiplied over the layers. The feed-forward network is not in it.
Our reading: T_i(x_j) has no bias, as the paper writes W_V^h x_j; what the value, output and layer norm biases add to
y_i belongs to no token. `value_bias=True` puts the value bias into T_i(x_j), weighted by attention like x_j. A position
to which no token contributes is an error, because the paper does not say what its row should be.
"""

from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.decomposition import LayerState, layer_maps, rollout, traced
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(
    version=1,
    forwards="1",
    kinds=("sequence_classifier",),
    why="it follows tokens through the layers of an encoder to its CLS",
)
def alti(
    model: Explained, encoding: Encoding, *, generator: Generator | None = None, value_bias: bool = False
) -> Tensor:
    r"""How much of each token reaches CLS, by how near the vector it sends comes to the attention block's output. A
    vector counts for what it takes the output nearer to, so that one which others cancel counts for little. Layers are
    chained by multiplication, and no class is asked about: the scores are the same for every answer.

    Formula: T_i(x_j) = LN1_i(sum_h alpha^h_ij W_O^h W_V^h x_j + [i = j] x_i), with LN_i(v) = (v - mean(v)) / s_i *
        gamma and s_i the true deviation; c_ij = max(0, ||y_i||_1 - ||y_i - T_i(x_j)||_1); C_ij = c_ij / sum_j c_ij;
        a = row of CLS of C_L ... C_1.
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. The same for every class.
    Raises:  AttribookError for a network other than BERT, RoBERTa and DistilBERT classifiers, or where no token
        contributes to a position.
    Source:  Ferrando et al. 2022.
    Differs: The paper treats post-norm encoders as here; its released code was not looked at. The value bias is in no
        token's vector by default and moves into it by `value_bias`.
    """
    del generator
    maps = layer_maps(traced(model, encoding), nearness, value_bias=value_bias)  # (L, T, T)
    return rollout(maps)[encoding.reads].cpu()


def nearness(state: LayerState, rows: slice, vectors: Tensor) -> Tensor:
    """Contributions `(t, T)` of vectors `(t, T, D)` to the outputs y of the attention block."""
    y = state.z[rows, None]  # (t, 1, D)
    return (y.abs().sum(dim=-1) - (y - vectors).abs().sum(dim=-1)).clamp(min=0)
