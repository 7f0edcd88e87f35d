"""Estimates from tidy frames: means over items, and differences, log-ratios and ratios of means, by group.

All of them are paired: groups that are compared are compared over the items that both have, and these are drawn
together; see `resampling` for the interval. `estimate` makes whole tables; `mean`, `difference`, `log_ratio`, `ratio`
and `contrast` make one estimate from values by item.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from attribook.errors import AttribookError
from attribook.statistics.items import Key, Part, Wide, item_values, keys_of, widened
from attribook.statistics.resampling import (
    RESAMPLES,
    Estimate,
    Numbers,
    estimate_of,
    interval_of,
    quantiles,
    resampled_means,
    undefined,
)

Signed = tuple[pd.Series, int]  # values by item, and whether their mean is added (+1) or subtracted (-1)
STATISTICS = ("mean", "difference", "log_ratio", "ratio")
RESULTS = ["value", "low", "high", "n", "failed", "p", "detectable"]


# -- one estimate from values by item ------------------------------------------------------------------------------


def joined(series: Sequence[pd.Series]) -> Numbers:
    """Values `(n, k)` of the items that all series have and none lacks a value of, in the order of their names."""
    return pd.concat(series, axis=1, join="inner").dropna().sort_index().to_numpy(float)


def mean(values: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Mean over items."""
    return contrast([values], [1], log=False, failed=failed, seed=seed)


def difference(ours: pd.Series, other: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Mean of ours minus that of the other, over the items of both."""
    return contrast([ours, other], [1, -1], log=False, failed=failed, seed=seed)


def log_ratio(ours: pd.Series, other: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Log of the ratio of means over the items of both, in nats: log(mean_x ours(x) / mean_x other(x)).

    It is not a mean of logarithms. Undefined where a mean is 0.
    Source: ReAGent's released summary scripts (ratio of means, natural log); the interval is ours.
    """
    return contrast([ours, other], [1, -1], log=True, failed=failed, seed=seed)


def ratio(above: pd.Series, below: pd.Series, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Ratio of two means over the items of both.

    Undefined where the 95% interval of the mean below contains 0: what may be nothing has no shares.
    """
    values = joined([above, below])
    if not len(values):
        return undefined(0, failed)
    least, most = quantiles(resampled_means(values, seed)[:, 1])
    if least <= 0 <= most:
        return undefined(len(values), failed)
    return estimate_of(values, lambda means: means[..., 0] / means[..., 1], failed=failed, seed=seed)


def contrast(
    series: Sequence[pd.Series], signs: Sequence[int], *, log: bool = True, failed: int = 0, seed: int = 0
) -> Estimate:
    """A signed sum of (logarithms of) means over the items that all series have.

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
    n = sum(map(len, tables))
    if not all(map(len, tables)):
        return undefined(n, failed)
    total = np.zeros(1 + RESAMPLES)
    for number, (values, parts) in enumerate(zip(tables, groups, strict=True)):
        columns, places = distinct(values)
        total += net(scaled_means(columns, log, seed + number), places, [sign for _, sign in parts]) / len(groups)
    return interval_of(float(total[0]), total[1:], n, failed)


def scaled_means(values: Numbers, log: bool, seed: int) -> Numbers:
    """Means of items `(n, k)`, or their logarithms: first of the items, then of every sample, `(1 + RESAMPLES, k)`."""
    means = np.vstack([values.mean(0), resampled_means(values, seed)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(means) if log else means


def distinct(values: Numbers) -> tuple[Numbers, list[int]]:
    """The columns that differ, and for each given column its place among these."""
    columns, places = np.unique(values, axis=1, return_inverse=True)
    return columns, places.ravel().tolist()


def net(means: Numbers, places: Sequence[int], signs: Sequence[int]) -> Numbers:
    """A signed sum of columns. Equal ones cancel before anything is added, so that what changes nothing gives 0."""
    factors = np.zeros(means.shape[1])
    np.add.at(factors, list(places), signs)
    used = sorted(set(places))
    with np.errstate(invalid="ignore"):
        return np.asarray(means[:, used] @ factors[used])


# -- whole tables --------------------------------------------------------------------------------------------------

Asked = Sequence[Sequence[Part]]  # one estimate: groups of items that are averaged over, and the parts of each


class Contrast(NamedTuple):
    """A group that others are compared with, and the sign that the others have."""

    baseline: Mapping[str, Any]
    sign: int

    def matches(self, names: Sequence[str], key: Key) -> bool:
        """Whether a group is the baseline of its kind."""
        return self.counterpart(names, key) == key

    def counterpart(self, names: Sequence[str], key: Key) -> Key:
        """The baseline of a group."""
        return tuple(self.baseline.get(name, value) for name, value in zip(names, key, strict=True))


def estimate(
    frame: pd.DataFrame | pd.Series,
    statistic: str = "mean",
    by: str | Sequence[str] = ("method", "metric"),
    *,
    against: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    of: Mapping[str, Any] | None = None,
    sum_over: str | None = None,
    mean_over: str | None = None,
    pair: str = "item",
    seed: int = 0,
) -> pd.DataFrame:
    """A row for each group: its estimate with a 95% interval, in the order in which the groups first appear.

    statistic: "mean" of the items; or, over the items of both, "difference" or "log_ratio" or "ratio" of the means of a
        group and its baseline.
    against: which group is the baseline: the one that has these values and is equal in the other columns of `by`. It is
        left out of the result. Several, one after the other, give differences of differences: the change of a log-ratio
        to random from one protocol to the next is `against=[{"method": "random"}, {"protocol": "paper"}]`.
    of: the other way round: the group with these values against each of the others, whose names the rows bear.
    sum_over: a column (`metric`) over whose values the (log-ratios or differences of) means are added up.
    mean_over: a column (`dataset`) over whose values they are averaged; each has items of its own.
    Columns: `by`, value, low, high, n, failed, p, detectable. Undefined estimates are NaN with p = 1.
    """
    by = [by] if isinstance(by, str) else list(by)
    columns = [*by, *(name for name in (sum_over, mean_over) if name)]
    contrasts = [Contrast(one, 1) for one in ([against] if isinstance(against, Mapping) else against)]
    contrasts += [Contrast(of, -1)] if of else []
    refuse(statistic, contrasts, by, columns)
    found = item_values(frame, columns, pair)
    if found.empty:
        return pd.DataFrame(columns=[*by, *RESULTS])
    groups = keys_of(found, by)
    for one in contrasts:
        compared = [key for key in groups if not one.matches(by, key)]
        if len(compared) == len(groups):
            raise AttribookError(f"There are no rows of {one.baseline}, with which others are to be compared.")
        groups = compared
    summed, averaged = (keys_of(found, [name]) if name else [()] for name in (sum_over, mean_over))
    asked = [
        [[part for more in summed for part in signed(key + more + task, columns, contrasts)] for task in averaged]
        for key in groups
    ]
    make = ratios if statistic == "ratio" else log_sums if statistic == "log_ratio" else sums
    results = make(widened(found, columns, pair), asked, seed)
    table = pd.DataFrame(groups, columns=by).astype(found.dtypes[by].to_dict())
    return table.join(pd.DataFrame([one.columns() for one in results], columns=RESULTS))


def refuse(statistic: str, contrasts: Sequence[Contrast], by: Sequence[str], columns: Sequence[str]) -> None:
    """Raises: AttribookError for a table that cannot be made."""
    if statistic not in STATISTICS:
        raise AttribookError(f"There is no statistic {statistic!r}, but {', '.join(STATISTICS)}.")
    if statistic == "mean" and contrasts:
        raise AttribookError("A mean has no baseline. Ask for a difference, log_ratio or ratio.")
    if statistic != "mean" and not contrasts:
        raise AttribookError(f"A {statistic} needs groups to compare with: name them by `against` or `of`.")
    if statistic == "ratio" and (len(columns) > len(by) or len(contrasts) > 1):
        raise AttribookError("A ratio has one baseline, and is neither added up nor averaged.")
    if any(name not in by for one in contrasts for name in one.baseline) or len(set(columns)) < len(columns):
        raise AttribookError(f"`against` and `of` name columns of `by`, {by}; `sum_over` and `mean_over` name others.")


def signed(key: Key, columns: Sequence[str], contrasts: Sequence[Contrast]) -> list[Part]:
    """The groups whose means make up one number, with their signs."""
    parts = [(key, 1)]
    for one in contrasts:
        baselines = [(one.counterpart(columns, part), -sign) for part, sign in parts]
        parts = [(part, one.sign * sign) for part, sign in parts + baselines]
    return parts


def sums(wide: Wide, asked: Sequence[Asked], seed: int, *, log: bool = False) -> list[Estimate]:
    """What `estimate_groups` gives for each, with the means of all groups over the same items resampled at once."""
    totals, n = np.zeros((len(asked), 1 + RESAMPLES)), [0] * len(asked)
    alike = defaultdict(list)  # by items and place: estimates and their parts
    for number, groups in enumerate(asked):
        for place, parts in enumerate(groups):
            shared = wide.shared(parts)
            n[number] += int(shared.sum())
            alike[shared.tobytes(), place].append((number, parts))
    for (items, place), members in alike.items():
        shared = np.frombuffer(items, dtype=bool)
        if not shared.any():
            totals[[number for number, _ in members]] = np.nan
            continue
        used = sorted({wide.columns[key] for _, parts in members for key, _ in parts})
        columns, places = distinct(wide.values[shared][:, used])
        means, place_of = scaled_means(columns, log, seed + place), dict(zip(used, places, strict=True))
        for number, parts in members:
            at = [place_of[wide.columns[key]] for key, _ in parts]
            with np.errstate(invalid="ignore"):  # infinite logarithms of both signs
                totals[number] += net(means, at, [sign for _, sign in parts]) / len(asked[number])
    failed = [sum(wide.failures(parts) for parts in groups) for groups in asked]
    return [interval_of(float(total[0]), total[1:], n[i], failed[i]) for i, total in enumerate(totals)]


def log_sums(wide: Wide, asked: Sequence[Asked], seed: int) -> list[Estimate]:
    """The same of logarithms of means."""
    return sums(wide, asked, seed, log=True)


def ratios(wide: Wide, asked: Sequence[Asked], seed: int) -> list[Estimate]:
    """`ratio` for each: the group whose sign is +1 is above."""
    found = []
    for (parts,) in asked:
        (above, _), (below, _) = sorted(parts, key=lambda part: -part[1])
        failed = wide.failures(parts)
        found.append(ratio(wide.series(above), wide.series(below), failed=failed, seed=seed))
    return found
