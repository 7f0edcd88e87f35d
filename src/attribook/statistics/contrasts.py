"""One estimate from values by item: a mean, or a difference, log-ratio, ratio or other contrast of means.

What is compared is compared over the items that all have, which are drawn together; see `resampling` for the interval.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from attribook.statistics.accuracy import clopper_pearson
from attribook.statistics.resampling import Estimate, Numbers, Samples, pairs_of, studentised, undefined

Signed = tuple[pd.Series, int]  # values by item, and whether their mean is added (+1) or subtracted (-1)


def joined(series: Sequence[pd.Series]) -> Numbers:
    """Values `(n, k)` of the items that all series have and none lacks a value of, in the order of their names."""
    return pd.concat(series, axis=1, join="inner").dropna().sort_index().to_numpy(float)


def mean(values: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Mean over items; the interval of a rate, of values that are all 0 or 1, is that of Clopper and Pearson."""
    return contrast([values], [1], log=False, failed=failed, seed=seed)


def difference(ours: pd.Series, other: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Mean of ours minus that of the other, over the items of both."""
    return contrast([ours, other], [1, -1], log=False, failed=failed, seed=seed)


def ratio(above: pd.Series, below: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Ratio of two means over the items of both.

    Undefined where the 95% interval of the mean below contains 0: what may be nothing has no shares.
    """
    values = joined([above, below])
    if not len(values):
        return undefined(0, failed)
    held = Samples(values, pairs_of([0, 1]), seed)
    least = studentised(*signed_sum(held, [1], [1], log=False), held.n, failed)
    if not least.low > 0 and not least.high < 0:
        return undefined(held.n, failed)
    one, other = held.means.T
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.stack([1 / other, -one / other**2], axis=1)
        variances = held.variances([0, 1], slopes)
        return studentised(one / other, variances, held.influence([0, 1], slopes[0]), held.n, failed)


def contrast(
    series: Sequence[pd.Series], signs: Sequence[int], *, log: bool = True, failed: int = 0, seed: int = 0
) -> Estimate:
    """A signed sum of (logarithms of) means over the items that all series have.

    The log-ratio of a to b, log(mean a / mean b) in nats, is `contrast([a, b], [1, -1])`. It is no mean of logarithms.
    The change of a log-ratio from a / b to c / d is `contrast([c, d, a, b], [1, -1, -1, 1])`.
    """
    return estimate_groups([list(zip(series, signs, strict=True))], log=log, failed=failed, seed=seed)


def estimate_groups(groups: Sequence[Sequence[Signed]], log: bool, *, failed: int = 0, seed: int = 0) -> Estimate:
    """A signed sum of (logarithms of) means, averaged over groups of items, for example over tasks.

    Formula: mean over groups g of sum_i s_i f(mean of part i over the items that all parts of g have), f the natural
        logarithm (`log`) or nothing. Items of a group are drawn together, those of two groups apart.
    Range:   nats with `log`, else the unit of the parts; signed. Undefined where a group has no item that all its parts
        have, or `log` meets a mean that is not above 0.
    """
    tables = [joined([values for values, _ in parts]) for parts in groups]
    if not all(map(len, tables)):
        return undefined(sum(map(len, tables)), failed)
    made = []
    for number, (values, parts) in enumerate(zip(tables, groups, strict=True)):
        columns, places = distinct(values)
        held = Samples(columns, pairs_of(sorted(set(places))), seed + number)
        made.append(signed_sum(held, places, [sign for _, sign in parts], log=log))
    return as_rate(averaged(made, failed), tables, groups, log)


Made = tuple[Numbers, Numbers, Numbers]  # values and squared standard errors of all samples, influences of the items


def signed_sum(held: Samples, places: Sequence[int], signs: Sequence[int], *, log: bool) -> Made:
    """A signed sum of (logarithms of) means. Equal columns cancel first, so that what changes nothing gives 0."""
    used = sorted(set(places))
    factors = np.array([sum(s for p, s in zip(places, signs, strict=True) if p == place) for place in used], float)
    means = held.means[:, used]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (np.log(means) if log else means) @ factors
        slopes = factors / means if log else np.broadcast_to(factors, means.shape)
        return values, held.variances(used, slopes), held.influence(used, slopes[0])


def averaged(made: Sequence[Made], failed: int) -> Estimate:
    """The mean over groups of items that are drawn apart."""
    values, variances, influences = zip(*made, strict=True)
    many, n = len(made), sum(map(len, influences))
    with np.errstate(invalid="ignore"):  # infinite logarithms of both signs
        return studentised(
            np.sum(values, axis=0) / many, np.sum(variances, axis=0) / many**2, np.concatenate(influences), n, failed
        )


def as_rate(found: Estimate, tables: Sequence[Numbers], groups: Sequence[Sequence[Any]], log: bool) -> Estimate:
    """The estimate with the interval of Clopper and Pearson where it is a mean of values that are all 0 or 1."""
    if log or len(tables) != 1 or len(groups[0]) != 1 or not np.isin(tables[0], (0, 1)).all():
        return found
    low, high = clopper_pearson(int(tables[0].sum()), len(tables[0]))
    return replace(found, low=low, high=high)


def distinct(values: Numbers) -> tuple[Numbers, list[int]]:
    """The columns that differ, and for each given column its place among these."""
    columns, places = np.unique(values, axis=1, return_inverse=True)
    return columns, places.ravel().tolist()
