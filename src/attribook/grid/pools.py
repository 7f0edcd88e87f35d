"""Pools of maps: every map of a pool is stored and judged once, and whoever picks one reads it off the stored rows.

RPI draws R maps and reports the one that the metric likes best. A pool of any method can be picked from in the same
way, so that every method gets the same number of tries:

    rpi, rpi_g, rpi_ig, rpi_sig     the maps of one run
    a method that draws             as many runs, one after the other; `random` gives random rankings
    any other method                its map, and copies of it with noise on every token, normal with the deviation
                                    of its own scores

Beside each map, the mean of the first R maps is judged for every R of `NESTED`. What is judged is what is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from attribook.attribution.names import Options
from attribook.errors import AttribookError
from attribook.grid.frames import NESTED, tidy_pool
from attribook.grid.items import Items, Unit
from attribook.grid.keys import digest
from attribook.grid.rows import SCORES
from attribook.grid.settings import Setting
from attribook.grid.store import Row
from attribook.grid.study import Definition, Weights, metric_key, score_key
from attribook.metrics.names import FACTS
from attribook.models.names import ModelName

VERSION, PROMPTED_VERSION = 1, 2  # of what a pool is, of a prompted model too; raised when its numbers change
FINEST = 10_000  # stored scores are shares of their map's largest by this
POOL_COLUMNS = (
    "item", "method", "options_hash", "method_version", "seed", "metric", "status", "forwards", "seconds", "values",
    "means",
)  # fmt: skip


@dataclass(frozen=True)
class PoolStudy(Definition):
    """A study whose units are pools of `size` maps. `metrics` are those that draw nothing."""

    size: int = 24

    columns: ClassVar[tuple[str, ...]] = POOL_COLUMNS
    worker: ClassVar[str] = "attribook.grid.pooling:Pooling"

    def __post_init__(self) -> None:
        super().__post_init__()
        if drawn := [name for name in self.metrics if FACTS[name].draws]:
            raise AttribookError(f"{', '.join(drawn)} draws at random, so a pool would be picked by luck.")
        if self.size < 1 or self.continuation or any(setting.variant for setting in self.settings):
            raise AttribookError("A pool has at least one map of a method, no variant, for the prompt's prediction.")

    @property
    def nested(self) -> list[int]:
        """The numbers of maps whose mean is judged."""
        return [r for r in NESTED if r <= self.size]

    def units_of(self, items: Items) -> Iterator[Unit]:
        """One pool for each item and method."""
        return (Unit(prompt, 0, setting, self.seed) for prompt in items.chosen for setting in self.settings)

    def options(self, setting: Setting) -> Options:
        """As of any study; what makes several maps in one run makes as many as the pool has."""
        return super().options(setting) | ({"trials": self.size} if setting.facts.candidates else {})

    def key(self, weights: Weights, unit: Unit, part: str) -> str:
        """As for one vector of scores, with the size."""
        version = VERSION if ModelName.parse(self.model).template is None else PROMPTED_VERSION
        one = score_key(weights(self.model), unit, self.options(unit.setting))
        pool = digest("pool", version, self.size, one)
        return pool if part == SCORES else metric_key(pool, [], part, self.metric_options(part))

    def numbers(self, part: str, rows: list[Row]) -> list[Row]:
        """All maps as one vector of scores; of a judged pool, a row for each value and for those of its means."""
        (row,) = rows
        if part == SCORES:
            return [row | {"scores": [score for text in row["maps"] for score in read_map(text)]}]
        return [row | {"value": value} for column in ("values", "means") for value in row[column].split()]

    def frame(self) -> pd.DataFrame:
        """The value of every map, and of the means of the first maps, as a tidy frame; failed pools are left out."""
        rows = self.table(["seed"])
        return tidy_pool(rows[rows["status"] != "failed"], self.nested, profile=self.profile)

    def costs(self) -> pd.DataFrame:
        """Items, maps, and seconds for making and judging them, a row for each method."""
        self.run()
        lines = [
            {"pool": unit.name, "n": 1, "maps": self.size, "seconds": self.data.group(unit, SCORES)[0]["seconds"],
             "judging": sum(float(self.data.group(unit, metric)[0]["seconds"]) for metric in self.metrics)}
            for unit in self.units() if all(self.data.has(unit, part) for part in self.parts(unit))
        ]  # fmt: skip
        groups = pd.DataFrame(lines).groupby("pool", sort=False)
        return groups.agg({"n": "sum", "maps": "first", "seconds": "mean", "judging": "mean"}).reset_index()

    def score_row(self, unit: Unit) -> Row:
        """What is stored of a pool, with the tokens of its text."""
        return self.data.score_row(unit)

    def maps(self, unit: Unit) -> np.ndarray:
        """The stored maps of a unit `(R, T)`."""
        return stored_maps(self.data.group(unit, SCORES)[0])


def stored_maps(row: Row) -> np.ndarray:
    """The maps `(R, T)` of the stored row of a pool."""
    return np.array([read_map(text) for text in row["maps"]], dtype=float)


def read_map(text: str) -> list[float]:
    """The scores in the text of a stored map: its largest magnitude, and each score as ten-thousandths of it."""
    largest, *shares = text.split()
    return [float(largest) * float(share) / FINEST for share in shares]
