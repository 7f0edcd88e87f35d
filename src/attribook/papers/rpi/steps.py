"""How many points RPI's path needs: what a metric says to the same maps with fewer points and with more.

Maps of a pool are drawn from the same noise whatever the number of points, so map r with 31 points and map r with 61
differ by the points alone. The yardstick is what two maps from different noise differ by: what is far below it is lost
in the draw that RPI makes anyway.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.tables import ERASURE
from attribook.statistics.bootstrap import Numbers
from attribook.statistics.picking import Interval, Pool, mean_of


def apart(one: Pool, other: Pool, metric: str) -> pd.Series:
    """Mean over maps of how far a metric moves between two numbers of points, absolute, for every text of both."""
    first, second = one.values[metric], other.values[metric]
    shared = first.index.intersection(second.index)
    size = min(one.size, other.size)
    return (first.loc[shared].iloc[:, :size] - second.loc[shared].iloc[:, :size]).abs().mean(axis=1)


def spread(pool: Pool, metric: str) -> pd.Series:
    """Mean absolute difference of a metric between two maps of a pool, over all pairs, for every text."""
    values = pool.values[metric].to_numpy(float)  # (n, R)
    pairs = np.triu_indices(values.shape[1], k=1)
    return pd.Series(np.abs(values[:, pairs[0]] - values[:, pairs[1]]).mean(axis=1), index=pool.values[metric].index)


def points_table(pools: Mapping[int, Pool], metrics: Sequence[str]) -> pd.DataFrame:
    """How far each number of points is from the most, by metric, with 95% intervals; last the spread of two draws."""
    most = max(pools)
    found: list[dict[str, object]] = []
    for steps in sorted(set(pools) - {most}):
        moved = {metric: mean_of(apart(pools[steps], pools[most], metric)) for metric in metrics}
        cells = {ERASURE[m]: told(i) for m, i in moved.items()}
        found.append({"points": str(steps), **cells, "n": next(iter(moved.values())).n})
    yard = {metric: mean_of(spread(pools[most], metric)) for metric in metrics}
    cells = {ERASURE[m]: told(i) for m, i in yard.items()}
    return pd.DataFrame([*found, {"points": "two draws", **cells, "n": next(iter(yard.values())).n}])


def told(estimate: Interval) -> str:
    """A value with its interval."""
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def map_agreement(studies: Mapping[int, PoolStudy]) -> pd.DataFrame:
    """Spearman's correlation of maps with the same maps of the most points, over user tokens; texts weigh alike."""
    most = max(studies)
    found = []
    for steps in sorted(set(studies) - {most}):
        each = pd.Series(
            [
                float(np.mean([ranks_alike(a, b) for a, b in zip(mine, other, strict=True)]))
                for mine, other in zip(stored_maps(studies[steps]), stored_maps(studies[most]), strict=True)
            ]
        )
        mean = mean_of(each)
        found.append({"points": str(steps), "correlation": mean.value, "low": mean.low, "high": mean.high, "n": mean.n})
    return pd.DataFrame(found)


def stored_maps(study: PoolStudy) -> list[Numbers]:
    """The maps `(R, T)` of every text of a study of one method, without the first and the last token."""
    return [study.maps(unit)[:, 1:-1] for unit in study.units()]


def ranks_alike(one: Numbers, other: Numbers) -> float:
    """Spearman's correlation of two maps; 1 where both are constant, 0 where one is."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float(np.ptp(one) == np.ptp(other))
    return float(np.corrcoef(pd.Series(one).rank(), pd.Series(other).rank())[0, 1])
