"""A study: items x methods x metrics on one model under one protocol. Stored rows are read, missing ones computed."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from attribook.attribution import Attribution
from attribook.data import DATASETS, Prompt, load_dataset, matches
from attribook.errors import AttribookError
from attribook.metrics import METRICS
from attribook.metrics.base import OK
from attribook.models import CausalLM, Encoding, Explained, load_model
from attribook.models.load import known_fingerprint
from attribook.paths import results_folder
from attribook.study.manifest import write_manifest
from attribook.study.names import read_setting
from attribook.study.protocols import find_protocol
from attribook.study.seeds import digest, generator
from attribook.study.store import Row, Store
from attribook.study.variants import DRAWN, VERSION, parted, varied

METRIC_COLUMNS = (
    "item", "step", "method", "options_hash", "method_version", "seed", "draw", "metric", "value", "status",
    "forwards", "backwards", "seconds",
)  # fmt: skip

# Which items a study explains. ReAGent asks for a right prediction with and without the distractor.
KEEP = {
    "correct_both": "predicted correctly with and without its distractor",
    "correct": "predicted correctly as it stands",
    "all": "whatever the model predicts",
}


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
class Study:
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

    def __post_init__(self) -> None:
        find_protocol(self.protocol)
        for method in self.methods:
            read_setting(parted(method)[0])
        if unknown := set(self.metrics) - set(METRICS):
            raise AttribookError(f"Unknown metrics {', '.join(sorted(unknown))}. Known: {', '.join(METRICS)}.")
        if self.keep not in KEEP:
            raise AttribookError(f"Unknown keep {self.keep!r}. Choose one of: {', '.join(KEEP)}.")

    # -- where things are ----------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """`results/<profile>/<study>/<model>/<protocol>`; a model's slashes become dashes."""
        model = self.model.strip("/").replace("/", "--")
        return results_folder() / self.profile / self.name / model / self.protocol

    @cached_property
    def explained(self) -> Explained:
        """The explained model, loaded when the first missing row needs it."""
        return load_model(self.model)

    @cached_property
    def fingerprint(self) -> str:
        """Weights' identity, without loading them where the registry knows it."""
        return known_fingerprint(self.model) or self.explained.fingerprint

    # -- items ---------------------------------------------------------------------------------------------------

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """For every item of the data set: predicted token, probability, and whether it is kept."""
        model = self.model.strip("/").replace("/", "--")
        store = Store(results_folder() / self.profile / "predictions" / model / f"{self.dataset}.jsonl")
        prompts = load_dataset(self.dataset)
        keys = [digest("prediction 1", self.fingerprint, prompt.fingerprint) for prompt in prompts]
        missing = [(key, prompt) for key, prompt in zip(keys, prompts, strict=True) if key not in store]
        if missing:
            with store.writing():
                for key, prompt in tqdm(missing, desc=f"{self.dataset}: predictions", unit="item", mininterval=1):
                    store.append(key, [self._prediction(prompt)])
        return pd.DataFrame([store[key][0] for key in keys])

    def _prediction(self, prompt: Prompt) -> Row:
        whole = self.explained.encode(prompt.text)
        plain = self.explained.encode(prompt.plain) if prompt.plain else whole
        return {
            "item": prompt.id,
            "predicted": whole.target_text,
            "predicted_plain": plain.target_text,
            "probability": round(whole.probability, 6),
            "correct": matches(prompt.answer, whole.target_text),
            "correct_plain": matches(prompt.answer, plain.target_text),
        }

    @property
    def kept(self) -> pd.Series:
        """For every item of the data set, whether the study may explain it."""
        correct, plain = self.predictions["correct"], self.predictions["correct_plain"]
        return {"correct_both": correct & plain, "correct": correct, "all": correct | True}[self.keep]

    @cached_property
    def items(self) -> list[Prompt]:
        """Items to explain, in the order of a hash of their names: a smaller study is a part of a larger one."""
        prompts = load_dataset(self.dataset)
        if self.keep != "all":
            kept = dict(zip(self.predictions["item"], self.kept, strict=True))
            prompts = [prompt for prompt in prompts if kept[prompt.id]]
        if not prompts:
            raise AttribookError(
                f"{self.model} predicts no item of {self.dataset} correctly, so there is nothing to explain. "
                "Choose another model or data set, or keep='all'."
            )
        prompts.sort(key=lambda prompt: digest("order", self.seed, prompt.id))
        return prompts[: self.n_items or None]

    def n_kept(self) -> str:
        """How many items of the data set were kept, as a sentence."""
        if self.keep == "all":
            return f"All {len(load_dataset(self.dataset))} items of {self.dataset} count, whatever is predicted."
        return (
            f"{int(self.kept.sum())} of the {len(self.kept)} items of {self.dataset} are {KEEP[self.keep]} by "
            f"{self.model}; {len(self.items)} of these are explained."
        )

    @cached_property
    def continuations(self) -> dict[str, list[int]]:
        """The first `continuation` tokens that the model goes on with, greedily, after each item."""
        model = self.model.strip("/").replace("/", "--")
        file = f"{self.dataset}.greedy{self.continuation}.jsonl"
        store = Store(results_folder() / self.profile / "predictions" / model / file)
        keys = {p.id: digest("greedy 1", self.fingerprint, p.fingerprint, self.continuation) for p in self.items}
        missing = [prompt for prompt in self.items if keys[prompt.id] not in store]
        if missing:
            with store.writing():
                for prompt in tqdm(missing, desc=f"{self.dataset}: continuations", unit="item", mininterval=1):
                    store.append(keys[prompt.id], [self._continued(prompt)])
        return {item: store[key][0]["ids"] for item, key in keys.items()}

    def _continued(self, prompt: Prompt) -> Row:
        model = self._writer()
        encoding = model.encode(prompt.text)
        ids = model.generated(encoding, self.continuation)
        whole = model.extended(encoding, ids)
        return {"item": prompt.id, "ids": ids, "tokens": whole.tokens[len(encoding) :]}

    def _writer(self) -> CausalLM:
        if not isinstance(self.explained, CausalLM):
            raise AttribookError(f"{self.model} writes no text, so nothing that follows can be explained.")
        return self.explained

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

    def _steps(self, prompt: Prompt) -> range:
        return range(0, len(self.continuations[prompt.id]), self.stride) if self.continuation else range(1)

    def _encode(self, prompt: Prompt, step: int) -> Encoding:
        encoding = self.explained.encode(prompt.text, spans=prompt.spans)
        return self._writer().extended(encoding, self.continuations[prompt.id][:step]) if step else encoding

    def run(self) -> None:
        """Compute what is missing, append it row group by row group, and bring the manifest up to date."""
        missing = [unit for unit in self.units() if not self._done(unit)]
        if not missing:
            return
        encodings: dict[tuple[str, int], Encoding] = {}
        label = f"{self.name} · {self.protocol}"
        with self._scores.writing():
            for unit in tqdm(missing, desc=label, unit="unit", mininterval=1):
                place = unit.prompt.id, unit.step
                if place not in encodings:
                    encodings = {place: self._encode(unit.prompt, unit.step)}
                self._compute(encodings[place], unit)
            self._write_manifest()

    def scores(self) -> list[Row]:
        """Stored score vectors of every method, computed where they are missing; variants have none of their own."""
        self.run()
        units = [unit for unit in self.units() if ":" not in unit.name]
        return [{**self._scores[self._score_key(unit)][0], "method": unit.name} for unit in units]

    def rows(self) -> pd.DataFrame:
        """Metric rows of every unit, computed where they are missing, with the columns that the study fixes."""
        self.run()
        keys = [(unit, self._metric_key(unit, metric)) for unit in self.units() for metric in self.metrics]
        frame = pd.DataFrame([{**row, "method": unit.name} for unit, key in keys for row in self._rows[key]])
        numbers = ["seed", "draw", "value", "forwards", "backwards", "seconds", "method_version", "step"]
        frame[numbers] = frame[numbers].apply(pd.to_numeric)
        fixed = {"study": self.name, "protocol": self.protocol, "model": self.model, "dataset": self.dataset}
        return frame.assign(**fixed)

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
        changed = [] if scored is unit else [parted(unit.name)[1], VERSION, unit.seed]
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

    def _score_row(self, encoding: Encoding, unit: Unit, found: Attribution) -> Row:
        cost = found.cost
        return {
            "item": unit.prompt.id,
            **({"step": unit.step} if unit.step else {}),
            "method": unit.name,
            "version": found.version,
            "options": found.options,
            "seed": unit.seed,
            "tokens": encoding.tokens,
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

    def _write_manifest(self) -> None:
        protocol = asdict(find_protocol(self.protocol))
        # Options of metrics belong to the run that has them: one that gains options makes no other run forgotten.
        own = {name: options for name, options in protocol.pop("metrics").items() if name in self.metrics}
        fixed = {"weights": self.fingerprint, "protocol": protocol}
        data = hashlib.sha256(DATASETS[self.dataset].path().read_bytes()).hexdigest()
        run = {"study": json.loads(json.dumps(asdict(self))), "data_sha256": data} | ({"metrics": own} if own else {})
        files = [path for path in (self._scores.path, self._rows.path) if path.is_file()]
        write_manifest(self.folder, fixed, run, files)


def significant(value: float) -> float:
    """Nine significant digits: more than float32 carries, and a short row."""
    return float(f"{value:.9g}")
