"""Sequential integrated gradients: one path for each token, along which only that token changes."""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import baseline_embeds, quadrature, reduced
from attribook.models import CausalLM, Embed, Encoding


@method(version=1, forwards="T * (steps + 1)", backwards="T * steps")
def sequential_integrated_gradients(
    model: CausalLM,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    steps: int = 32,
    rule: str = "gauss_legendre",
    baseline: str = "mask",
    output: str = "probability",
    reduction: str = "sum",
) -> tuple[Tensor, dict[str, float]]:
    r"""Integrated gradients for one token at a time, all others staying as they are.

    Formula: a_i = sum_d (E_i - E'_i)_d * sum_k w_k df/dE_id (E with row i at E'_i + t_k (E_i - E'_i)); t_k, w_k
        and E' as in `integrated_gradients`. The paper's baseline is the `mask` token; a decoder's tokenizer
        has none, so the unknown or the padding token stands in. The paper divides the scores by their L2 norm:
        not done here, as it moves no ranking. A token that stands for nothing may cut off what stands before
        it: in a sentence tried with SmolLM2, `<|endoftext|>` took 15% to all of the target's probability away, the
        more the later it stood, and within 1/30 of the path. Few steps miss such a jump. Read the gap.
    Shapes:  (T,).
    Range:   `sum` signed, in units of f; a_i is f(E) - f(E with row i at E'_i), the drop of an occlusion, up to
        the rule's error (the details give its mean size over tokens as `mean_abs_completeness_gap`). The scores
        do not add up to anything. `l2` not negative. Higher is more important.
    Raises:  AttribookError for unknown names or fewer than one step.
    Source:  Enguehard 2023, the definition of SIG. RPI's tables take 30 steps.
    """
    del generator
    start = baseline_embeds(model, encoding, baseline)  # (T, D)
    ways = encoding.embeds - start
    points, weights = quadrature(rule, steps)
    products = torch.zeros(start.shape, dtype=torch.float64)
    # One token's path at a time: all of them would be T * steps whole prompts.
    for i, (way, origin) in enumerate(zip(ways, start, strict=True)):
        path = encoding.embeds.repeat(steps, 1, 1)  # (steps, T, D)
        path[:, i] = origin + points[:, None].to(way.dtype) * way
        grads, _ = model.gradients(encoding, path, output, start=i)  # (steps, T - i, D)
        products[i] = way.double() * (weights[:, None] * grads[:, 0].double()).sum(0)
    gaps = drops(model, encoding, start, output) - products.sum(-1)  # (T,)
    return reduced(products, reduction), {"mean_abs_completeness_gap": float(gaps.abs().mean())}


def drops(model: CausalLM, encoding: Encoding, start: Tensor, output: str) -> Tensor:
    """What the output loses `(T,)` when one token's embedding stands at its start."""
    one = torch.eye(len(encoding), dtype=torch.bool)[:, :, None]  # (T, T, 1)
    return model.output(encoding, output) - model.outputs(
        encoding, Embed(torch.where(one, start, encoding.embeds)), output
    )
