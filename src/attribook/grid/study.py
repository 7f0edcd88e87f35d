"""Studies: items x methods x metrics on one model under one protocol. A definition is frozen and decides every number.

`Definition` is what every kind of study fixes, and where its rows lie. A kind adds what its units are, what is stored
of each, and under which keys. `Study` is the plainest one: a vector of scores for each unit, and each metric's rows of
it; others are in pools.py and judged.py. Rows are read, and the missing ones computed, by `Rows` (rows.py).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from attribook.attribution.names import Options
from attribook.data.prompts import Prompt
from attribook.errors import AttribookError
from attribook.grid.frames import tidy
from attribook.grid.items import KEEP, Items, Unit
from attribook.grid.keys import digest
from attribook.grid.planning import only_planned
from attribook.grid.protocols import find_protocol
from attribook.grid.rows import SCORES, Rows
from attribook.grid.settings import Protocol, Setting
from attribook.grid.store import Row
from attribook.metrics.names import FACTS
from attribook.paths import study_folder

if TYPE_CHECKING:
    from attribook.models.explained import Explained

Weights = Callable[[str], str]  # from a model's name to what identifies its weights
OK = "ok"

# The least that each number of a study may be; Python would read less as a count from the end, or as nothing at all.
LEAST = {"n_items": 0, "continuation": 0, "start": 0, "stride": 1, "random_seeds": 1}
METRIC_COLUMNS = (
    "item", "step", "method", "options_hash", "method_version", "seed", "draw", "metric", "value", "status",
    "forwards", "backwards", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """One grid. What is frozen here and in the protocol decides every number; the rest decides only speed.

    A protocol and methods may be given as values or as texts. They are read once, here; a manifest holds their texts.
    """

    name: str
    profile: str
    model: str
    dataset: str
    protocol: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    n_items: int = 0  # 0 = all kept items
    seed: int = 0
    random_seeds: int = 5  # seeds of each random method
    keep: str = "correct_both"  # which items are explained: see KEEP
    continuation: int = 0  # greedy tokens after each prompt whose predictions are explained; 0: the first alone
    stride: int = 1  # every which of them
    start: int = 0  # how many of them are passed over first

    columns: ClassVar[tuple[str, ...]] = METRIC_COLUMNS  # of its rows, beside their key
    worker: ClassVar[str]  # module and class that compute its rows, imported when one is missing

    def __post_init__(self) -> None:
        given = self.protocol
        object.__setattr__(self, "protocol", given.name if isinstance(given, Protocol) else given)
        if self.conditions != given and isinstance(given, Protocol):
            raise AttribookError(f"Another protocol is known as {given.name}. Give this one a name of its own.")
        object.__setattr__(self, "settings", tuple(Setting.parse(str(method)) for method in self.methods))
        object.__setattr__(self, "methods", tuple(str(setting) for setting in self.settings))
        if unknown := set(self.metrics) - set(FACTS):
            raise AttribookError(f"Unknown metrics {', '.join(sorted(unknown))}. Known: {', '.join(FACTS)}.")
        if self.keep not in KEEP:
            raise AttribookError(f"Unknown keep {self.keep!r}. Choose one of: {', '.join(KEEP)}.")
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise AttribookError(f"{name} is {getattr(self, name)}. Give {least} or more.")

    settings: ClassVar[tuple[Setting, ...]]  # what `methods` says, of each study its own

    @cached_property
    def conditions(self) -> Protocol:
        """The protocol itself."""
        return find_protocol(self.protocol)

    @property
    def folder(self) -> Path:
        """`results/<profile>/<study>/<model>/<protocol>`; a model's slashes become dashes."""
        return study_folder(self.profile, self.name, self.model) / self.protocol

    @property
    def label(self) -> str:
        """For progress bars."""
        return f"{self.name} · {self.protocol}"

    @property
    def as_json(self) -> dict[str, Any]:
        """All fields as a manifest holds them."""
        return dict(json.loads(json.dumps(asdict(self))))

    # -- what a kind of study decides ------------------------------------------------------------------------------

    def units_of(self, items: Items) -> Iterator[Unit]:
        """Everything that is stored at once."""
        raise NotImplementedError

    def parts(self, unit: Unit) -> list[str]:
        """What is stored of a unit, and checked: by default its scores, and rows of each metric."""
        return [SCORES, *self.metrics]

    def key(self, weights: Weights, unit: Unit, part: str) -> str:
        """The key of a part of a unit."""
        raise NotImplementedError

    def numbers(self, part: str, rows: list[Row]) -> list[Row]:
        """Stored rows of a part as rows with one number each, to be compared."""
        return rows

    def is_whole(self, rows: list[Row]) -> bool:
        """Whether stored rows of one key are all that belong to it."""
        return True

    # -- options -----------------------------------------------------------------------------------------------------

    def options(self, setting: Setting) -> Options:
        """All options of a method: its defaults, over them the protocol's, and over these those of the setting."""
        given = {**self.conditions.method_options(setting.method), **dict(setting.options)}
        return setting.facts.resolve(given)

    def metric_options(self, metric: str) -> Options:
        """Options of a metric under the protocol."""
        return self.conditions.metric_options(metric)

    # -- its items and rows ------------------------------------------------------------------------------------------

    @cached_property
    def data(self) -> "Rows[Definition]":
        """Its rows on this machine, computed with the model that is here."""
        return Rows(self)

    @property
    def explained(self) -> "Explained":
        """The explained model, loaded when it is asked for."""
        return self.data.worker.model

    @property
    def fingerprint(self) -> str:
        """Weights' identity, without loading them where it is known."""
        return self.data.weights(self.model)

    @property
    def items(self) -> list[Prompt]:
        """The prompts that are explained."""
        return self.data.items.chosen

    @property
    def predictions(self) -> pd.DataFrame:
        """For every item of the data set: predicted token, probability, and whether it is right."""
        return self.data.items.predictions

    def predicted(self, prompts: Sequence[Prompt]) -> pd.DataFrame:
        """The same for some items."""
        return self.data.items.predicted(prompts)

    def n_kept(self) -> str:
        """How many items of the data set were kept, as a sentence."""
        return self.data.items.counted()

    def units(self) -> list[Unit]:
        """Everything that is stored at once."""
        return self.data.units()

    def run(self) -> None:
        """Compute and store what is missing; nothing while it is only planned."""
        if not only_planned(self):
            self.data.run()

    def table(self, numbers: Sequence[str]) -> pd.DataFrame:
        """Rows of all units, computed where they are missing; with the columns that the study fixes."""
        if only_planned(self):
            return pd.DataFrame(columns=[*self.columns, "study", "protocol", "model", "dataset"])
        self.run()
        groups = [(unit, part) for unit in self.units() for part in self.parts(unit) if part != SCORES]
        found = [{**row, "method": unit.name} for unit, part in groups for row in self._rows_of(unit, part)]
        frame = pd.DataFrame(found)
        frame[list(numbers)] = frame[list(numbers)].apply(pd.to_numeric)
        return frame.assign(study=self.name, protocol=self.protocol, model=self.model, dataset=self.dataset)

    def _rows_of(self, unit: Unit, part: str) -> list[Row]:
        """The stored rows of a part, or of a part that failed one without a value that says so."""
        if self.data.has(unit, part):
            return self.data.group(unit, part)
        told = {"item": unit.prompt.id, "step": unit.step, "seed": unit.seed, "draw": 0, "metric": part}
        return [dict.fromkeys(self.columns, "") | {"selection": part, "status": "failed"} | told]


@dataclass(frozen=True)
class Study(Definition):
    """Units are items, steps of their continuation, settings, and seeds; metrics judge each vector of scores."""

    worker: ClassVar[str] = "attribook.grid.scoring:Scoring"

    def units_of(self, items: Items) -> Iterator[Unit]:
        """Several seeds for what is random."""
        for prompt, step in items.places():
            for setting in self.settings:
                for seed in range(self.random_seeds if setting.several else 1):
                    yield Unit(prompt, step, setting, self.seed + seed)

    def scored(self, unit: Unit) -> Unit:
        """The unit whose stored scores a variant changes: of the same seed, if the method itself is random."""
        if not unit.setting.variant:
            return unit
        plain = unit.setting.plain
        return replace(unit, setting=plain, seed=unit.seed if plain.facts.random else self.seed)

    def key(self, weights: Weights, unit: Unit, part: str) -> str:
        """A variant has the key of the scores that it changes."""
        scored, setting = self.scored(unit), unit.setting
        scores = score_key(weights(self.model), scored, self.options(scored.setting))
        if part == SCORES:
            return scores
        changed = [setting.variant, setting.variant_version, unit.seed] if setting.variant else []
        return metric_key(scores, changed, part, self.metric_options(part))

    def is_whole(self, rows: list[Row]) -> bool:
        """Whether there is a row for each draw, or the one that says why there are none."""
        name = rows[0]["metric"]
        draws = {**FACTS[name].options, **self.metric_options(name)}.get("draws", 1)
        return len(rows) == draws or rows[0]["status"] != OK

    def scores(self) -> list[Row]:
        """Stored score vectors of every method, computed where they are missing; none of variants and failed units."""
        self.run()
        units = [unit for unit in self.units() if not unit.setting.variant and self.data.has(unit, SCORES)]
        return [self.score_row(unit) for unit in units]

    def score_row(self, unit: Unit) -> Row:
        """The stored score row of a unit, with the tokens of its text."""
        return self.data.score_row(unit)

    def rows(self) -> pd.DataFrame:
        """Metric rows of every unit."""
        numbers = ["seed", "draw", "value", "forwards", "backwards", "seconds", "method_version", "step"]
        return self.table(numbers)

    def frame(self) -> pd.DataFrame:
        """Metric rows of every unit as a tidy frame (frames.py)."""
        return tidy(self.rows(), profile=self.profile)


def score_key(weights: str, unit: Unit, options: Options) -> str:
    """The key of a method's scores of one text."""
    facts = unit.setting.facts
    return digest(SCORES, weights, unit.place, facts.name, facts.version, facts.keyed(options), unit.seed)


def metric_key(scores: str, changed: Sequence[Any], metric: str, options: Options) -> str:
    """The key of a metric's rows of stored scores, or of what a variant has changed in them."""
    return digest(scores, *changed, metric, FACTS[metric].version, options)
