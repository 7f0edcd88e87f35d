"""LIME on tokens: a linear model, fitted around the prompt, of what the prediction is with tokens taken away.

Ribeiro et al. 2016, "Why should I trust you?", equations 1 and 2, with the settings of their package `lime` 0.2 for
text where it has any: number of removed tokens drawn uniformly, 100 x cosine distance, width 25, ridge with alpha 1
and the full prompt as first sample. Where we differ: every token gets its weight (the package first selects ten
features); a token is a token of the model (the package takes word types, all their places at once); the kernel is
the paper's, `cosine`, while the package uses its square root, `cosine_root`; and a sample that keeps nothing is drawn
again, unless `empty` says otherwise.

Inseq's LIME is not this method: it changes embeddings by writing a token's number into all their components.
"""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.subsets import empties_prompt, spread, subset_outputs
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=1, forwards="samples - 1", random=True)
def lime(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    samples: int = 500,
    draw: str = "size",
    empty: str = "redraw",
    operator: str = "delete",
    specials: str = "keep",
    output: str = "probability",
    kernel: str = "cosine",
    kernel_width: float = 25.0,
    surrogate: str = "ridge",
    alpha: float = 1.0,
) -> tuple[Tensor, dict[str, float]]:
    r"""Weights of a linear model fitted to the prediction under random removals, near removals counting more. It asks
    what a simple model of the network would say in the neighbourhood of this prompt, and reports how well that model
    fits.

    Formula: a = argmin_b min_c sum_s w_s (f(z_s) - c - b.z_s)^2 + alpha |b|^2 (`ridge`); `lasso` minimises
        sum_s w_s (f(z_s) - c - b.z_s)^2 / (2 sum_s w_s) + alpha |b|_1, whose alpha is in units of f: one as large as
        f gives zeros. z_1 keeps every token; the other z_s in {0, 1}^n are drawn: `size` removes a number of tokens
        uniform from 1 to n, `bernoulli` each token with probability 1/2. A z of zeros is drawn again (`empty`
        `redraw`) or used (`keep`). w_s = exp(-d^2 / kernel_width^2), d = 100 (1 - cos(z_s, z_1)) (`cosine`), its
        square root (`cosine_root`), or 1 (`flat`). `operator` says what removal means, as in occlusion. Special
        tokens always stay (`specials` `keep`) or are removed like others (`perturb`).
    Shapes:  (T,); 0 at tokens that always stay. The details give the `intercept` c and the weighted `r2` of the fit.
    Range:   signed, in units of f; above 0 the token supports the target. Ridge shrinks towards 0.
    Raises:  AttribookError for unknown names, fewer than two samples, a width or alpha out of range, one token where
        subsets are redrawn, removals that leave no token to predict from.
    Source:  Ribeiro et al. 2016, equations 1 and 2, algorithm 1; the authors' package, lime_text.py.
    Differs: The authors' package first selects ten features, explains word types at all their places at once, and uses
        the square root of the paper's kernel (`cosine_root`). Ours gives every token its weight, at its place, under
        the paper's kernel. Inseq's LIME is another method: it writes a token's number into all components of an
        embedding.
    """
    if samples < 2:
        raise AttribookError(f"lime needs at least two samples, not {samples}; the first is the prompt itself.")
    positions = encoding.movable(specials).nonzero()[:, 0]
    if empty == "keep" and empties_prompt(encoding, positions, operator):
        raise AttribookError(
            "A sample of lime that keeps no token leaves nothing to predict from. Use empty='redraw', or the operator "
            "'zero' or 'mask'."
        )
    keep = keep_vectors(len(positions), samples, draw, empty, generator)  # (S, n)
    values = torch.cat(
        [
            torch.tensor([model.output(encoding, output)], dtype=torch.float64),
            subset_outputs(model, encoding, positions, keep[1:], operator, output),
        ]
    )
    weights, details = fitted(keep, values, proximity(keep, kernel, kernel_width), surrogate, alpha)
    return spread(weights, encoding, positions), details


def keep_vectors(n: int, samples: int, draw: str, empty: str, generator: Generator) -> Tensor:
    """The samples `(S, n)`, True where a token stays; the first keeps all."""
    if draw not in ("size", "bernoulli"):
        raise AttribookError(f"Unknown draw {draw!r} of lime. Choose size or bernoulli.")
    if empty not in ("redraw", "keep"):
        raise AttribookError(f"Unknown treatment {empty!r} of samples that keep nothing. Choose redraw or keep.")
    if n == 1 and empty == "redraw":
        raise AttribookError("One token has no subset but itself. Give a longer prompt, or empty='keep'.")
    keep = torch.ones(samples, n, dtype=torch.bool)
    wanted = torch.arange(1, samples)
    while len(wanted):
        keep[wanted] = drawn(n, len(wanted), draw, generator)
        wanted = wanted[~keep[wanted].any(dim=1)] if empty == "redraw" else wanted[:0]
    return keep


def drawn(n: int, rows: int, draw: str, generator: Generator) -> Tensor:
    """Random keep vectors `(rows, n)`; `size` is uniform over numbers of removed tokens, then over tokens."""
    order = torch.rand(rows, n, generator=generator, dtype=torch.float64)
    if draw == "bernoulli":
        return order < 0.5
    removed = torch.randint(1, n + 1, (rows, 1), generator=generator)
    return order.argsort(dim=1).argsort(dim=1) >= removed


def proximity(keep: Tensor, kernel: str, width: float) -> Tensor:
    """Weight of every sample `(S,)` by its distance from the full prompt; a cosine with zeros counts as 0."""
    if not width > 0:
        raise AttribookError(f"The kernel width of lime must be above 0, not {width}.")
    cosine = (keep.sum(dim=1, dtype=torch.float64) / keep.shape[1]).sqrt()  # k / (sqrt(k) sqrt(n))
    exponent = -((100 * (1 - cosine) / width) ** 2)
    if kernel == "cosine":
        return exponent.exp()
    if kernel == "cosine_root":
        return (exponent / 2).exp()
    if kernel == "flat":
        return torch.ones_like(cosine)
    raise AttribookError(f"Unknown kernel {kernel!r} of lime. Choose cosine, cosine_root or flat.")


def fitted(
    keep: Tensor, values: Tensor, weights: Tensor, surrogate: str, alpha: float
) -> tuple[Tensor, dict[str, float]]:
    """The surrogate's weights `(n,)`, its intercept and its weighted R^2 on the samples."""
    from sklearn.linear_model import Lasso, Ridge  # here, because it takes a second that `attribook --help` has not

    if alpha < 0 or (alpha == 0 and surrogate == "lasso"):
        raise AttribookError(f"alpha of lime must not be negative, and above 0 for lasso, not {alpha}.")
    if surrogate == "ridge":
        linear = Ridge(alpha=alpha)
    elif surrogate == "lasso":
        linear = Lasso(alpha=alpha, tol=1e-8, max_iter=100_000)
    else:
        raise AttribookError(f"Unknown surrogate {surrogate!r} of lime. Choose ridge or lasso.")
    inputs, targets, counts = keep.double().numpy(), values.numpy(), weights.numpy()
    linear.fit(inputs, targets, sample_weight=counts)
    flat = bool((values == values[0]).all())  # R^2 of a constant is 0 / 0: say 0
    r2 = 0.0 if flat else float(linear.score(inputs, targets, sample_weight=counts))
    return torch.from_numpy(linear.coef_), {"intercept": float(linear.intercept_), "r2": r2}
