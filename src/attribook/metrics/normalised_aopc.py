"""NAOPC: the area over the perturbation curve, put between the worst and the best that any order could reach.

An AOPC depends on the network as much as on the scores: how far a probability can fall at all differs from model to
model and from prompt to prompt. Dividing by what is possible makes models comparable. The limits are exact where the
prompt is short enough to run every subset of its tokens, and come from a beam search above that.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK, metric
from attribook.metrics.erasure import NOTHING_LEFT, Judged, Rule, falling, log_probabilities
from attribook.metrics.searches import Drops, extreme_aopc
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@metric(version=1)
def naopc(
    model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator, order: str = "comprehensiveness",
    operator: str = "mask", specials: str = "keep", explained: str = "target", exact_up_to: int = 8, beam: int = 5,
) -> Judged:  # fmt: skip
    """How much of the possible fall of the probability an order of tokens reaches.

    Formula: (AOPC - lower) / (upper - lower), AOPC = 1/n sum_k [p(x) - p(x without the first k tokens)], k = 1..n;
        `order` comprehensiveness takes the highest score away first, sufficiency the lowest. upper and lower are the
        extremes over all n! orders for n up to `exact_up_to`, which takes 2^n forwards, and those that a beam search
        of width `beam` finds above. `operator`, `specials` and `explained` as in the module `erasure`.
    Shapes:  scores (T,); returns (1,).
    Range:   0 to 1 with exact limits; a beam search may miss them and the value then leaves 0 to 1. Higher is better
        for comprehensiveness, lower for sufficiency.
    Raises:  AttribookError for NaN scores or unknown options. Status `no spread` where all orders are equal, as for one
        token, and `no token left`.
    Source:  Edin et al. 2025, Normalized AOPC. Their released code gives 0 where all orders are equal.
    """
    del generator
    if order not in {"comprehensiveness", "sufficiency"}:
        raise AttribookError(f"Unknown order {order!r}. Choose comprehensiveness or sufficiency.")
    if beam < 1:
        raise AttribookError(f"A beam search needs a width of at least 1, not {beam}.")
    Rule(operator, "floor", 0, specials, explained)  # refuses unknown names
    counted = encoding.movable(specials)  # (T,)
    n = int(counted.sum())
    if operator == "delete" and n == len(encoding):
        return torch.empty(0, dtype=torch.float64), NOTHING_LEFT, 0
    answer = encoding.target if explained == "target" else int(encoding.logits.argmax())
    drops = prompt_drops(model, encoding, counted, operator, answer)
    width = None if n <= exact_up_to else beam
    upper, lower = (extreme_aopc(drops, n, sign, width) for sign in (1, -1))
    if upper == lower:
        return torch.empty(0, dtype=torch.float64), "no spread", 0
    maps = scores.reshape(-1, len(encoding))  # (M, T)
    orders = falling(maps, counted) if order == "comprehensiveness" else falling(maps, counted).flip(1)  # (M, n)
    values = [(aopc(drops, tokens) - lower) / (upper - lower) for tokens in orders.tolist()]
    return torch.tensor(values, dtype=torch.float64), OK, n * len(maps)


def prompt_drops(model: Explained, encoding: Encoding, counted: Tensor, operator: str, answer: int) -> Drops:
    """What the probability of the answer loses when sets of the counted tokens are taken away."""
    positions = counted.nonzero()[:, 0].tolist()
    before = float(encoding.logits.softmax(-1)[answer])

    def drops(sets: Sequence[int]) -> list[float]:
        keep = torch.ones(len(sets), len(encoding), dtype=torch.bool)
        for row, taken in enumerate(sets):
            keep[row, [position for i, position in enumerate(positions) if taken >> i & 1]] = False
        return (before - log_probabilities(model, encoding, keep, operator, answer).exp()).tolist()

    return drops


def aopc(drops: Drops, tokens: Sequence[int]) -> float:
    """Mean drop when tokens are taken away one after the other in this order; all of them in the end."""
    sets, taken = [], 0
    for token in tokens:
        taken |= 1 << token
        sets.append(taken)
    return sum(drops(sets)) / len(sets)
