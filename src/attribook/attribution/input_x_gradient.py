"""Input x gradient."""

from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import reduced
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=1, forwards="1", backwards="1")
def input_x_gradient(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    output: str = "probability",
    reduction: str = "sum",
) -> Tensor:
    r"""The gradient at the prompt, times the prompt: a first-order guess at each token's part. One backward pass. It
    looks at the prompt itself only, where a confident model may be flat.

    Formula: a_i = sum_d E_id * df/dE_id (`sum`), or the L2 norm over d of the same products (`l2`); E are the
        input embeddings as the model's embedding layer gives them, f the target's `output`.
    Shapes:  (T,).
    Range:   `sum` signed, in units of f; `l2` not negative. Higher is more important.
    Raises:  AttribookError for an unknown output or reduction.
    Source:  Shrikumar et al. 2016; Kindermans et al. 2016. Inseq reduces by `l2` and then divides by the sum.
    Differs: The paper explains a logit of an image classifier; ours explains the probability by default, and logits or
        log-probabilities by option. Inseq, and so ReAGent's tables, take the L2 norm over the embedding (`reduction`
        `l2`), which drops the sign. The gradient is that of the input embeddings, behind Gemma's scaling and before
        OPT's projection.
    """
    del generator
    grads, _ = model.gradients(encoding, encoding.embeds[None], output)  # (1, T, D)
    return reduced(encoding.embeds * grads[0], reduction)
