"""Variants of a method: its own scores, changed in one respect before a metric sees them.

A study names them `method:variant`, such as `reagent:permuted` or `reagent{runs=3}:tempered_0.5`. The controls
(controls.py) destroy something that a good ranking should not lose; the two others here keep the ranking and change
how sharp the scores are, which moves soft metrics by itself.

    ranked        the r-th highest of n scores, negative ones among them, becomes n + 1 - r: for as many tokens equally
                  sharp for every method, but for scores that are equal
    tempered_p    positive scores to the power p, by their sum: sharper for p above 1, flatter below

Tokens that are not attributable keep 0. Both take (scores, attributable) `(T,)` and return float64 `(T,)`.
"""

import torch
from torch import Generator, Tensor

from attribook.controls import CONTROLS
from attribook.errors import AttribookError

VERSIONS = {"ranked": 2}  # of variants, the others have 1; raised when one's numbers change
DRAWN = ("permuted", "random", "one_hot_random")  # those that have several seeds; `reversed` draws for ties alone


def parted(name: str) -> tuple[str, str | None]:
    """Method, with its options if there are any, and variant of a unit's name. Raises: AttribookError if unknown."""
    method, _, variant = name.partition(":")
    if not variant:
        return method, None
    if variant not in (*CONTROLS, "ranked") and power(variant) is None:
        raise AttribookError(
            f"Unknown variant {variant!r} of {method}. Known: {', '.join(CONTROLS)}, ranked, tempered_<power above 0>."
        )
    return method, variant


def version(variant: str | None) -> int:
    """Its version, part of its rows' keys."""
    return VERSIONS.get(variant or "", 1)


def power(variant: str) -> float | None:
    """The power of `tempered_<power>`, None for anything else."""
    head, _, tail = variant.partition("_")
    try:
        found = float(tail) if head == "tempered" else 0.0
    except ValueError:
        return None
    return found if found > 0 else None


def varied(scores: Tensor, variant: str, attributable: Tensor, generator: Generator) -> Tensor:
    """The variant's scores `(T,)`."""
    if variant in CONTROLS:
        return CONTROLS[variant](scores, generator=generator, attributable=attributable)
    if variant == "ranked":
        return ranked(scores, attributable)
    exponent = power(variant)
    assert exponent is not None, variant  # `parted` has refused all others
    return tempered(scores, attributable, exponent)


def ranked(scores: Tensor, attributable: Tensor) -> Tensor:
    """Ranks from 1 for the lowest instead of scores; equal scores share the mean of their ranks."""
    own = scores[attributable]
    below = (own[:, None] > own[None, :]).sum(1)  # (n,)
    alike = (own[:, None] == own[None, :]).sum(1)  # (n,)
    found = torch.zeros_like(scores, dtype=torch.float64)
    found[attributable] = below + (alike.double() + 1) / 2
    return found


def tempered(scores: Tensor, attributable: Tensor, exponent: float) -> Tensor:
    """Powers of the positive scores, relative to the largest so that nothing overflows, by their sum."""
    positive = torch.where(attributable, scores, 0.0).clamp(min=0)
    if float(positive.max()) == 0:
        return positive
    raised = (positive / positive.max()) ** exponent
    return raised / raised.sum()
