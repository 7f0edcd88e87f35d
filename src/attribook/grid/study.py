"""A study: items x methods x metrics on one model under one protocol. Stored rows are read, missing ones computed."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from attribook.attribution.base import Attribution
from attribook.data.datasets import DATASETS
from attribook.data.prompts import Prompt
from attribook.errors import AttribookError
from attribook.grid.frames import tidy
from attribook.grid.items import KEEP, LEAST, Items
from attribook.grid.manifest import covers, runs_of, write_manifest
from attribook.grid.protocols import find_protocol
from attribook.grid.seeds import digest, generator
from attribook.grid.settings import read_setting
from attribook.grid.store import Row, Store
from attribook.grid.variants import DRAWN, parted, varied, version
from attribook.metrics.base import OK
from attribook.metrics.registry import METRICS
from attribook.models.encoding import Encoding
from attribook.paths import results_folder

METRIC_COLUMNS = (
    "item", "step", "method", "options_hash", "method_version", "seed", "draw", "metric", "value", "status",
    "forwards", "backwards", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """What is computed and stored at once."""

    prompt: Prompt
    step: int  # how many tokens of the continuation stand behind the prompt
    name: str  # a method, `method{option=value}` (names.py), or one of these and `:variant` (variants.py)
    seed: int

    @property
    def place(self) -> str:
        """Identifies the text that is explained."""
        return f"{self.prompt.fingerprint}+{self.step}" if self.step else self.prompt.fingerprint


@dataclass(frozen=True)
class Study(Items):
    """One grid. What is frozen here and in the protocol decides every number; the rest decides only speed."""

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

    def __post_init__(self) -> None:
        find_protocol(self.protocol)
        for method in self.methods:
            read_setting(parted(method)[0])
        if unknown := set(self.metrics) - set(METRICS):
            raise AttribookError(f"Unknown metrics {', '.join(sorted(unknown))}. Known: {', '.join(METRICS)}.")
        if self.keep not in KEEP:
            raise AttribookError(f"Unknown keep {self.keep!r}. Choose one of: {', '.join(KEEP)}.")
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise AttribookError(f"{name} is {getattr(self, name)}. Give {least} or more.")

    # -- where things are ----------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """`results/<profile>/<study>/<model>/<protocol>`; a model's slashes become dashes."""
        model = self.model.strip("/").replace("/", "--")
        return results_folder() / self.profile / self.name / model / self.protocol

    # -- work ----------------------------------------------------------------------------------------------------

    def units(self) -> Iterator[Unit]:
        """Items, methods, steps of the continuation, and seeds (several for what is random)."""
        for prompt in self.items:
            for step in self._steps(prompt):
                for name in self.methods:
                    scored, variant = parted(name)
                    several = read_setting(scored)[0].random or variant in DRAWN
                    for seed in range(self.random_seeds if several else 1):
                        yield Unit(prompt, step, name, self.seed + seed)

    def parts(self, unit: Unit) -> list[str]:
        """What is stored of a unit, and checked."""
        return ["scores", *self.metrics]

    def _encode(self, prompt: Prompt, step: int) -> Encoding:
        encoding = self.explained.encode(prompt.text, spans=prompt.spans)
        return self._writer().extended(encoding, self.continuations[prompt.id][:step]) if step else encoding

    def run(self) -> None:
        """Compute what is missing, append it row group by row group, and bring the manifest up to date."""
        units = list(self.units())
        if not units:
            raise AttribookError(f"Nothing can be explained. {self.n_kept()} Choose another keep, data set or model.")
        if all(self._done(unit) for unit in units) and self._told():
            return
        encodings: dict[tuple[str, int], Encoding] = {}
        label = f"{self.name} · {self.protocol}"
        with self._scores.writing():
            self._rows.read(cut=True)
            missing = [unit for unit in units if not self._done(unit)]
            for unit in tqdm(missing, desc=label, unit="unit", mininterval=1, disable=not missing):
                place = unit.prompt.id, unit.step
                if place not in encodings:
                    encodings = {place: self._encode(unit.prompt, unit.step)}
                self._compute(encodings[place], unit)
            self._write_manifest()

    def scores(self) -> list[Row]:
        """Stored score vectors of every method, computed where they are missing; variants have none of their own."""
        self.run()
        units = [unit for unit in self.units() if ":" not in unit.name]
        return [self.score_row(unit) for unit in units]

    def score_row(self, unit: Unit) -> Row:
        """The stored score row of a unit, with the tokens of its text."""
        row = {**self._scores[self._score_key(unit)][0], "method": unit.name}
        return row if row["tokens"] else row | {"tokens": self._encode(unit.prompt, unit.step).tokens}

    def rows(self) -> pd.DataFrame:
        """Metric rows of every unit, computed where they are missing, with the columns that the study fixes."""
        self.run()
        keys = [(unit, self._metric_key(unit, metric)) for unit in self.units() for metric in self.metrics]
        frame = pd.DataFrame([{**row, "method": unit.name} for unit, key in keys for row in self._rows[key]])
        numbers = ["seed", "draw", "value", "forwards", "backwards", "seconds", "method_version", "step"]
        frame[numbers] = frame[numbers].apply(pd.to_numeric)
        fixed = {"study": self.name, "protocol": self.protocol, "model": self.model, "dataset": self.dataset}
        return frame.assign(**fixed)

    def frame(self) -> pd.DataFrame:
        """Metric rows of every unit as a tidy frame (frames.py), computed where they are missing."""
        return tidy(self.rows(), profile=self.profile)

    # -- looking at what is stored -----------------------------------------------------------------------------

    def stored(self, unit: Unit) -> dict[str, list[Row]]:
        """What is stored of a unit under its present key: its score row under `scores`, and rows under each metric."""
        keys = {metric: (self._rows, self._metric_key(unit, metric)) for metric in self.metrics}
        keys["scores"] = self._scores, self._score_key(self._scored(unit))
        return {name: store[key] for name, (store, key) in keys.items() if key in store}

    def recomputed(self, unit: Unit, parts: Sequence[str]) -> dict[str, list[Row]]:
        """The same, computed now and not stored: `scores`, or metrics of the stored scores."""
        encoding, scored = self._encode(unit.prompt, unit.step), self._scored(unit)
        found = {}
        for part in parts:
            if part == "scores":
                found[part] = [self._score_row(encoding, scored, self._attribution(encoding, scored))]
            else:
                found[part] = self._judge(encoding, unit, part, self._vector(encoding, unit))
        return found

    @cached_property
    def _scores(self) -> Store:
        return Store(self.folder / "scores.jsonl")

    @cached_property
    def _rows(self) -> Store:
        return Store(self.folder / "rows.csv", METRIC_COLUMNS, self._is_whole)

    def _is_whole(self, rows: list[Row]) -> bool:
        """Whether a group has a row for each draw, or the one that says why there are none."""
        name = rows[0]["metric"]
        draws = {**METRICS[name].defaults, **self._metric_options(name)}.get("draws", 1)
        return len(rows) == draws or rows[0]["status"] != OK

    def _metric_options(self, metric: str) -> dict[str, Any]:
        return find_protocol(self.protocol).metric_options(metric)

    def _options(self, scored: str) -> dict[str, Any]:
        """All options of a method: the protocol's, and over them those in the name."""
        method, own = read_setting(scored)
        return method.resolve({**find_protocol(self.protocol).method_options(method.name), **own})

    def _scored(self, unit: Unit) -> Unit:
        """The unit whose stored scores a variant changes: of the same seed, if the method itself is random."""
        scored, variant = parted(unit.name)
        if variant is None:
            return unit
        return replace(unit, name=scored, seed=unit.seed if read_setting(scored)[0].random else self.seed)

    def _score_key(self, unit: Unit) -> str:
        found, _ = read_setting(unit.name)
        return digest("scores", self.fingerprint, unit.place, found.name, found.version, self._options(unit.name),
                      unit.seed)  # fmt: skip

    def _metric_key(self, unit: Unit, metric: str) -> str:
        options = self._metric_options(metric)
        scored = self._scored(unit)
        variant = parted(unit.name)[1]
        changed = [] if scored is unit else [variant, version(variant), unit.seed]
        return digest(self._score_key(scored), *changed, metric, METRICS[metric].version, options)

    def _done(self, unit: Unit) -> bool:
        scored = self._score_key(self._scored(unit)) in self._scores
        return scored and all(self._metric_key(unit, metric) in self._rows for metric in self.metrics)

    def _compute(self, encoding: Encoding, unit: Unit) -> None:
        scores = self._vector(encoding, unit)
        for metric in self.metrics:
            key = self._metric_key(unit, metric)
            if key not in self._rows:
                self._rows.append(key, self._judge(encoding, unit, metric, scores))

    def _vector(self, encoding: Encoding, unit: Unit) -> torch.Tensor:
        """The unit's scores `(T,)` as they are stored; a method's are computed and stored if they are missing."""
        scored = self._scored(unit)
        key = self._score_key(scored)
        if key not in self._scores:
            self._scores.append(key, [self._score_row(encoding, scored, self._attribution(encoding, scored))])
        scores = torch.tensor(self._scores[key][0]["scores"], dtype=torch.float64)
        variant = parted(unit.name)[1]
        if variant is None:
            return scores
        return varied(scores, variant, encoding.attributable, generator("variant", unit.place, unit.name, unit.seed))

    def _attribution(self, encoding: Encoding, unit: Unit) -> Attribution:
        method, _ = read_setting(unit.name)
        chance = generator(self.name, unit.place, method.name, unit.seed)
        return method(self.explained, encoding, generator=chance, **self._options(unit.name))

    def _stored_tokens(self, encoding: Encoding) -> list[str]:
        """Tokens as rows hold them: none of a text that is not part of this project."""
        return [] if DATASETS[self.dataset].elsewhere else encoding.tokens

    def _score_row(self, encoding: Encoding, unit: Unit, found: Attribution) -> Row:
        cost = found.cost
        return {
            "item": unit.prompt.id,
            **({"step": unit.step} if unit.step else {}),
            "method": unit.name,
            "version": found.version,
            "options": found.options,
            "seed": unit.seed,
            "tokens": self._stored_tokens(encoding),
            "spans": {name: mask.nonzero()[:, 0].tolist() for name, mask in encoding.spans.items()},
            "target": encoding.target_text,
            "probability": significant(encoding.probability),
            "scores": [significant(score) for score in found.scores.tolist()],
            "details": {name: significant(value) for name, value in found.details.items()},
            **({"converged": found.converged} if found.converged is not None else {}),
            "forwards": cost.forwards,
            "backwards": cost.backwards,
            "seconds": round(cost.seconds, 3),
        }

    def _judge(self, encoding: Encoding, unit: Unit, metric: str, scores: torch.Tensor) -> list[Row]:
        # The masks are drawn alike for all methods, so that methods are compared on the same draws.
        chance = generator("masks", unit.place, metric, unit.seed)
        result = METRICS[metric](self.explained, encoding, scores, generator=chance, **self._metric_options(metric))
        values: list[float | None] = [significant(value) for value in result.values.tolist()]
        values = values or [None]  # one row without a value, whose status says why
        scored = parted(unit.name)[0]
        fixed = {
            "item": unit.prompt.id, "step": unit.step, "method": unit.name, "seed": unit.seed, "metric": metric,
            "options_hash": digest(self._options(scored), length=8), "method_version": read_setting(scored)[0].version,
            "status": result.status, "forwards": result.forwards // len(values), "backwards": 0,
            "seconds": round(result.seconds / len(values), 4),
        }  # fmt: skip
        return [{**fixed, "draw": draw, "value": value} for draw, value in enumerate(values)]

    # -- its manifest --------------------------------------------------------------------------------------------

    @property
    def _fixed(self) -> dict[str, Any]:
        protocol = asdict(find_protocol(self.protocol))
        protocol.pop("metrics")  # told with the runs
        return {"weights": self.fingerprint, "protocol": protocol}

    @property
    def _as_told(self) -> dict[str, Any]:
        return dict(json.loads(json.dumps(asdict(self))))

    def _told(self) -> bool:
        """Whether the manifest tells of all these rows: a run that was cut off after its last row left some untold."""
        defaults = {each.name: each.default for each in fields(self)}  # of what a manifest is too old to tell
        told = [defaults | run["study"] for run in runs_of(self.folder, self._fixed)]
        return all(any(covers(each, self._as_told, method) for each in told) for method in self.methods)

    def _write_manifest(self) -> None:
        data = hashlib.sha256(DATASETS[self.dataset].path().read_bytes()).hexdigest()
        known = find_protocol(self.protocol).metrics.items()
        # Options of metrics belong to the run that has them: one that gains options makes no other run forgotten.
        own = {name: dict(options) for name, options in known if name in self.metrics}
        run = {"study": self._as_told, "data_sha256": data} | ({"metrics": own} if own else {})
        files = [path for path in (self._scores.path, self._rows.path) if path.is_file()]
        write_manifest(self.folder, self._fixed, run, files)


def significant(value: float) -> float:
    """Nine significant digits: more than float32 carries, and a short row."""
    return float(f"{value:.9g}")
