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
from scipy.stats import rankdata
from torch import Generator, Tensor

from attribook.controls import CONTROLS
from attribook.grid.settings import RANKED, power


def varied(scores: Tensor, variant: str, attributable: Tensor, generator: Generator) -> Tensor:
    """The variant's scores `(T,)`."""
    if variant in CONTROLS:
        return CONTROLS[variant](scores, generator=generator, attributable=attributable)
    if variant == RANKED:
        return ranked(scores, attributable)
    exponent = power(variant)
    assert exponent is not None, variant  # `Setting` has refused all others
    return tempered(scores, attributable, exponent)


def ranked(scores: Tensor, attributable: Tensor) -> Tensor:
    """Ranks from 1 for the lowest instead of scores; equal scores share the mean of their ranks."""
    found = torch.zeros_like(scores, dtype=torch.float64)
    found[attributable] = torch.from_numpy(rankdata(scores[attributable]))
    return found


def tempered(scores: Tensor, attributable: Tensor, exponent: float) -> Tensor:
    """Powers of the positive scores, relative to the largest so that nothing overflows, by their sum."""
    positive = torch.where(attributable, scores, 0.0).clamp(min=0)
    if float(positive.max()) == 0:
        return positive
    raised = (positive / positive.max()) ** exponent
    return raised / raised.sum()
