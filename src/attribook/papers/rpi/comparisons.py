"""Comparisons that several tables of RPI make: every method beside the best map of RPI, and how many are behind it."""

from collections.abc import Sequence

import pandas as pd

from attribook.statistics.estimates import estimate
from attribook.statistics.picking import oriented
from attribook.statistics.tests import ABOVE, BELOW, decisions

BY = ["name", "metric"]


def beside_best(values: pd.DataFrame, best: str) -> pd.DataFrame:
    """The mean of every name by metric, and how far `best` is ahead of it: above 0 `best` is better.

    values: one value for each name, metric and item. Columns: name, metric, value, low, high, n, and of the difference
        over the items of both: ahead, ahead low, ahead high, detectable, ahead n; NaN for `best` itself.
    """
    means = estimate(values, "mean", BY).drop(columns=["failed", "p", "detectable"])
    ahead = estimate(oriented(values), "difference", BY, of={"name": best})
    heads = {"value": "ahead", "low": "ahead low", "high": "ahead high", "n": "ahead n"}
    return means.merge(ahead.drop(columns=["failed", "p"]).rename(columns=heads), on=BY, how="left")


def better_than(values: pd.DataFrame, names: Sequence[str], others: Sequence[str]) -> pd.DataFrame:
    """For each of `names` and each metric: how many of `others` it is decided to be better than, and worse than.

    Columns: name, metric, better, worse, of. Each difference is decided by its own interval, at the 5% level.
    """
    parts = []
    for name in names:
        rows = values[values["name"].isin([name, *others])]
        found = estimate(oriented(rows), "difference", BY, of={"name": name})
        decided = found.assign(decision=decisions(found)).groupby("metric", sort=False)["decision"]
        counts = decided.agg(better=lambda d: (d == ABOVE).sum(), worse=lambda d: (d == BELOW).sum(), of="size")
        parts.append(counts.reset_index().assign(name=name))
    return pd.concat(parts, ignore_index=True)[["name", "metric", "better", "worse", "of"]]
