"""GradientSHAP: gradients at random points between a baseline and the prompt."""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import baseline_embeds, reduced
from attribook.errors import AttribookError
from attribook.models.edits import Embed
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=2, forwards="samples + 1", backwards="samples", random=True)
def gradient_shap(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    samples: int = 32,
    stdev: float = 0.0,
    baseline: str = "zero",
    specials: str = "keep",
    output: str = "probability",
    reduction: str = "sum",
) -> tuple[Tensor, dict[str, float]]:
    r"""The gradient at random points on the way from an empty prompt to the prompt, times that way. It is integrated
    gradients by dice, and with noise on the prompt it also averages over the prompt's neighbourhood.

    Formula: a_i = sum_d 1/S sum_s (E + n_s - E')_id * df/dE_id (E' + u_s (E + n_s - E')), with u_s ~ U[0, 1] and
        n_s ~ N(0, stdev^2) on every entry of the embeddings that move, drawn anew for each of S = `samples`.
        `baseline` E' as in `integrated_gradients`: one point, not a distribution, so without noise this is integrated
        gradients by a Monte Carlo rule. `l2` is the norm over d of the mean products. `stdev` is in units of the
        embeddings, whose spread differs from model to model.
    Shapes:  (T,); 0 at tokens that stay (`specials` as in `integrated_gradients`).
    Range:   `sum` signed, in units of f, adding up to f(E) - f(E') as S grows if `stdev` is 0 (the details give
        what is missing as `completeness_gap`); `l2` not negative. Higher is more important.
    Raises:  AttribookError for unknown names, fewer than one sample or a negative `stdev`.
    Source:  Lundberg and Lee 2017 name expected gradients; the form is captum's GradientShap, there with 5 samples,
        `stdev` 0. Inseq, and so ReAGent's tables, take those, the `mask` baseline and `l2`, then divide by the sum.
    Differs: The paper averages over a distribution of baselines; a prompt has no natural one, so there is one baseline
        and the randomness is that of the points. captum takes 5 samples and its own global generator; ours takes 32
        and the generator it is given.
    """
    if samples < 1:
        raise AttribookError(f"gradient_shap needs at least one sample, not {samples}.")
    if not stdev >= 0:
        raise AttribookError(f"The noise of gradient_shap has a stdev of at least 0, not {stdev}. Choose 0 for none.")
    start = baseline_embeds(model, encoding, baseline, specials)  # (T, D)
    moves = encoding.movable(specials)[:, None]  # (T, 1)
    products = torch.zeros(start.shape, dtype=torch.float64)
    u = torch.rand(samples, generator=generator, dtype=torch.float64)
    for part in u.split(max(1, model.engine.token_budget // len(encoding))):
        ways = encoding.embeds - start + moves * noise(len(part), start, stdev, generator)  # (s, T, D)
        grads, _ = model.gradients(encoding, start + part[:, None, None].to(start.dtype) * ways, output)
        products += (ways.double() * grads.double()).sum(0)
    products /= samples  # (T, D)
    empty = float(model.outputs(encoding, Embed(start[None]), output)[0])
    gap = model.output(encoding, output) - empty - float(products.sum())
    return reduced(products, reduction), {"completeness_gap": gap}


def noise(samples: int, like: Tensor, stdev: float, generator: Generator) -> Tensor:
    """Noise `(samples, T, D)`, drawn one sample at a time so that it does not depend on how samples are batched."""
    if not stdev:
        return like.new_zeros(samples, 1, 1)
    draws = [torch.randn(like.shape, generator=generator, dtype=torch.float64) for _ in range(samples)]
    return (stdev * torch.stack(draws)).to(like.dtype)
