"""Rows of pools as evidence: what the best of R maps gives, for printed values that a metric has picked.

A name of such a value is a `Picked` (grid/settings.py).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attribook.files import readable
from attribook.grid.settings import Picked
from attribook.metrics.names import sign
from attribook.paths import results_folder
from attribook.statistics.picking import expected_pick


@dataclass(frozen=True, eq=False)
class PickedRows:
    """Stored pools of drawn maps by setting and metric: items down, maps across; a setting may have several pools."""

    path: Path  # the file of rows, under the results
    pools: dict[tuple[str, str], list[pd.DataFrame]]

    def value(self, name: str, metric: str) -> pd.Series | None:
        """The expected best of R for every item, None where no pool has as many maps; of several the most items.

        Of pools with as many items the smallest, whatever was computed first.
        """
        wanted = Picked.parse(name)
        if wanted is None:
            return None
        many, found = wanted.maps, [self._pool(str(setting), metric, wanted.each) for setting in wanted.settings]
        pools = [pool for pool in found if pool is not None]
        if len(pools) < len(found):
            return None
        if len(pools) > 1:
            pools = [pool.iloc[:, : wanted.each] for pool in pools]
        values = pd.concat(pools, axis=1, join="inner", keys=range(len(pools)))
        liked = values.to_numpy(float) * sign(metric)
        return pd.Series(expected_pick(liked, values.to_numpy(float), many), index=values.index)

    def _pool(self, setting: str, metric: str, size: int) -> pd.DataFrame | None:
        large = [pool for pool in self.pools.get((setting, metric), []) if pool.shape[1] >= size]
        return max(large, key=lambda pool: (len(pool), -pool.shape[1]), default=None)


def holds(one: str, other: str | None) -> bool:
    """Whether one of two names of such values stands for the other's maps and more, as many of every setting at least.

    The metric that picks can then only like its best more. False for any other names.
    """
    wanted = [picked for picked in (Picked.parse(name or "") for name in (one, other)) if picked]
    if len(wanted) < 2:
        return False
    first, second = (dict.fromkeys(picked.settings, picked.each) for picked in wanted)
    return any(all(a.get(name, 0) >= many for name, many in b.items()) for a, b in ((first, second), (second, first)))


def read_picked(path: Path) -> PickedRows:
    """All pools in a file of rows."""
    found: dict[tuple[str, str], list[pd.DataFrame]] = {}
    with readable(path):
        rows = pd.read_csv(path, dtype=str)
        sizes = rows["values"].str.count(" ") + 1
        for key, group in rows.groupby(["method", "metric", sizes], sort=False):
            numbers = [[float(value) for value in text.split()] for text in group["values"]]
            frame = pd.DataFrame(np.array(numbers, float), index=group["item"].to_numpy())
            found.setdefault((str(key[0]), str(key[1])), []).append(frame)
    return PickedRows(path.relative_to(results_folder()), found)
