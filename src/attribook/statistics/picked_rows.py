"""Rows of pools as evidence: what the best of R maps gives, for printed values that a metric has picked.

A name of such a value is `setting, best of R`. Options with `|` between values stand for one pool of each, joined, of
which every one gives as many maps: `rpi{layers=-1|-2,steps=11}, best of 48` is the best of 24 maps of either layer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd

from attribook.errors import AttribookError
from attribook.paths import results_folder
from attribook.statistics.bootstrap import expected_pick
from attribook.statistics.units import METRICS

FORM = re.compile(r"(.+), best of (\d+)")


@dataclass(frozen=True, eq=False)
class PickedRows:
    """Stored pools of drawn maps by setting and metric: items down, maps across; a setting may have several pools."""

    path: Path  # the file of rows, under the results
    pools: dict[tuple[str, str], list[pd.DataFrame]]

    def value(self, name: str, metric: str) -> pd.Series | None:
        """The expected best of R for every item, None where no pool has as many maps; of several the most items.

        Of pools with as many items the smallest, whatever was computed first.
        """
        form = FORM.fullmatch(name)
        if form is None:
            return None
        settings, many = list(alternatives(form[1])), int(form[2])
        if many % len(settings):
            raise AttribookError(f"{name}: {many} maps cannot come from {len(settings)} pools in equal parts.")
        found = [self._pool(setting, metric, many // len(settings)) for setting in settings]
        pools = [pool for pool in found if pool is not None]
        if len(pools) < len(found):
            return None
        if len(pools) > 1:
            pools = [pool.iloc[:, : many // len(pools)] for pool in pools]
        values = pd.concat(pools, axis=1, join="inner", keys=range(len(pools)))
        liked = values.to_numpy(float) * (-1 if METRICS[metric].better == "lower" else 1)
        return pd.Series(expected_pick(liked, values.to_numpy(float), many), index=values.index)

    def _pool(self, setting: str, metric: str, size: int) -> pd.DataFrame | None:
        large = [pool for pool in self.pools.get((setting, metric), []) if pool.shape[1] >= size]
        return max(large, key=lambda pool: (len(pool), -pool.shape[1]), default=None)


def holds(one: str, other: str | None) -> bool:
    """Whether one of two names of such values stands for the other's maps and more, as many of every setting at least.

    The metric that picks can then only like its best more. False for any other names.
    """
    forms = [FORM.fullmatch(name or "") for name in (one, other)]
    pools = [dict.fromkeys(parts := list(alternatives(form[1])), int(form[2]) // len(parts)) for form in forms if form]
    if len(pools) < 2:
        return False
    first, second = pools
    return any(all(a.get(name, 0) >= many for name, many in b.items()) for a, b in ((first, second), (second, first)))


def alternatives(setting: str) -> Iterator[str]:
    """The settings that one with `|` in it stands for."""
    parts = [part.split("|") for part in re.split(r"([{},])", setting)]
    for place, part in enumerate(parts):
        name, equals, _ = part[0].partition("=")
        parts[place] = [part[0], *(f"{name}{equals}{other}" for other in part[1:])] if equals else part
    return ("".join(chosen) for chosen in product(*parts))


def read_picked(path: Path) -> PickedRows:
    """All pools in a file of rows."""
    rows = pd.read_csv(path, dtype=str)
    found: dict[tuple[str, str], list[pd.DataFrame]] = {}
    sizes = rows["values"].str.count(" ") + 1
    for key, group in rows.groupby(["method", "metric", sizes], sort=False):
        numbers = [[float(value) for value in text.split()] for text in group["values"]]
        found.setdefault((str(key[0]), str(key[1])), []).append(pd.DataFrame(numbers, index=group["item"].to_numpy()))
    return PickedRows(path.relative_to(results_folder()), found)
