"""Pools of maps: every map of a pool is stored and judged once, and whoever picks one reads it off the stored rows.

RPI draws R maps and reports the one that the metric likes best. A pool of any method can be picked from in the same
way, so that every method gets the same number of tries:

    rpi, rpi_g, rpi_ig, rpi_sig     the maps of one run
    a method that draws             as many runs, one after the other; `random` gives random rankings
    any other method                its map, and copies of it with noise on every token, normal with the deviation
                                    of its own scores

Beside each map, the mean of the first R maps is judged for every R of `NESTED`. What is judged is what is stored.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from attribook.attribution.candidates import CANDIDATES, candidate_maps
from attribook.errors import AttribookError
from attribook.grid.frames import NESTED, tidy_pool
from attribook.grid.judged import JudgeStudy
from attribook.grid.seeds import digest, generator
from attribook.grid.settings import read_setting
from attribook.grid.store import Row, Store
from attribook.grid.study import Study, Unit
from attribook.metrics.registry import METRICS
from attribook.metrics.selection import judged
from attribook.models.encoding import Encoding
from attribook.models.names import ModelName

VERSION, PROMPTED_VERSION = 1, 2  # of what a pool is, of a prompted model too; raised when its numbers change
FINEST = 10_000  # stored scores are shares of their map's largest by this
POOL_COLUMNS = (
    "item", "method", "options_hash", "method_version", "seed", "metric", "status", "forwards", "seconds", "values",
    "means",
)  # fmt: skip


@dataclass(frozen=True)
class PoolStudy(Study):
    """A study whose units are pools of `size` maps. `metrics` are those that draw nothing."""

    size: int = 24

    def __post_init__(self) -> None:
        super().__post_init__()
        if drawn := [name for name in self.metrics if "draws" in METRICS[name].defaults]:
            raise AttribookError(f"{', '.join(drawn)} draws at random, so a pool would be picked by luck.")
        if self.size < 1 or self.continuation or any(":" in name for name in self.methods):
            raise AttribookError("A pool has at least one map of a method, no variant, for the prompt's prediction.")

    def units(self) -> Iterator[Unit]:
        """One pool for each item and method."""
        return (Unit(prompt, 0, name, self.seed) for prompt in self.items for name in self.methods)

    def frame(self) -> pd.DataFrame:
        """The value of every map, and of the means of the first maps, as a tidy frame (frames.py)."""
        self.run()
        keys = [self._metric_key(unit, metric) for unit in self.units() for metric in self.metrics]
        rows = pd.DataFrame([row for key in keys for row in self._rows[key]])
        fixed = {"study": self.name, "profile": self.profile, "protocol": self.protocol, "model": self.model}
        return tidy_pool(rows, self.nested, dataset=self.dataset, **fixed)

    def values(self) -> dict[tuple[str, str], pd.DataFrame]:
        """By method and metric: the value of each map, items down, maps across; missing pools are computed."""
        return self._table("values", range(self.size))

    def means(self) -> dict[tuple[str, str], pd.DataFrame]:
        """By method and metric: the value of the mean of the first R maps, items down, R across."""
        return self._table("means", self.nested)

    def _table(self, column: str, across: Any) -> dict[tuple[str, str], pd.DataFrame]:
        self.run()
        found: dict[tuple[str, str], dict[str, list[float]]] = {}
        for unit in self.units():
            for metric in self.metrics:
                row = self._rows[self._metric_key(unit, metric)][0]
                numbers = [float(value) for value in row[column].split()]
                found.setdefault((unit.name, metric), {})[unit.prompt.id] = numbers
        return {
            name: pd.DataFrame.from_dict(items, orient="index", columns=list(across)) for name, items in found.items()
        }

    def costs(self) -> pd.DataFrame:
        """Items, maps, and seconds for making and judging them, a row for each method."""
        self.run()
        found = []
        for name in self.methods:
            units = [unit for unit in self.units() if unit.name == name]
            made = [self._scores[self._score_key(unit)][0] for unit in units]
            asked = [self._rows[self._metric_key(unit, metric)][0] for unit in units for metric in self.metrics]
            found.append(
                {
                    "pool": name,
                    "n": len(units),
                    "maps": self.size,
                    "seconds": sum(row["seconds"] for row in made) / len(units),
                    "judging": sum(float(row["seconds"]) for row in asked) / len(units),
                }
            )
        return pd.DataFrame(found)

    def maps(self, unit: Unit) -> Tensor:
        """The stored maps of a unit `(R, T)`."""
        texts = self._scores[self._score_key(unit)][0]["maps"]
        return torch.tensor([read_map(text) for text in texts], dtype=torch.float64)

    def stored(self, unit: Unit) -> dict[str, list[Row]]:
        """As `Study.stored`: all maps as one vector of scores, and a row for each value."""
        found = super().stored(unit)
        for part, rows in found.items():
            if part == "scores":
                maps = [read_map(text) for text in rows[0]["maps"]]
                found[part] = [rows[0] | {"scores": [score for scores in maps for score in scores]}]
            else:
                found[part] = row_each(rows[0])
        return found

    def recomputed(self, unit: Unit, parts: Sequence[str]) -> dict[str, list[Row]]:
        """The same, computed now; maps are not rounded."""
        encoding, found = self._encode(unit.prompt, unit.step), {}
        for part in parts:
            if part == "scores":
                told = {"tokens": self._stored_tokens(encoding), "target": encoding.target_text}
                found[part] = [told | {"scores": self._maps(encoding, unit).flatten().tolist()}]
            else:
                found[part] = row_each(self._judged_row(encoding, unit, part))
        return found

    @property
    def nested(self) -> list[int]:
        """The numbers of maps whose mean is judged."""
        return [r for r in NESTED if r <= self.size]

    @cached_property
    def _rows(self) -> Store:
        return Store(self.folder / "rows.csv", POOL_COLUMNS)

    def _options(self, scored: str) -> dict[str, Any]:
        options = super()._options(scored)
        return options | ({"trials": self.size} if read_setting(scored)[0].name in CANDIDATES else {})

    def _score_key(self, unit: Unit) -> str:
        version = VERSION if ModelName.parse(self.model).template is None else PROMPTED_VERSION
        return digest("pool", version, self.size, super()._score_key(unit))

    def _compute(self, encoding: Encoding, unit: Unit) -> None:
        key = self._score_key(unit)
        if key not in self._scores:
            self._scores.append(key, [self._pool_row(encoding, unit)])
        for metric in self.metrics:
            place = self._metric_key(unit, metric)
            if place not in self._rows:
                self._rows.append(place, [self._judged_row(encoding, unit, metric)])

    def _pool_row(self, encoding: Encoding, unit: Unit) -> Row:
        before, start = self.explained.engine.counter.copy(), time.perf_counter()
        maps = self._maps(encoding, unit)
        spent = self.explained.engine.counter - before
        method, _ = read_setting(unit.name)
        return {
            "item": unit.prompt.id,
            "method": unit.name,
            "version": method.version,
            "options": self._options(unit.name),
            "seed": unit.seed,
            "tokens": self._stored_tokens(encoding),
            "target": encoding.target_text,
            "probability": round(encoding.probability, 6),
            "maps": [written_map(scores, encoding.template) for scores in maps],
            "forwards": spent.forwards,
            "backwards": spent.backwards,
            "seconds": round(time.perf_counter() - start, 3),
        }

    def _maps(self, encoding: Encoding, unit: Unit) -> Tensor:
        """The pool `(R, T)`; a smaller one begins a larger one."""
        method, _ = read_setting(unit.name)
        chance = generator(self.name, unit.place, method.name, unit.seed)
        options = self._options(unit.name)
        if method.name in CANDIDATES:
            return candidate_maps(self.explained, encoding, method.name, generator=chance, **options)
        if method.random:
            runs = [method(self.explained, encoding, generator=chance, **options) for _ in range(self.size)]
            return torch.stack([run.scores for run in runs])
        return shaken(method(self.explained, encoding, **options).scores, encoding.attributable, self.size, chance)

    def _judged_row(self, encoding: Encoding, unit: Unit, metric: str) -> Row:
        maps = self.maps(unit)  # (R, T)
        both = torch.cat([maps, torch.stack([maps[:r].mean(0) for r in self.nested])])  # (R + N, T)
        before, start = self.explained.engine.counter.copy(), time.perf_counter()
        values = judged(self.explained, encoding, both, METRICS[metric], **self._metric_options(metric)).tolist()
        return {
            "item": unit.prompt.id,
            "method": unit.name,
            "options_hash": digest(self._options(unit.name), length=8),
            "method_version": read_setting(unit.name)[0].version,
            "seed": unit.seed,
            "metric": metric,
            "status": "ok",
            "forwards": (self.explained.engine.counter - before).forwards,
            "seconds": round(time.perf_counter() - start, 3),
            "values": " ".join(f"{value:.6g}" for value in values[: self.size]),
            "means": " ".join(f"{value:.6g}" for value in values[self.size :]),
        }


def shaken(scores: Tensor, attributable: Tensor, size: int, chance: torch.Generator) -> Tensor:
    """The scores, and copies with normal noise of the deviation that scores of attributable tokens have `(R, T)`."""
    noise = torch.randn(size, len(scores), generator=chance, dtype=torch.float64)
    noise[0] = 0
    deviation = scores[attributable].std() if int(attributable.sum()) > 1 else torch.zeros(())
    return scores + deviation * noise


def row_each(row: Row) -> list[Row]:
    """A row for each value of a judged pool and for those of its means."""
    return [row | {"value": value} for column in ("values", "means") for value in row[column].split()]


def written_map(scores: Tensor, template: Tensor) -> str:
    """A map as text: its largest magnitude, and every score as ten-thousandths of it, in whole numbers.

    Where the template has the largest and no token outside reaches half of it, five digits of every score are kept:
    whole numbers could round all of the user's words, which alone are judged, to 0.
    """
    largest = float(scores.abs().max())
    shares = scores / largest * FINEST if largest else scores
    whole = float(scores[~template].abs().max()) >= largest / 2
    return " ".join([f"{largest:.6g}", *(str(round(share)) if whole else f"{share:.5g}" for share in shares.tolist())])


def read_map(text: str) -> list[float]:
    """The scores in such a text."""
    largest, *shares = text.split()
    return [float(largest) * float(share) / FINEST for share in shares]


def told_study(told: dict[str, Any]) -> Study:
    """The study that a manifest tells of."""
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
    kind = PoolStudy if "size" in given else JudgeStudy if "judge" in given else Study
    return kind(**given)
