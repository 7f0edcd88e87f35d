"""The rows of one study: found by their keys, and computed where they are missing.

Reading needs no torch. The first missing row imports the study's worker, which its definition names by text: what
computes is a plug-in of what reads, and nothing here depends on it.
"""

import hashlib
import pkgutil
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tqdm import tqdm

from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError, Unanswered
from attribook.grid.executors import Failed, Outcome, executor
from attribook.grid.failures import Failures
from attribook.grid.items import Items, Unit
from attribook.grid.manifest import covers, runs_of, write_manifest
from attribook.grid.planning import refuse_if_planned
from attribook.grid.store import Row, Store
from attribook.models.names import known_fingerprint

if TYPE_CHECKING:
    from attribook.grid.study import Definition
    from attribook.grid.work import Work

D = TypeVar("D", bound="Definition")
MOST_UNANSWERED = 3  # questions without an answer after which a run ends: the server will not be back in a minute
SCORES = "scores"  # the part of a unit that lies in the file of scores; its other parts lie in the file of rows


class Rows(Generic[D]):
    """Rows of a study in its two files, one of scores and one of what was made of them."""

    def __init__(self, study: D, weights: str | None = None) -> None:
        """`weights`: what the keys have for the model's weights, if not those of the model that is here."""
        self.study = study
        self._weights = {study.model: weights} if weights else {}
        self.items = Items(study, lambda: self.weights(study.model), lambda: self.worker)

    @cached_property
    def worker(self) -> "Work":
        """What computes this study's rows."""
        refuse_if_planned()
        worker: Work = pkgutil.resolve_name(self.study.worker)(self)
        return worker

    def weights(self, model: str) -> str:
        """What identifies a model's weights, which are read only where nothing else tells it."""
        refuse_if_planned()  # a hub might be asked
        if model not in self._weights:
            self._weights[model] = known_fingerprint(model) or self.worker.fingerprint(model)
        return self._weights[model]

    @cached_property
    def scores(self) -> Store:
        """The file of scores."""
        return Store(self.study.folder / "scores.jsonl")

    @cached_property
    def rows(self) -> Store:
        """The file of rows."""
        return Store(self.study.folder / "rows.csv", self.study.columns, self.study.is_whole)

    @cached_property
    def failures(self) -> Store:
        """The file of parts that failed, each with its error: they are not tried again as long as it names them."""
        return Store(self.study.folder / "failures.jsonl")

    def units(self) -> list[Unit]:
        """Everything that the study has rows of."""
        return list(self.study.units_of(self.items))

    def key(self, unit: Unit, part: str) -> str:
        """The key of a part of a unit."""
        return self.study.key(self.weights, unit, part)

    def has(self, unit: Unit, part: str) -> bool:
        """Whether a part of a unit is stored."""
        return self.key(unit, part) in self._store(part)

    def settled(self, unit: Unit, part: str) -> bool:
        """Whether a part of a unit is stored, or is known to fail."""
        return self.has(unit, part) or self.key(unit, part) in self.failures

    def stored_scores(self, unit: Unit) -> list[Row]:
        """The stored scores of a unit, none where they are missing."""
        return self.scores.groups.get(self.key(unit, SCORES), [])

    def group(self, unit: Unit, part: str) -> list[Row]:
        """The stored rows of a part of a unit; items with one text share them. Raises: AttribookError if it failed."""
        if (failed := self.failures.groups.get(self.key(unit, part))) and not self.has(unit, part):
            raise AttribookError(f"{part} of {unit.name} on {unit.prompt.id} failed: {failed[0]['error']}")
        return [row | {"item": unit.prompt.id} for row in self._store(part)[self.key(unit, part)]]

    def score_row(self, unit: Unit) -> Row:
        """The stored score row of a unit, with the tokens of its text."""
        row = {**self.group(unit, SCORES)[0], "method": unit.name}
        return row if row["tokens"] else row | {"tokens": self.worker.tokens(unit.prompt, unit.step)}

    def comparable(self, unit: Unit) -> dict[str, list[Row]]:
        """What is stored of a unit, by its parts, as rows with one number each."""
        held = [part for part in self.study.parts(unit) if self.has(unit, part)]
        return {part: self.study.numbers(part, self.group(unit, part)) for part in held}

    def recomputed(self, unit: Unit, parts: Sequence[str]) -> dict[str, list[Row]]:
        """The same, computed now and not stored: what is made of scores, of the stored ones."""
        return {part: self.worker.recomputed(unit, part) for part in parts}

    # -- work ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Compute what is missing, append it part by part, and bring the manifest up to date."""
        self.failures.read()  # a file that was deleted is a wish to try again
        units = self.units()
        if not units:
            raise AttribookError(
                f"Nothing can be explained. {self.items.counted()} Choose another keep, data set or model."
            )
        if not self._missing(units) and self._in_manifest():
            return
        if self._missing(units):
            self.worker.prepare()
        with self.scores.writing():
            self.rows.read(cut=True)
            self.failures.read(cut=True)
            missing = self._missing(units)
            failed, unanswered = Failures(self), list[str]()
            label, number = self.study.label, len(missing)
            with tqdm(total=number, desc=label, unit="unit", mininterval=1, disable=not missing) as bar:
                for unit, part, outcome in executor().outcomes(self, missing):
                    if isinstance(outcome, Failed) and outcome.later:
                        unanswered.append(outcome.why)
                        if len(unanswered) >= MOST_UNANSWERED:
                            break
                    elif isinstance(outcome, Failed):
                        failed.add(unit, part, outcome)
                    elif not self.has(unit, part):  # of two items with one text, both may have been computed
                        self._store(part).append(self.key(unit, part), outcome)
                    bar.update(part == self.study.parts(unit)[-1])
            failed.record(units)
            self._write_manifest()
        if unanswered:
            raise Unanswered(
                f"{self.study.label}: {len(unanswered)} answers are missing, the last because: {unanswered[-1]} "
                "All others are stored. Run it again to ask for what is missing."
            )

    def hold(self, unit: Unit, part: str, outcome: Outcome) -> None:
        """Have what became of a part without writing it."""
        if isinstance(outcome, Failed):
            self.failures.hold(self.key(unit, part), [{"error": outcome.why}])
        else:
            self._store(part).hold(self.key(unit, part), outcome)

    def _store(self, part: str) -> Store:
        return self.scores if part == SCORES else self.rows

    def _missing(self, units: Sequence[Unit]) -> list[Unit]:
        return [unit for unit in units if not all(self.settled(unit, part) for part in self.study.parts(unit))]

    # -- the manifest ------------------------------------------------------------------------------------------------

    @property
    def _fixed(self) -> dict[str, Any]:
        protocol = asdict(self.study.conditions)
        protocol.pop("metrics")  # each run has those of its own metrics
        return {"weights": self.weights(self.study.model), "protocol": protocol}

    def _in_manifest(self) -> bool:
        """Whether the manifest lists all these rows: it lacks some where a run was cut off after its last row."""
        defaults = {each.name: each.default for each in fields(self.study)}  # of fields that came after the manifest
        listed = [defaults | run["study"] for run in runs_of(self.study.folder, self._fixed)]
        own = self.study.as_json
        return all(any(covers(each, own, method) for each in listed) for method in self.study.methods)

    def _write_manifest(self) -> None:
        study = self.study
        data = hashlib.sha256(DATASETS[study.dataset].path().read_bytes()).hexdigest()
        known = study.conditions.metrics.items()
        # Options of metrics belong to the run that has them: one that gains options makes no other run forgotten.
        own = {name: dict(options) for name, options in known if name in study.metrics}
        run = {"study": study.as_json, "data_sha256": data} | ({"metrics": own} if own else {})
        files: list[Path] = [path for path in (self.scores.path, self.rows.path) if path.is_file()]
        write_manifest(study.folder, self._fixed, run, files, self.worker.machine())
