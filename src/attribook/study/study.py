"""A study: items x methods x metrics on one model under one protocol. Stored rows are read, missing ones computed."""

import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from attribook.attribution import METHODS, Attribution, find_method
from attribook.data import DATASETS, Prompt, load_dataset, matches
from attribook.errors import AttribookError
from attribook.metrics import METRICS
from attribook.metrics.base import OK
from attribook.models import Encoding, Explained, load_model
from attribook.models.load import known_fingerprint
from attribook.paths import results_folder
from attribook.study.protocols import find_protocol
from attribook.study.seeds import digest, generator
from attribook.study.store import Row, Store

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

    def __post_init__(self) -> None:
        find_protocol(self.protocol)
        for method in self.methods:
            find_method(method)
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

    # -- work ----------------------------------------------------------------------------------------------------

    def units(self) -> Iterator[tuple[Prompt, str, int]]:
        """What is computed and stored at once: an item, a method, and a seed (several for random methods)."""
        for prompt in self.items:
            for method in self.methods:
                for seed in range(self.random_seeds if METHODS[method].random else 1):
                    yield prompt, method, self.seed + seed

    def run(self) -> None:
        """Compute what is missing, append it row group by row group, and bring the manifest up to date."""
        missing = [unit for unit in self.units() if not self._done(*unit)]
        if not missing:
            return
        encodings: dict[str, Encoding] = {}
        label = f"{self.name} · {self.protocol}"
        with self._scores.writing():
            for prompt, method, seed in tqdm(missing, desc=label, unit="unit", mininterval=1):
                if prompt.id not in encodings:
                    encodings = {prompt.id: self.explained.encode(prompt.text, spans=prompt.spans)}
                self._compute(encodings[prompt.id], prompt, method, seed)
            self._write_manifest()

    def scores(self) -> list[Row]:
        """Stored score vectors of every unit, computed where they are missing."""
        self.run()
        return [self._scores[self._score_key(*unit)][0] for unit in self.units()]

    def rows(self) -> pd.DataFrame:
        """Metric rows of every unit, computed where they are missing, with the columns that the study fixes."""
        self.run()
        keys = [self._metric_key(*unit, metric) for unit in self.units() for metric in self.metrics]
        frame = pd.DataFrame([row for key in keys for row in self._rows[key]])
        numbers = ["seed", "draw", "value", "forwards", "backwards", "seconds", "method_version", "step"]
        frame[numbers] = frame[numbers].apply(pd.to_numeric)
        fixed = {"study": self.name, "protocol": self.protocol, "model": self.model, "dataset": self.dataset}
        return frame.assign(**fixed)

    @cached_property
    def _scores(self) -> Store:
        return Store(self.folder / "scores.jsonl")

    @cached_property
    def _rows(self) -> Store:
        draws = find_protocol(self.protocol).metric["draws"]
        return Store(
            self.folder / "rows.csv", METRIC_COLUMNS, lambda rows: len(rows) == draws or rows[0]["status"] != OK
        )

    def _options(self, method: str) -> dict[str, Any]:
        return METHODS[method].resolve(find_protocol(self.protocol).method_options(method))

    def _score_key(self, prompt: Prompt, method: str, seed: int) -> str:
        found = METHODS[method]
        return digest(
            "scores", self.fingerprint, prompt.fingerprint, method, found.version, self._options(method), seed
        )

    def _metric_key(self, prompt: Prompt, method: str, seed: int, metric: str) -> str:
        options = dict(find_protocol(self.protocol).metric)
        return digest(self._score_key(prompt, method, seed), metric, METRICS[metric].version, options)

    def _done(self, prompt: Prompt, method: str, seed: int) -> bool:
        scored = self._score_key(prompt, method, seed) in self._scores
        return scored and all(self._metric_key(prompt, method, seed, m) in self._rows for m in self.metrics)

    def _compute(self, encoding: Encoding, prompt: Prompt, method: str, seed: int) -> None:
        key = self._score_key(prompt, method, seed)
        if key not in self._scores:
            chance = generator(self.name, prompt.fingerprint, method, seed)
            attribution = METHODS[method](self.explained, encoding, generator=chance, **self._options(method))
            self._scores.append(key, [self._score_row(encoding, prompt, seed, attribution)])
        scores = torch.tensor(self._scores[key][0]["scores"], dtype=torch.float64)
        for metric in self.metrics:
            metric_key = self._metric_key(prompt, method, seed, metric)
            if metric_key not in self._rows:
                self._rows.append(metric_key, self._judge(encoding, prompt, method, seed, metric, scores))

    def _score_row(self, encoding: Encoding, prompt: Prompt, seed: int, found: Attribution) -> Row:
        cost = found.cost
        return {
            "item": prompt.id,
            "method": found.method,
            "version": found.version,
            "options": found.options,
            "seed": seed,
            "tokens": encoding.tokens,
            "spans": {name: mask.nonzero()[:, 0].tolist() for name, mask in encoding.spans.items()},
            "target": encoding.target_text,
            "probability": significant(encoding.probability),
            "scores": [significant(score) for score in found.scores.tolist()],
            "details": {name: significant(value) for name, value in found.details.items()},
            "forwards": cost.forwards,
            "backwards": cost.backwards,
            "seconds": round(cost.seconds, 3),
        }

    def _judge(
        self, encoding: Encoding, prompt: Prompt, method: str, seed: int, metric: str, scores: torch.Tensor
    ) -> list[Row]:
        # The masks are drawn alike for all methods, so that methods are compared on the same draws.
        chance = generator("masks", prompt.fingerprint, metric, seed)
        result = METRICS[metric](
            self.explained, encoding, scores, generator=chance, **find_protocol(self.protocol).metric
        )
        values: list[float | None] = [significant(value) for value in result.values.tolist()]
        values = values or [None]  # one row without a value, whose status says why
        fixed = {
            "item": prompt.id, "step": 0, "method": method, "seed": seed, "metric": metric, "backwards": 0,
            "options_hash": digest(self._options(method), length=8), "method_version": METHODS[method].version,
            "status": result.status, "forwards": result.forwards // len(values),
            "seconds": round(result.seconds / len(values), 4),
        }  # fmt: skip
        return [{**fixed, "draw": draw, "value": value} for draw, value in enumerate(values)]

    def _write_manifest(self) -> None:
        packages = ("attribook", "torch", "transformers", "tokenizers", "numpy")
        files = [path for path in (self._scores.path, self._rows.path) if path.is_file()]
        dataset = DATASETS[self.dataset]
        manifest = {
            "study": asdict(self),
            "protocol": asdict(find_protocol(self.protocol)),
            "weights": self.fingerprint,
            "data_sha256": hashlib.sha256(dataset.path().read_bytes()).hexdigest(),
            "packages": {name: importlib.metadata.version(name) for name in packages},
            "python": platform.python_version(),
            "machine": machine_class(),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        }
        scratch = self.folder / ".manifest.json"
        scratch.write_text(json.dumps(manifest, indent=1) + "\n")
        os.replace(scratch, self.folder / "manifest.json")


def significant(value: float) -> float:
    """Nine significant digits: more than float32 carries, and a short row."""
    return float(f"{value:.9g}")


def machine_class() -> str:
    """The kind of machine, not its name."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} cores"
    return f"{platform.machine()}, {device}, {sys.platform}"
