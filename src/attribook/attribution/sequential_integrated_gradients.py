"""Sequential integrated gradients: one path for each token, along which only that token changes."""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import baseline_embeds, quadrature, reduced
from attribook.models.edits import Embed
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=2, forwards="P * (steps + 1)", backwards="P * steps")
def sequential_integrated_gradients(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    steps: int = 32,
    rule: str = "gauss_legendre",
    baseline: str = "mask",
    specials: str = "keep",
    output: str = "probability",
    reduction: str = "sum",
) -> tuple[Tensor, dict[str, float]]:
    r"""Integrated gradients for one token at a time, all others staying as they are. The points of the path stay near
    real prompts, since only one word of them is strange. It costs a path for every token.

    Formula: a_i = sum_d (E_i - E'_i)_d * sum_k w_k df/dE_id (E with row i at E'_i + t_k (E_i - E'_i)); t_k, w_k
        and E' as in `integrated_gradients`. The paper's baseline is the `mask` token; a decoder's tokenizer
        has none, so the unknown or the padding token stands in. The paper divides the scores by their L2 norm:
        not done here, as it moves no ranking. A token that stands for nothing may cut off what stands before
        it, as SmolLM2's `<|endoftext|>` does, and that is a jump on the path which few steps miss. Read the gap.
    Shapes:  (T,); 0 at tokens that stay (`specials` as in `integrated_gradients`).
    Range:   `sum` signed, in units of f; a_i is f(E) - f(E with row i at E'_i), the drop of an occlusion, up to
        the rule's error (the details give its mean size over tokens as `mean_abs_completeness_gap`). The scores
        do not add up to anything. `l2` not negative. Higher is more important.
    Raises:  AttribookError for unknown names or fewer than one step.
    Source:  Enguehard 2023, the definition of SIG. RPI's tables take 30 steps.
    Differs: The paper uses the mask token and divides the scores by their L2 norm; ours does not divide, which moves
        no ranking. RPI's tables take 30 steps.
    """
    del generator
    start = baseline_embeds(model, encoding, baseline, specials)  # (T, D)
    ways = encoding.embeds - start
    points, weights = quadrature(rule, steps)
    products = torch.zeros(start.shape, dtype=torch.float64)
    moves = encoding.movable(specials)
    # One token's path at a time: all of them would be T * steps whole prompts.
    for i in moves.nonzero()[:, 0].tolist():
        way = ways[i]
        path = encoding.embeds.repeat(steps, 1, 1)  # (steps, T, D)
        path[:, i] = start[i] + points[:, None].to(way.dtype) * way
        grads, _ = model.gradients(encoding, path, output, start=i)  # (steps, T - i, D)
        products[i] = way.double() * (weights[:, None] * grads[:, 0].double()).sum(0)
    gaps = drops(model, encoding, start, moves, output) - products[moves].sum(-1)  # (P,)
    return reduced(products, reduction), {"mean_abs_completeness_gap": float(gaps.abs().mean())}


def drops(model: Explained, encoding: Encoding, start: Tensor, moves: Tensor, output: str) -> Tensor:
    """What the output loses `(P,)` when the embedding of one of the P tokens that move stands at its start."""
    one = torch.eye(len(encoding), dtype=torch.bool)[moves][:, :, None]  # (P, T, 1)
    return model.output(encoding, output) - model.outputs(
        encoding, Embed(torch.where(one, start, encoding.embeds)), output
    )
