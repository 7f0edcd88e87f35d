"""Values by item from tidy frames: what every statistic is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from attribook.errors import AttribookError

Key = tuple[Any, ...]  # what a group has in the columns that it is grouped by
Part = tuple[Key, int]  # a group, and whether its mean is added (+1) or subtracted (-1)
# What an item's values are never averaged over: a group has one of each, or the column is among those it is grouped by.
FIXED = ("profile", "protocol", "model", "dataset", "method", "variant", "metric", "kind")


def item_values(frame: pd.DataFrame | pd.Series, by: Sequence[str], pair: str = "item") -> pd.DataFrame:
    """Mean value of each item in each group, over seeds, draws and whatever else tells its rows apart.

    frame: a tidy frame, or what pandas made of one, with its groups in the columns or in the index. Without a column
        `status`, an item whose value is NaN has failed.
    Columns: `by`, `pair`, `value`, `failed`. An item with any failed row has no value.
    Raises:  AttribookError where a value is NaN and its status "ok", or an item has values of several models,
        protocols, methods, variants or the like, over which nobody wants a mean.
    """
    rows, keys = flat(frame), [*by, pair]
    if lacking := [name for name in (*keys, "value") if name not in rows]:
        raise AttribookError(f"The frame has no column {', '.join(lacking)}; it has {', '.join(map(str, rows))}.")
    if rows[keys].isna().to_numpy().any():
        raise AttribookError(f"A row has no value in one of {', '.join(keys)}, by which rows are grouped.")
    for name in (name for name in FIXED if name in rows and name not in keys and rows[name].nunique(dropna=False) > 1):
        if rows[[*keys, name]].drop_duplicates().duplicated(keys).any():
            raise AttribookError(f"An item has values of more than one {name}: choose one, or put {name} into `by`.")
    known = rows["value"].notna()
    good = rows["status"] == "ok" if "status" in rows else known
    if (good & ~known).any():
        raise AttribookError('A value is NaN although its status is "ok".')
    groups = rows.assign(failed=~good).groupby(keys, sort=False, observed=True)
    found = groups.agg(value=("value", "mean"), failed=("failed", "any")).reset_index()
    return found.assign(value=found["value"].where(~found["failed"]).astype(float))


def flat(frame: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """A frame whose groups are all columns."""
    whole = frame.to_frame("value") if isinstance(frame, pd.Series) else frame
    named = [name for name in whole.index.names if name is not None and name not in whole]
    return whole.reset_index(named) if named else whole


@dataclass(frozen=True)
class Wide:
    """Values by item (down) and group (across): NaN where an item failed or is not there."""

    columns: dict[Key, int]
    values: NDArray[np.float64]
    failed: NDArray[np.bool_]
    items: pd.Index

    def shared(self, parts: Sequence[Part]) -> NDArray[np.bool_]:
        """Which items all these groups have; none where a group is not there."""
        if not all(key in self.columns for key, _ in parts):
            return np.zeros(len(self.items), dtype=bool)
        lacking: NDArray[np.bool_] = np.isnan(self.values[:, [self.columns[key] for key, _ in parts]])
        return np.logical_not(lacking.any(axis=1))

    def shared_values(self, parts: Sequence[Part]) -> NDArray[np.float64]:
        """The values `(n, k)` of these groups, of the items that all have; none where a group is not there."""
        known = [self.columns.get(key, 0) for key, _ in parts]
        return self.values[self.shared(parts)][:, known]

    def failures(self, parts: Sequence[Part]) -> int:
        """How many items failed in any of these groups."""
        return int(self.failed[:, [self.columns[key] for key, _ in parts if key in self.columns]].any(axis=1).sum())

    def series(self, key: Key) -> pd.Series:
        """Values of one group by item; empty where there is no such group."""
        values = self.values[:, self.columns[key]] if key in self.columns else np.full(len(self.items), np.nan)
        return pd.Series(values, index=self.items).dropna()


def widened(found: pd.DataFrame, by: Sequence[str], pair: str) -> Wide:
    """What `item_values` gives, items down in the order of their names and groups across."""
    down, items = pd.factorize(found[pair], sort=True)
    across = found.groupby(list(by), sort=False, observed=True).ngroup().to_numpy()
    keys = keys_of(found, by)
    values, failed = np.full((len(items), len(keys)), np.nan), np.zeros((len(items), len(keys)), dtype=bool)
    values[down, across], failed[down, across] = found["value"], found["failed"]
    return Wide({key: number for number, key in enumerate(keys)}, values, failed, pd.Index(items))


def keys_of(frame: pd.DataFrame, by: Sequence[str]) -> list[Key]:
    """The groups of a frame in the order in which they first appear."""
    return list(frame[list(by)].drop_duplicates().itertuples(index=False, name=None))
