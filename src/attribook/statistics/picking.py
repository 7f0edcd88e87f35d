"""What picking is worth: the value of one map of a pool, of the mean of its maps, and of the best of R maps.

A pool frame is what `PoolStudy.frame()` gives: a row for each map of a pool and metric, and for each mean of the first
maps. From a pool of M maps the best of R <= M is computed without chance: as the mean over all subsets of R maps, which
the maps in order of their values give at once. Where a pool is a method's own map and noisy copies of it, the own map
is in every subset. Results are tidy frames without maps, whose column `pick` says how a map was chosen, so that several
can be put together and estimated:

    values = pd.concat([one_map(pools), best_of(pools, 24)])
    estimate(oriented(values), "difference", ["method", "pick", "metric"], against={"method": "random"})
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.frames import MEAN_OF_MAPS, OWN_MAP
from attribook.metrics.names import sign
from attribook.statistics.contrasts import ratio
from attribook.statistics.estimates import RESULTS
from attribook.statistics.items import item_values
from attribook.statistics.resampling import Numbers, quantiles, resampled_means

OF_MAPS = ("kind", "map", "value", "status")  # columns that tell the maps of a pool apart; the others name the pool
ONE_MAP = "one map"
TINY = 1e-12


def one_map(pools: pd.DataFrame) -> pd.DataFrame:
    """The value of one map for each item: the method's own map where there is one, else the mean over drawn maps."""
    parts = [(pool, values[:, 0] if own else values.mean(axis=1)) for pool, values, own in pool_values(pools)]
    return picked(parts, ONE_MAP, pools)


def mean_map(pools: pd.DataFrame, size: int) -> pd.DataFrame:
    """The stored value of the mean of the first `size` maps. Raises: AttribookError where a pool has none stored."""
    keys = pool_keys(pools)
    means = pools[(pools["kind"] == MEAN_OF_MAPS) & (pools["map"] == size)]
    if len(means) < len(pools[keys].drop_duplicates()):
        raise AttribookError(f"Not every pool has a stored mean of its first {size} maps.")
    return means[[*keys, "value"]].reset_index(drop=True).assign(pick=f"mean of {size} maps", status="ok")


def best_of(pools: pd.DataFrame, size: int, by: str | Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Expected value of the map that a metric likes best of `size` maps, exact over all subsets.

    by: the metric that picks, if not the one that is reported. Other columns may pick as well: with
        `{"protocol": "rpi-exchanged"}` the same metric picks the same map under that protocol.
    Raises: AttribookError where a pool has fewer maps, or where what picks has no values of a pool.
    """
    changed: dict[str, Any] = {"metric": by} if isinstance(by, str) else dict(by or {})
    parts, keys = [], pool_keys(pools)
    picking = {tuple(pool): row for frame, values, _ in (pool_values(pools) if changed else ())
               for pool, row in zip(frame.to_numpy(), values, strict=True)}  # fmt: skip
    for pool, values, own in pool_values(pools):
        if size > values.shape[1]:
            raise AttribookError(f"A pool has {values.shape[1]} maps, so the best of {size} cannot be computed.")
        pickers = pool.assign(**changed)[keys]
        try:
            liked = np.stack([picking[tuple(key)] for key in pickers.to_numpy()]) if changed else values
        except KeyError as error:
            raise AttribookError(f"There are no maps judged by {changed} for {error}.") from error
        if liked.shape != values.shape:
            raise AttribookError(f"Judged by {changed}, a pool has another number of maps: choose the first of both.")
        liked = liked * pickers["metric"].map(sign).to_numpy(float)[:, None]
        parts.append((pool, expected_best(liked, values, size, own)))
    name = " and ".join(map(str, changed.values()))
    return picked(parts, f"best of {size} by {name}" if changed else f"best of {size}", pools)


def expected_best(liked: Numbers, values: Numbers, size: int, own: bool = False) -> Numbers:
    """Mean value `(n,)` of the most liked map over all subsets of `size` maps, from arrays `(n, M)`.

    own: the first map is in every subset, so that copies that are liked less are never picked.
    """
    if not own:
        return expected_pick(liked, values, size)
    better = liked > liked[:, :1]
    liked, values = (np.where(better, many, many[:, :1]) for many in (liked, values))
    return values[:, 0] if size == 1 else expected_pick(liked[:, 1:], values[:, 1:], size - 1)


def expected_pick(liked: Numbers, values: Numbers, size: int) -> Numbers:
    """The same where all maps are drawn alike.

    The i-th most liked of M maps, i = 0..M-1, is the most liked of C(M - 1 - i, size - 1) of the C(M, size) subsets.
    Of maps that are liked alike the first counts as more liked. With `values` = `liked` it is the expected best.
    """
    many = liked.shape[1]
    weights = np.array([comb(many - 1 - i, size - 1) for i in range(many)], dtype=float) / comb(many, size)
    order = np.argsort(-liked, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1) @ weights


def join_pools(pools: pd.DataFrame, size: int, method: str) -> pd.DataFrame:
    """One pool, `method`, of the first `size` maps of each method's pool, over the items that all have.

    It has no means of maps. Raises: AttribookError for pools that are a method's own map and noisy copies of it, or
    that have fewer maps.
    """
    keys, methods = pool_keys(pools), pools["method"].unique().tolist()
    maps = pools[(pools["kind"] != MEAN_OF_MAPS) & (pools["map"] < size)]
    if (maps["kind"] == OWN_MAP).any() or (maps.groupby(keys, observed=True).size() < size).any():
        raise AttribookError(f"Only pools of at least {size} drawn maps can be joined.")
    whole = maps.assign(map=maps["method"].map(methods.index) * size + maps["map"], method=method)
    many = whole.groupby(keys, observed=True)["map"].transform("size")
    return whole[many == size * len(methods)].reset_index(drop=True)


def oriented(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with values whose higher ones are better: those of metrics whose lower ones are better change sign."""
    return frame.assign(value=frame["value"] * frame["metric"].map(sign))


def share_of_gain(
    part: pd.DataFrame, whole: pd.DataFrame, start: pd.DataFrame, by: Sequence[str] = ("metric",)
) -> pd.DataFrame:
    """Which share of the way from `start` to `whole` goes to `part`, in each group: by..., value, low, high, n.

    Formula: sum over items of (part - start) / sum of (whole - start), over the items of all three, drawn together.
        Undefined where the interval of the sum below contains 0.
    A frame that lacks a column of `by` is the same for all groups: drop `method` from a start that all methods share.
    """
    named = {"part": part, "whole": whole, "start": start}
    shared, found = pd.DataFrame(), []
    for name, frame in named.items():
        own = [column for column in by if column in frame]
        values = item_values(frame, own)[[*own, "item", "value"]].rename(columns={"value": name})
        on = [column for column in (*own, "item") if column in shared]
        shared = shared.merge(values, on=on) if on else values
    for key, group in shared.groupby(list(by), sort=False):
        table = group.set_index("item")
        share = ratio(table["part"] - table["start"], table["whole"] - table["start"])
        numbers = share.columns() | {"value": share.value + 0.0, "low": share.low + 0.0, "high": share.high + 0.0}
        found.append(dict(zip(by, key, strict=True)) | numbers)  # + 0.0 makes 0 of -0, which a table would show
    return pd.DataFrame(found, columns=[*by, *RESULTS])


# -- how many random rankings a value is worth ---------------------------------------------------------------------


def rankings_worth(
    random: pd.DataFrame, values: pd.DataFrame, by: Sequence[str] = ("method", "metric")
) -> pd.DataFrame:
    """The fewest random rankings whose best is on average at least as good as a group's values, over the items of both.

    random: the pool frame of random rankings. values: a tidy frame of what is compared with them.
    Columns: `by`, value, low, high, n, and `tries`, all in words. Infinite where more rankings would be needed than
        are stored. Items are drawn anew for the whole curve over R at once.
    """
    stored = int(random.loc[random["kind"] != MEAN_OF_MAPS, "map"].max()) + 1
    curve = oriented(curves_of(random, stored)).pivot(index=["metric", "item"], columns="R", values="value")
    found = []
    for key, group in item_values(oriented(values), by).dropna().groupby(list(by), sort=False):
        named = dict(zip(by, key, strict=True))
        both = curve.loc[str(named["metric"])].join(group.set_index("item")["value"], how="inner").to_numpy(float)
        if not len(both):
            found.append(named | {"tries": "–", "n": 0})
            continue
        means = np.vstack([both.mean(0), resampled_means(both)])  # (1 + RESAMPLES, stored + 1)
        many = fewest(means[:, :-1], means[:, -1])
        ends = [each if each <= stored else math.inf for each in (float(many[0]), *quantiles(many[1:]))]
        texts = [f"> {stored}" if math.isinf(each) else f"{each:.0f}" for each in ends]
        named["tries"] = f"{texts[0]} ({texts[1]} to {texts[2]})"
        found.append(named | dict(zip(("value", "low", "high"), ends, strict=True)) | {"n": len(both)})
    return pd.DataFrame(found, columns=[*by, "tries", "value", "low", "high", "n"])


def curves_of(pools: pd.DataFrame, most: int) -> pd.DataFrame:
    """`best_of` for every R up to `most`, of which each pool has as many maps: metric, item, R, value."""
    parts = []
    for pool, values, own in pool_values(pools):
        if most > values.shape[1]:
            raise AttribookError(f"A pool has {values.shape[1]} maps, so the best of {most} cannot be computed.")
        liked = values * pool["metric"].map(sign).to_numpy(float)[:, None]
        for size in range(1, most + 1):
            parts.append(pool[["metric", "item"]].assign(R=size, value=expected_best(liked, values, size, own)))
    return pd.concat(parts)


def fewest(curves: Numbers, wanted: Numbers) -> Numbers:
    """For each curve `(B, M)` the first place, from 1, that reaches what is wanted `(B,)`; M + 1 where none does.

    What is equal but for the order of additions counts as reached.
    """
    reached = curves >= wanted[:, None] - TINY
    return np.where(reached.any(1), reached.argmax(1) + 1, curves.shape[1] + 1).astype(float)


# -- pool frames as arrays -----------------------------------------------------------------------------------------


def pool_keys(pools: pd.DataFrame) -> list[str]:
    """The columns that name a pool: all but those that tell its maps apart."""
    return [name for name in map(str, pools) if name not in OF_MAPS]


def pool_values(pools: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, Numbers, bool]]:
    """Pools of as many maps at a time: their keys, a row each; values `(n, M)`; whether map 0 is the method's own.

    Raises: AttribookError where a map has no value, is there twice, or is missing among the others.
    """
    keys = pool_keys(pools)
    maps = pools[pools["kind"] != MEAN_OF_MAPS]
    if maps[[*keys, "map", "value"]].isna().to_numpy().any():
        raise AttribookError("A pool has a map without a value, or without a name.")
    number = maps.groupby(keys, sort=False, observed=True).ngroup().to_numpy()
    order = np.lexsort((maps["map"], number))
    maps, number = maps.iloc[order], number[order]
    sizes, owns = np.bincount(number), np.bincount(number, maps["kind"] == OWN_MAP) > 0  # of each pool
    for many, own in sorted(set(zip(sizes.tolist(), owns.tolist(), strict=True))):
        block = maps[((sizes == many) & (owns == own))[number]]
        if (block["map"].to_numpy().reshape(-1, many) != np.arange(many)).any():
            raise AttribookError("A pool lacks one of its maps, or has it twice: give maps of one model and data set.")
        values = block["value"].to_numpy(float).reshape(-1, many)
        yield block[keys].iloc[::many].reset_index(drop=True), values, own


def picked(parts: Sequence[tuple[pd.DataFrame, Numbers]], pick: str, pools: pd.DataFrame) -> pd.DataFrame:
    """Values of picked maps as a tidy frame, pools in the order of the frame that they come from."""
    keys = pool_keys(pools)
    if not parts:
        return pd.DataFrame(columns=[*keys, "pick", "value", "status"])
    found = pd.concat([pool.assign(pick=pick, value=values, status="ok") for pool, values in parts])
    return pools[keys].drop_duplicates().merge(found, on=keys, how="inner", validate="one_to_one")
