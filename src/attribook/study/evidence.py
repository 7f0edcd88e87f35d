"""Stored rows that may answer published cells: found by study and protocol, never computed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from attribook.errors import AttribookError
from attribook.paths import results_folder
from attribook.published.cells import METRICS
from attribook.study.answers import answer_metrics
from attribook.study.manifest import read_manifest
from attribook.study.names import read_setting
from attribook.study.protocols import find_protocol
from attribook.study.statistics import LogRatio, Part, as_released, combined
from attribook.study.variants import parted

PROFILES = ("paper", "original", "laptop")  # the best first; rows of the smoke profile answer nothing
DERIVED = {"reagent-code": "reagent-paper"}  # exact, from the same forwards: see `as_released`
SOFT = ["soft_nc", "soft_ns"]
PARTS = {"faithfulness": SOFT}  # Noiser's sum of both log-ratios


@dataclass(frozen=True, eq=False)
class Evidence:
    """Rows of one study on one model under one protocol."""

    study: str
    profile: str
    model: str
    dataset: str
    protocol: str
    path: Path  # the file of rows, under the results
    rows: pd.DataFrame

    @cached_property
    def values(self) -> dict[tuple[str, str], pd.Series]:
        """For each method and metric, every prompt's mean over seeds and draws; prompts that failed are left out."""
        groups = self.rows.assign(good=self.rows["status"] == "ok").groupby(["method", "metric", "item"], sort=True)
        means = groups.agg(value=("value", "mean"), good=("good", "all")).query("good")["value"]
        keys = dict.fromkeys(zip(means.index.get_level_values(0), means.index.get_level_values(1), strict=True))
        return {key: means.loc[key] for key in keys}

    def failed(self, method: str, metric: str) -> int:
        """Prompts of a method that have a row which failed."""
        mine = self.rows[(self.rows["method"] == method) & self.rows["metric"].isin(PARTS.get(metric, [metric]))]
        return mine.loc[mine["status"] != "ok", "item"].nunique()

    def has(self, method: str, metric: str) -> bool:
        """Whether there are rows of a method, and of random where the metric is a ratio to it."""
        needed = {method, "random"} if is_ratio(metric) else {method}
        return all((name, part) in self.values for name in needed for part in PARTS.get(metric, [metric]))

    def parts(self, method: str, metric: str, sign: int) -> list[Part]:
        """What a published number of the method is made of, added or subtracted."""
        found = []
        for name in PARTS.get(metric, [metric]):
            found.append((self.values[method, name], sign))
            if is_ratio(metric):
                found.append((self.values["random", name], -sign))
        return found


def is_ratio(metric: str) -> bool:
    """Whether the papers print a log-ratio to random for this metric."""
    return METRICS[metric].unit == "log-ratio to random"


def estimate(found: Sequence[Evidence], metric: str, method: str, other: str | None = None) -> LogRatio:
    """The number that a paper prints for a method, or how far it lies above another's, averaged over studies."""
    groups = [e.parts(method, metric, 1) + (e.parts(other, metric, -1) if other else []) for e in found]
    failed = sum(e.failed(method, metric) for e in found)
    return combined(groups, log=is_ratio(metric), failed=failed)


class Shelf:
    """All stored rows, each file read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, str], Evidence] = {}

    def find(self, study: str, protocol: str) -> list[Evidence]:
        """Rows of a study under a protocol, or derived for it; the best profile first."""
        found = []
        for profile in PROFILES:
            for name in dict.fromkeys((protocol, DERIVED.get(protocol, protocol))):
                for manifest in sorted(results_folder().glob(f"{profile}/{study}/*/{name}/manifest.json")):
                    if (manifest.parent / "rows.csv").is_file():
                        found.append(self._one(manifest, protocol))
        return found

    def _one(self, manifest: Path, protocol: str) -> Evidence:
        if (manifest, protocol) not in self._read:
            held = read_evidence(manifest)
            self._read[manifest, protocol] = held if held.protocol == protocol else derived(held, protocol)
        return self._read[manifest, protocol]


def read_evidence(manifest: Path) -> Evidence:
    """Rows beside a manifest. Raises: AttribookError where it tells of rows on several data sets."""
    told = [run["study"] for run in read_manifest(manifest)["runs"]]
    datasets = {each["dataset"] for each in told if each["metrics"] or "judge" in each}
    if len(datasets) != 1:
        raise AttribookError(f"{manifest} tells of rows on {sorted(datasets)}: give each data set its own study.")
    one, dataset, path = told[0], datasets.pop(), manifest.parent / "rows.csv"
    rows = pd.read_csv(path, dtype={"key": str, "item": str, "options_hash": str})
    rows = answer_metrics(rows) if "selection" in rows else rows
    place = path.relative_to(results_folder())
    return Evidence(one["name"], one["profile"], one["model"], dataset, one["protocol"], place, rows)


def derived(held: Evidence, protocol: str) -> Evidence:
    """Rows as another protocol would have given them: soft metrics of methods with the same options under both."""
    two = [find_protocol(name) for name in (held.protocol, protocol)]
    bases = {name: read_setting(parted(name)[0])[0].name for name in held.rows["method"].unique()}
    alike = [name for name, base in bases.items() if two[0].method_options(base) == two[1].method_options(base)]
    rows = held.rows[held.rows["method"].isin(alike) & held.rows["metric"].isin(SOFT)]
    return Evidence(held.study, held.profile, held.model, held.dataset, protocol, held.path, as_released(rows))
