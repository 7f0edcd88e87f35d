"""Tables of estimates from tidy frames: means over items, and differences, log-ratios and ratios of means, by group.

All of them are paired: groups that are compared are compared over the items that both have, and these are drawn
together. `contrasts` makes one estimate, `resampling` has the interval, `tests` says what is decided.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from attribook.errors import AttribookError
from attribook.statistics.contrasts import Made, as_rate, averaged, distinct, ratio, signed_sum
from attribook.statistics.items import Key, Part, Wide, item_values, keys_of, widened
from attribook.statistics.resampling import Estimate, Samples, pairs_of, undefined
from attribook.statistics.tests import BARRED, FAMILY, FAMILY_DETECTABLE, barred, max_t

STATISTICS = ("mean", "difference", "log_ratio", "ratio")
RESULTS = ["value", "low", "high", "n", "failed", "p", "detectable", BARRED]
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


Tested = tuple[Key, Sequence[Contrast]]  # a group, and what it is compared with


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
    family: Sequence[str] | None = None,
    chosen: bool = False,
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
    family: rows alike in these columns are one family of tests, all rows where it is empty. The table then has columns
        for p, adjusted by step-down max-T over the family, and for what is detectable at the level of the family.
    chosen: `of` was chosen by these rows, as the best of them. The family then holds all pairs of groups, so that no
        choice among them makes a false finding likelier.
    Columns: `by`, value, low, high, n, failed, p, detectable, and no verdict, which says why none may be given.
        Undefined estimates are NaN with p = 1.
    """
    by = [by] if isinstance(by, str) else list(by)
    columns = [*by, *(name for name in (sum_over, mean_over) if name)]
    contrasts = [Contrast(one, 1) for one in ([against] if isinstance(against, Mapping) else against)]
    contrasts += [Contrast(of, -1)] if of else []
    refuse(statistic, contrasts, by, columns)
    found = item_values(frame, columns, pair)
    if found.empty:
        return pd.DataFrame(columns=[*by, *RESULTS, *([] if family is None else [FAMILY, FAMILY_DETECTABLE])])
    groups = keys_of(found, by)
    for one in contrasts:
        compared = [key for key in groups if not one.matches(by, key)]
        if len(compared) == len(groups):
            raise AttribookError(f"There are no rows of {one.baseline}, with which others are to be compared.")
        groups = compared
    summed, averaged = (keys_of(found, [name]) if name else [()] for name in (sum_over, mean_over))
    tested = [(key, contrasts) for key in groups] + (pairs_among(groups, by, contrasts) if chosen else [])
    asked = [
        [[part for more in summed for part in signed(key + more + task, columns, made)] for task in averaged]
        for key, made in tested
    ]
    make = ratios if statistic == "ratio" else log_sums if statistic == "log_ratio" else sums
    results = make(widened(found, columns, pair), asked, seed)
    keys = pd.DataFrame([key for key, _ in tested], columns=by).astype(found.dtypes[by].to_dict())
    table = keys.join(pd.DataFrame([one.columns() | {BARRED: barred(one)} for one in results], columns=RESULTS))
    table = table if family is None else table.join(adjusted(keys, results, list(family)))
    return table[: len(groups)]


def pairs_among(groups: Sequence[Key], by: Sequence[str], contrasts: Sequence[Contrast]) -> list[Tested]:
    """The pairs of groups that differ in what the last contrast names, and in nothing else."""
    *others, last = contrasts
    found: list[Tested] = []
    for place, key in enumerate(groups):
        for rival in groups[:place]:
            one = Contrast({name: rival[by.index(name)] for name in last.baseline}, last.sign)
            if one.counterpart(by, key) == rival:
                found.append((key, [*others, one]))
    return found


def adjusted(keys: pd.DataFrame, results: Sequence[Estimate], within: Sequence[str]) -> pd.DataFrame:
    """For each estimate p and what is detectable at the level of its family: those with equal keys in some columns."""
    families = keys.groupby(list(within), sort=False).indices.values() if within else [np.arange(len(keys))]
    columns = pd.DataFrame(1.0, index=keys.index, columns=[FAMILY, FAMILY_DETECTABLE])
    for places in families:
        members = [results[int(place)] for place in places]
        ps, reach = max_t(members)
        columns.iloc[places] = [[p, one.detectable_at(reach)] for p, one in zip(ps, members, strict=True)]
    return columns


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
    made: list[dict[int, Made]] = [{} for _ in asked]
    alike = defaultdict(list)  # by items and place: estimates and their parts
    for number, groups in enumerate(asked):
        for place, parts in enumerate(groups):
            alike[wide.shared(parts).tobytes(), place].append((number, parts))
    for (items, place), members in alike.items():
        shared = np.frombuffer(items, dtype=bool)
        if shared.any():
            for number, one in sums_over(wide, shared, members, log, seed + place):
                made[number][place] = one
    found = []
    for groups, parts_made in zip(asked, made, strict=True):
        tables = [wide.shared_values(parts) for parts in groups]
        failed = sum(wide.failures(parts) for parts in groups)
        if len(parts_made) < len(groups):  # a group has no item that all its parts have
            found.append(undefined(sum(map(len, tables)), failed))
        else:
            whole = averaged([parts_made[place] for place in range(len(groups))], failed)
            found.append(as_rate(whole, tables, groups, log))
    return found


def sums_over(
    wide: Wide, shared: NDArray[np.bool_], members: Sequence[tuple[int, Sequence[Part]]], log: bool, seed: int
) -> Iterator[tuple[int, Made]]:
    """The signed sums over the same items, by the number of the estimate."""
    used = sorted({wide.columns[key] for _, parts in members for key, _ in parts})
    columns, places = distinct(wide.values[shared][:, used])
    place_of = dict(zip(used, places, strict=True))
    at = [[place_of[wide.columns[key]] for key, _ in parts] for _, parts in members]
    held = Samples(columns, [pair for each in at for pair in pairs_of(sorted(set(each)))], seed)
    for (number, parts), each in zip(members, at, strict=True):
        yield number, signed_sum(held, each, [sign for _, sign in parts], log=log)


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
