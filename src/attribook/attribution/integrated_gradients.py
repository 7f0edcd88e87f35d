"""Integrated gradients along the straight path from a baseline to the prompt."""

from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import baseline_embeds, quadrature, reduced
from attribook.errors import AttribookError
from attribook.models.edits import Embed
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

MOST_STEPS = 1_024  # of one path; what has not converged there has a jump on it


@method(version=2, forwards="steps + 1", backwards="steps")
def integrated_gradients(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    steps: int = 32,
    tolerance: float = 0.0,
    rule: str = "gauss_legendre",
    baseline: str = "zero",
    specials: str = "keep",
    output: str = "probability",
    reduction: str = "sum",
) -> tuple[Tensor, dict[str, float], bool | None]:
    r"""The gradient averaged along the way from an empty prompt to the prompt, times that way. The scores add up to the
    whole change of the prediction along it. What an empty prompt is must be chosen.

    Formula: a_i = sum_d (E - E')_id * sum_k w_k df/dE_id (E' + t_k (E - E')); t_k, w_k from `rule`:
        `gauss_legendre` on [0, 1], or `riemann`, the midpoints (k - 1/2) / steps with equal weights.
        `baseline` E': `zero` embeddings, or those of the `unk`, the `pad` or the `mask` token; where a tokenizer has no
        mask token, as decoders' have not, `mask` takes the unknown or else the padding token. Special tokens such as
        BOS and CLS stay as they are (`specials` `keep`) or move with the others (`perturb`). A network that begins
        with an RMS norm (Llama, Qwen2, Gemma) jumps right beside the zero baseline, where few steps look: expect a
        gap there. With a `tolerance`, the steps are doubled until the gap is at most that share of |f(E) - f(E')|
        twice in succession, since beside a jump it can be small by chance and large with more steps. Where 1,024
        steps do not suffice, the scores are those of the last path and `converged` is false. The details then
        count the points of all paths as `steps`, and those of the last one as `last_steps`.
    Shapes:  (T,); 0 at tokens that stay.
    Range:   `sum` signed, in units of f, adding up to f(E) - f(E') (completeness; the details give what is
        missing as `completeness_gap`); `l2` not negative. Higher is more important.
    Raises:  AttribookError for unknown names or fewer than one step.
    Source:  Sundararajan et al. 2017, equations 1 and 3. Captum's default rule is Gauss-Legendre with 50 steps.
    Differs: The paper integrates by a Riemann sum; ours is Gauss-Legendre by default, and the
        gap to completeness is reported for every prompt. Inseq starts from the unknown token's embedding, moves BOS
        too and takes the L2 norm (`baseline` `mask`, `specials` `perturb`, `reduction` `l2`, 50 steps in ReAGent's
        tables). Ours leaves special tokens where they are, as is usual for encoders.
    """
    del generator
    if not 0 <= tolerance < 1:
        raise AttribookError(f"tolerance is a share from 0 (off) up to 1, such as 0.05, not {tolerance}.")
    start = baseline_embeds(model, encoding, baseline, specials)  # (T, D)
    change = model.output(encoding, output) - float(model.outputs(encoding, Embed(start[None]), output)[0])
    products = along(model, encoding, start, steps, rule, output)
    gap, spent = change - float(products.sum()), steps
    before, steady = abs(gap) <= tolerance * abs(change), False
    while tolerance and not steady and 2 * steps <= MOST_STEPS:
        steps *= 2
        spent += steps
        products = along(model, encoding, start, steps, rule, output)
        gap = change - float(products.sum())
        now = abs(gap) <= tolerance * abs(change)
        before, steady = now, before and now
    if not tolerance:
        return reduced(products, reduction), {"completeness_gap": gap}, None
    return reduced(products, reduction), {"completeness_gap": gap, "steps": spent, "last_steps": steps}, steady


def along(model: Explained, encoding: Encoding, start: Tensor, steps: int, rule: str, output: str) -> Tensor:
    """The way from `start` to the prompt times the mean gradient on it, `(T, D)`."""
    way = encoding.embeds - start
    points, weights = quadrature(rule, steps)
    path = start + points[:, None, None].to(way.dtype) * way  # (steps, T, D)
    grads, _ = model.gradients(encoding, path, output)
    return way.double() * (weights[:, None, None] * grads.double()).sum(0)
