"""Kernel SHAP on tokens: Shapley values of the game whose players are the tokens, by weighted least squares.

Lundberg and Lee 2017, equations 5 and 8, theorem 2. The two infinite weights of the kernel, at the empty and at the
full coalition, are met exactly: they are constraints, not large numbers (captum gives them 1e6, which leaves local
accuracy to rounding). Few tokens are enumerated, and the scores are then the Shapley values. For more, coalitions
come in pairs with their complements (Covert and Lee 2021: less variance at the same cost), sizes drawn with the
kernel's total weight for each size, and a coalition drawn twice is run once and counts twice.
"""

from math import comb

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.subsets import empties_prompt, spread, subset_outputs
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=1, forwards="min(samples, 2 ** P - 2) + 1", random=True)
def kernel_shap(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    samples: int = 512,
    operator: str = "mask",
    specials: str = "keep",
    output: str = "probability",
) -> tuple[Tensor, dict[str, float]]:
    r"""Each token's mean effect on the prediction when it joins the others in random order, estimated by regression. It
    is the only way of sharing the prediction out that satisfies Shapley's axioms. Its price is many predictions.

    Formula: a = argmin_b sum_S w_S (f(S) - f({}) - sum_{i in S} b_i)^2 with sum_i b_i = f(x) - f({}), over coalitions S
        of the n tokens that are neither empty nor full. If all 2^n - 2 of them are at most `samples`, each is run
        and w_S = (n - 1) / (C(n, |S|) |S| (n - |S|)): exact Shapley values, whatever the seed. Otherwise pairs of
        a coalition and its complement are drawn, P(|S| = k) ~ 1 / (k (n - k)), uniform within a size, until
        `samples` different coalitions are there; w_S is how often S came. `operator` says what happens to tokens
        outside S, as in occlusion. Special tokens always stay (`specials` `keep`) or are players (`perturb`).
        What the drawn coalitions leave open (`rank_missing` in the details) is shared out evenly.
    Shapes:  (T,); 0 at tokens that always stay. The details give f({}) as `empty` and the number of `coalitions`.
    Range:   signed, in units of f; sums to f(x) - f({}). Above 0 the token supports the target.
    Raises:  AttribookError for unknown names; an odd number of samples or fewer than 2 (n - 1), which cannot tell n
        tokens apart; `delete` where no special token stays, because an empty prompt predicts nothing.
    Source:  Lundberg and Lee 2017, equations 5 and 8, theorem 2; Covert and Lee 2021, paired sampling.
    Differs: The paper gives the empty and the full coalition infinite weight; captum and the authors' package give
        them a large number. Here they are constraints and are met exactly. Short prompts are enumerated, so their
        scores are the Shapley values; longer ones draw coalitions in pairs, as Covert and Lee propose.
    """
    positions = encoding.movable(specials).nonzero()[:, 0]
    n = len(positions)
    if empties_prompt(encoding, positions, operator):
        raise AttribookError(
            "kernel_shap compares with the empty prompt, and deletion would leave no token to predict from. Use the "
            "operator 'zero' or 'mask'."
        )
    keep, weights = coalitions(n, samples, generator)  # (C, n), (C,)
    nothing = torch.zeros(1, n, dtype=torch.bool)
    values = subset_outputs(model, encoding, positions, torch.cat([nothing, keep]), operator, output)
    gains, total = values[1:] - values[0], model.output(encoding, output) - float(values[0])
    scores, missing = constrained_fit(keep, gains, weights, total)
    details = {"empty": float(values[0]), "coalitions": float(len(keep)), "rank_missing": float(missing)}
    return spread(scores, encoding, positions), details


def coalitions(n: int, samples: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Different coalitions `(C, n)`, neither empty nor full, and their weights `(C,)`."""
    if samples % 2 or samples < 2:
        raise AttribookError(f"kernel_shap draws coalitions in pairs: samples must be even and above 0, not {samples}.")
    if 2**n - 2 <= samples:
        keep = (torch.arange(1, 2**n - 1)[:, None] >> torch.arange(n)) % 2 == 1  # (2^n - 2, n)
        return keep, torch.tensor([shapley_kernel(n, k) for k in keep.sum(dim=1).tolist()], dtype=torch.float64)
    if samples < 2 * (n - 1):
        raise AttribookError(
            f"kernel_shap cannot tell {n} tokens apart by {samples} coalitions. Set samples to {2 * (n - 1)} or more."
        )
    return drawn_pairs(n, samples, generator)


def shapley_kernel(n: int, k: int) -> float:
    """Weight of one coalition of k among n tokens: Lundberg and Lee 2017, theorem 2."""
    return (n - 1) / (comb(n, k) * k * (n - k))


def drawn_pairs(n: int, samples: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """`samples` different coalitions, each beside its complement, and how often each pair was drawn."""
    k = torch.arange(1, n, dtype=torch.float64)
    counts: dict[tuple[bool, ...], int] = {}
    while len(counts) < samples // 2:
        sizes = torch.multinomial(1 / (k * (n - k)), samples // 2, replacement=True, generator=generator) + 1
        order = torch.rand(samples // 2, n, generator=generator, dtype=torch.float64).argsort(dim=1).argsort(dim=1)
        for row in (order < sizes[:, None]).tolist():
            pair = tuple(row) if row[0] else tuple(not here for here in row)  # of the two, the one with the first token
            counts[pair] = counts.get(pair, 0) + 1
            if len(counts) == samples // 2:
                break
    first = torch.tensor(list(counts))  # (samples / 2, n)
    keep = torch.stack([first, ~first], dim=1).view(-1, n)  # (samples, n)
    return keep, torch.tensor(list(counts.values()), dtype=torch.float64).repeat_interleave(2)


def constrained_fit(keep: Tensor, gains: Tensor, weights: Tensor, total: float) -> tuple[Tensor, int]:
    """Weighted least squares `(n,)` whose weights sum to `total`, and the rank that the coalitions lack.

    Written as b = total / n + P c with P the projection on vectors that sum to 0, so that the constraint holds to
    rounding whatever c is, and no token is singled out to be solved for last.
    """
    n = keep.shape[1]
    if n == 1:
        return torch.tensor([total], dtype=torch.float64), 0
    games = keep.double()  # (C, n)
    project = torch.eye(n, dtype=torch.float64) - 1 / n
    roots = weights.sqrt()[:, None]
    rest = gains - games.sum(dim=1) * total / n
    solved = torch.linalg.lstsq(roots * (games @ project), roots * rest[:, None], rcond=1e-10, driver="gelsd")
    return total / n + project @ solved.solution[:, 0], n - 1 - int(solved.rank)
