"""To be deleted with its last caller: what `picking` replaces.

The best of R maps of a pool, of one map, of their mean, picked by one metric or by another.

A pool of M maps tells what the best of R <= M is worth without luck: the mean over all subsets of R maps, which the
maps in order of their values give at once. Where a pool is one method's own map and noisy copies of it, the own map
is in every subset. All differences are turned so that above 0 is better, whichever way the metric runs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.pools import CANDIDATES, PoolStudy
from attribook.grid.settings import read_setting
from attribook.metrics.names import sign
from attribook.statistics.bootstrap import RESAMPLES, Z_80, Z_95, Numbers, draw_counts, expected_pick


@dataclass(frozen=True)
class Pool:
    """Values of every map, and of the mean of the first R maps, by metric; items down. `own`: map 0 is the method's."""

    values: Mapping[str, pd.DataFrame]
    means: Mapping[str, pd.DataFrame]
    own: bool

    @cached_property
    def size(self) -> int:
        """How many maps there are."""
        return next(iter(self.values.values())).shape[1]

    def one(self, metric: str) -> pd.Series:
        """Value of one map: the method's own, or what a drawn one gives on average."""
        return self.values[metric][0] if self.own else self.values[metric].mean(axis=1)

    def picked(self, metric: str, size: int, by: str | None = None) -> pd.Series:
        """Expected value of the map that the metric `by` (the same metric if None) likes best of `size` maps."""
        if not 1 <= size <= self.size:
            raise AttribookError(f"This pool has {self.size} maps, so the best of {size} cannot be told.")
        liked, told = (self.values[name].to_numpy(float) for name in (by or metric, metric))  # (n, M)
        liked = liked * sign(by or metric)
        if self.own:  # copies that are liked less than the own map are never picked
            better = liked > liked[:, :1]
            liked, told = (np.where(better, many, many[:, :1]) for many in (liked, told))
            if size == 1:
                return pd.Series(told[:, 0], index=self.values[metric].index)
            liked, told, size = liked[:, 1:], told[:, 1:], size - 1
        return pd.Series(expected_pick(liked, told, size), index=self.values[metric].index)


def read_pool(study: PoolStudy) -> Pool:
    """The pool of a study of one method. Raises: AttribookError for several."""
    if len(study.methods) != 1:
        raise AttribookError(f"A pool is of one method, not of {', '.join(study.methods)}.")
    name = study.methods[0]
    method, _ = read_setting(name)
    values, means = study.values(), study.means()
    tables = [{metric: table[name, metric] for metric in study.metrics} for table in (values, means)]
    return Pool(tables[0], tables[1], own=not method.random and method.name not in CANDIDATES)


def joined(pools: Sequence[Pool], size: int) -> Pool:
    """One pool of the first `size` maps of each, over the items that all have. It has no means of maps.

    Raises: AttribookError for pools that are a method's own map and copies of it, or that have fewer maps.
    """
    if any(pool.own or pool.size < size for pool in pools):
        raise AttribookError(f"Only pools of at least {size} drawn maps can be joined.")
    tables = {}
    for metric in pools[0].values:
        shared = common(dict(enumerate(pools)), metric)
        parts = [pool.values[metric].loc[shared].iloc[:, :size] for pool in pools]
        tables[metric] = pd.concat(parts, axis=1, ignore_index=True)
    return Pool(tables, {}, own=False)


@dataclass(frozen=True)
class Tries:
    """A number of random rankings with its 95% interval by resampled items; None: more than are stored."""

    value: int | None
    low: int | None
    high: int | None
    stored: int

    def __str__(self) -> str:
        value, low, high = (f"> {self.stored}" if k is None else str(k) for k in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def tries_worth(blind: Pool, values: pd.Series, metric: str) -> Tries:
    """The fewest random rankings whose best is on average at least as good as these values of items.

    Both over the items that have a value; the best of R is the mean over all subsets of R. Items are resampled for the
    whole curve over R at once.
    """
    shared = values.index.intersection(blind.values[metric].index)
    sizes = range(1, blind.size + 1)
    curve = np.stack([blind.picked(metric, size)[shared].to_numpy(float) for size in sizes], axis=1)  # (n, M)
    wanted = values[shared].to_numpy(float)
    whole = np.ones((1, len(shared)))
    first, resampled = (
        fewest(counts @ curve * sign(metric), counts @ wanted * sign(metric))
        for counts in (whole, draw_counts(len(shared), 0))
    )
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    told = [int(count) if count <= blind.size else None for count in (first[0], low, high)]
    return Tries(told[0], told[1], told[2], blind.size)


def fewest(curves: Numbers, wanted: Numbers) -> Numbers:
    """For each curve `(B, M)` the first place, from 1, that reaches what is wanted `(B,)`; M + 1 where none does."""
    reached = curves >= wanted[:, None]
    return np.where(reached.any(1), reached.argmax(1) + 1, curves.shape[1] + 1)


@dataclass(frozen=True)
class Interval:
    """A statistic over items with its 95% interval by resampled items."""

    value: float
    low: float
    high: float
    n: int
    standard_error: float

    @property
    def detectable(self) -> float:
        """Smallest true value that would be told from 0 at the 5% level with 80% power."""
        return (Z_95 + Z_80) * self.standard_error


def mean_of(values: pd.Series, *, seed: int = 0) -> Interval:
    """Mean over items."""
    return ratio_of(values, values * 0 + 1, seed=seed)


def lead(first: pd.Series, second: pd.Series, metric: str) -> Interval:
    """How much better the first is than the second, over the items that both have."""
    both = pd.concat([first, second], axis=1, join="inner").to_numpy()
    return mean_of(pd.Series(both[:, 0] - both[:, 1]) * sign(metric))


def ratio_of(above: pd.Series, below: pd.Series, *, seed: int = 0) -> Interval:
    """Ratio of two sums over the same items, resampled together.

    NaN where the 95% interval of the sum below contains 0: what is not told from nothing has no shares.
    """
    a, b = above.to_numpy(float), below.to_numpy(float)
    if not len(a):
        raise AttribookError("There are no items that all have, so nothing can be compared.")
    picks = np.random.default_rng(seed).integers(len(a), size=(RESAMPLES, len(a)))
    whole = b[picks].sum(1)
    least, most = np.quantile(whole, [0.025, 0.975])
    if least <= 0 <= most:
        return Interval(math.nan, math.nan, math.nan, len(a), math.nan)
    with np.errstate(divide="ignore"):
        resampled = a[picks].sum(1) / whole
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(float(a.sum() / b.sum()), float(low), float(high), len(a), float(np.std(resampled, ddof=1)))


def share_told(share: Any, low: Any, high: Any) -> str:
    """A share and its interval in words; where there is none, why."""
    return "no share (the whole is not told from 0)" if math.isnan(share) else f"{share:.0%} ({low:.0%} to {high:.0%})"


def share_by_picking(pool: Pool, blind: Pool, metric: str, size: int) -> Interval:
    """Of the way from one random ranking to the best of `size` maps, the share that the best random ranking goes.

    Formula: (B_blind - 1_blind) / (B_pool - 1_blind), B the mean value of the best of `size`, 1 of a single map.
    """
    parts = [pool.picked(metric, size), blind.picked(metric, size), blind.one(metric)]
    best, lucky, one = pd.concat(parts, axis=1, join="inner").to_numpy().T
    return ratio_of(pd.Series(lucky - one), pd.Series(best - one))


def picking_curves(pools: Mapping[str, Pool], metric: str, sizes: Sequence[int]) -> pd.DataFrame:
    """Expected best of R for each pool over the items that all have: name, steps (R), value, low, high, n."""
    found = []
    shared = common(pools, metric)
    for name, pool in pools.items():
        for size in (size for size in sizes if size <= pool.size):
            told = mean_of(pool.picked(metric, size)[shared])
            found.append({"name": name, "steps": size, "value": told.value, "low": told.low, "high": told.high,
                          "n": told.n})  # fmt: skip
    return pd.DataFrame(found)


def picking_table(pools: Mapping[str, Pool], metric: str, size: int, *, blind: str) -> pd.DataFrame:
    """One map, the mean of maps and the best of `size` for each pool, best first; and the best against `blind`'s best.

    Means are over the items that all pools have, `of` so many: pools over other items would stand in another order.
    `lead`: how much better the best of `size` is than the best of as many of the pool `blind`, over the items of both,
    with its interval and the smallest lead that would be found.
    """
    found, shared = [], common(pools, metric)
    for name, pool in pools.items():
        over = lead(pool.picked(metric, size), pools[blind].picked(metric, size), metric)
        told = mean_of(pool.picked(metric, size)[shared])
        found.append(
            {
                "pool": name,
                "one map": pool.one(metric)[shared].mean(),
                "mean of maps": pool.means[metric][size][shared].mean(),
                f"best of {size}": told.value,
                "low": told.low,
                "high": told.high,
                "of": told.n,
                "lead": over.value,
                "lead low": over.low,
                "lead high": over.high,
                "n": over.n,
                "detectable": over.detectable,
            }
        )
    frame = pd.DataFrame(found)
    return frame.sort_values(f"best of {size}", ascending=sign(metric) < 0, ignore_index=True)


def crossed_table(pool: Pool, metrics: Sequence[str], size: int) -> pd.DataFrame:
    """Picked by one metric (down), told by another (across): the share of the gain by picking that is left.

    Formula: (P - 1) / (B - 1): 1 one map, B the best of `size` by the metric told, P the one picked by the other. With
        its interval.
    """
    found = []
    for by in metrics:
        row: dict[str, object] = {"picked by": by}
        for metric in metrics:
            one = pool.one(metric)
            row[metric] = ratio_of(pool.picked(metric, size, by) - one, pool.picked(metric, size) - one)
        found.append(row)
    return pd.DataFrame(found)


def transfer(pool: Pool, metrics: Sequence[str], metric: str, size: int) -> Interval:
    """The share of `crossed_table` for one metric told, averaged over the other metrics that picked.

    A metric at one share of the tokens and its mean over five shares contain each other, so neither counts as other.
    """
    one = pool.one(metric)
    others = [pool.picked(metric, size, by) - one for by in metrics if stem(by) != stem(metric)]
    return ratio_of(pd.concat(others, axis=1).mean(axis=1), pool.picked(metric, size) - one)


def stem(metric: str) -> str:
    """What a metric measures, at whatever shares of the tokens."""
    return metric.removeprefix("aopc_")


def common(pools: Mapping[Any, Pool], metric: str) -> pd.Index:
    """Items that all pools have, in the first one's order."""
    tables = [pool.values[metric].index for pool in pools.values()]
    return tables[0][tables[0].to_series().map(lambda item: all(item in other for other in tables)).to_numpy()]
