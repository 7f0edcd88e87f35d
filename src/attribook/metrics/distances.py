"""Distances between next-token distributions."""

from collections.abc import Callable

import torch
from torch import Tensor

from attribook.errors import AttribookError

SUM_TOLERANCE = 1e-4  # float32 softmax over 262,144 words sums to 1 within 2e-5


def check_distributions(p: Tensor, q: Tensor) -> None:
    """Raises: AttribookError if shapes differ, a row does not sum to 1, or an entry is negative or NaN."""
    if p.shape != q.shape:
        raise AttribookError(f"Distributions of different shapes: {tuple(p.shape)} and {tuple(q.shape)}.")
    for rows in (p, q):
        if not bool((rows >= 0).all()):
            raise AttribookError("A distribution has a negative or NaN entry.")
        if not bool(((rows.sum(-1) - 1).abs() < SUM_TOLERANCE).all()):
            raise AttribookError("A distribution does not sum to 1.")


def hellinger(p: Tensor, q: Tensor) -> Tensor:
    """Hellinger distance, sqrt(1/2 sum_v (sqrt p_v - sqrt q_v)^2), which is sqrt(1 - sum_v sqrt(p_v q_v)).

    Shapes: p and q (B, V), rows sum to 1; returns (B,).
    Range:  0 (equal) to 1 (disjoint), no unit. The distance, not its square.
    Raises: AttribookError if shapes differ, a row does not sum to 1 (1e-4), or an entry is negative or NaN.
    Source: ReAGent, metric section; Noiser, appendix A. The first form is used: near p = q the second cancels.
    """
    check_distributions(p, q)
    return ((p.sqrt() - q.sqrt()).square().sum(-1) / 2).sqrt()


def hellinger_released(p: Tensor, q: Tensor) -> Tensor:
    """What ReAGent's released code calls Hellinger: sum_v (sqrt p_v - sqrt q_v)^2 / sqrt 2 = sqrt 2 H^2.

    Shapes: p and q (B, V), rows sum to 1; returns (B,).
    Range:  0 (equal) to sqrt 2 (disjoint), no unit.
    Raises: as `hellinger`.
    Source: ReAGent's released code since 7 August 2023; before that date it computed `hellinger`.
    """
    check_distributions(p, q)
    return (p.sqrt() - q.sqrt()).square().sum(-1) / torch.tensor(2.0, dtype=p.dtype).sqrt()


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hellinger": hellinger,
    "hellinger_released": hellinger_released,
}
