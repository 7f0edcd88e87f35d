"""ALTI-Logit: what every part of a decoder adds to the target's logit, carried back to the input tokens.

Ferrando et al. 2023, "Explaining How Transformers Use Context to Build Predictions", and Ferrando et al. 2022,
"Measuring the Mixing of Contextual Information in the Transformer" (ALTI), whose mixing it uses. The logit is a sum of
updates of the residual stream, each read through the final norm, taken as linear, and the unembedding.

What is theirs: an update of an attention layer is split by the position that it comes from and carried back through the
mixing of the layers below; updates of MLPs are looked at on their own and are in no token's score. Their released code
(mt-upc/logit-explanations, contributions.py and extract_explanations.py) leaves out the last position's own embedding,
too, and keeps b_O and the final norm's bias apart, while the first norm's bias and b_V go with the attention weights:
our defaults. It scores the difference of two words' logits; here it is one word's, so the score of a pair is the
difference of two calls.

What is our reading: `mlp` `carried` treats the MLP's input, which is position t after attention, as mixed in the way
the attention below and in its own layer mixes it. `biases` `apart` takes the constants out of the mixing as well as
out of the updates. A row of the mixing in which no transformed vector is nearer to the output than nothing is, which
is 0 / 0 in the papers, keeps its own position (counted in the details).
"""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.decoder_parts import Layer, trace
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.prompted import PromptedClassifier

# Numbers in one (rows, T, D) block of transformed vectors: 128 MB in float64. Moves no result.
BLOCK = 2**24


@method(
    version=1, forwards="1", kinds=("causal_lm", "prompted_classifier"), why="it takes the layers of a decoder apart"
)
def alti_logit(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    mlp: str = "apart",
    embedding: str = "apart",
    biases: str = "carried",
) -> tuple[Tensor, dict[str, float]]:
    r"""The target's logit split into updates by attention, each carried back to the tokens that it mixes. The scores
    have signs and ask about one word. What the feed-forward layers add belongs to no token by default and is reported.

    Formula: T_i(x_j) = sum_h A^h_ij W^h_O (W^h_V norm(x_j) + b^h_V), of layer l; t is the last position; v is the
        target's row of the unembedding after the final norm, at its scale in this forward.
        a_s = sum_l sum_j v . T_t(x_j) M^{l-1}_js, with M^l = C^l M^{l-1}, M^0 = I. C^l has the rows
        c_ij = max(0, |y_i| - |y_i - T_i(x_j) - [i = j] x_i|), each divided by its sum; |.| is the L1 norm, y_i
        the state after the attention of layer l. `mlp` `carried` adds sum_l v . MLP^l_t M^l_ts, `embedding`
        `carried` adds v . x^0_t to token t, `biases` `apart` leaves W_O (W_V beta + b_V), beta the norm's bias, out of
        T. What is `apart` stands in the details as `mlp`, `embedding` and `bias`; `bias` always holds b_O and the
        final norm's. `completeness_gap` is the logit less all of these and the scores. `unmixed_rows` counts
        rows of C that sum to 0, and stand at their own position instead.
    Shapes:  (T,).
    Range:   signed, in units of the logit; above 0 the token raises the target's logit. Scores and details sum to
        the logit, up to rounding: the gap.
    Raises:  AttribookError for a network that is not a pre-norm decoder of a known family, an unknown treatment.
    Source:  Ferrando et al. 2023; Ferrando et al. 2022 for C and M.
    Differs: The authors' released code scores the difference of two words' logits; here it is one word's, and the
        score of a pair is the difference of two calls. Like it, our defaults leave out MLPs and the last position's
        own embedding; with `mlp` and `embedding` `carried` the scores and the bias sum to the logit.
    """
    del generator
    for name, value in {"mlp": mlp, "embedding": embedding, "biases": biases}.items():
        if value not in ("carried", "apart"):
            raise AttribookError(f"Unknown treatment {name}={value!r} of alti_logit. Choose carried or apart.")
    kept = trace(model, encoding, "alti_logit")
    # A prompted classifier's classes are tokens, too.
    token = model.answers[encoding.target] if isinstance(model, PromptedClassifier) else encoding.target
    read, final_bias = kept.read(token)  # (D,), ()
    mixing = torch.eye(len(encoding), dtype=read.dtype, device=read.device)  # M: row i says what state i is made of
    scores, start = torch.zeros_like(mixing[0]), torch.zeros_like(final_bias)
    mlps, constants, unmixed = torch.zeros_like(final_bias), final_bias, 0
    for number, layer in enumerate(kept.layers()):
        start = layer.states[-1] @ read if number == 0 else start
        moved = layer.carried if biases == "carried" else layer.carried - layer.constant[:, None]  # (H, T, D)
        scores += torch.einsum("hj,hj->j", layer.maps[:, -1], moved @ read) @ mixing
        left = layer.carried - moved  # zero, or the same constant at every position
        constants = constants + layer.out_bias @ read + torch.einsum("hj,hj->", layer.maps[:, -1], left @ read)
        shares, empty = contributions(layer, moved)
        mixing, unmixed = shares @ mixing, unmixed + empty
        mlps = mlps + layer.mlp @ read
        if mlp == "carried":
            scores += layer.mlp @ read * mixing[-1]
    if embedding == "carried":
        scores[-1] += start
    details = {
        "mlp": float(mlps) if mlp == "apart" else 0.0,
        "embedding": float(start) if embedding == "apart" else 0.0,
        "bias": float(constants),
    }
    gap = model.output(encoding, "logit") - float(scores.sum()) - sum(details.values())
    return scores.cpu(), {**details, "completeness_gap": gap, "unmixed_rows": unmixed}


def contributions(layer: Layer, moved: Tensor) -> tuple[Tensor, int]:
    """One layer's C `(T, T)`, rows sum to 1, and how many rows had no positive entry.

    Rows are computed in blocks: the transformed vectors of all pairs of positions would be (T, T, D).
    """
    T, D = layer.states.shape
    blocks = []
    for rows in torch.arange(T, device=moved.device).split(max(1, BLOCK // (T * D))):
        whole = layer.states[rows] + layer.attended[rows]  # (b, D)
        vectors = torch.einsum("hij,hjd->ijd", layer.maps[:, rows], moved)  # (b, T, D)
        vectors[rows - rows[0], rows] += layer.states[rows]
        distance = (whole[:, None] - vectors).abs().sum(-1)  # (b, T)
        blocks.append((whole.abs().sum(-1, keepdim=True) - distance).clamp(min=0))
    nearness = torch.cat(blocks)  # (T, T)
    total = nearness.sum(-1, keepdim=True)
    empty = total == 0
    own = torch.eye(T, dtype=nearness.dtype, device=nearness.device)
    return torch.where(empty, own, nearness / total.where(~empty, 1)), int(empty.sum())
