"""Stored rows that may answer published cells: found by study and protocol, never computed here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from attribook.errors import AttribookError
from attribook.files import readable
from attribook.grid.frames import tidy_answers
from attribook.grid.manifest import read_manifest
from attribook.grid.protocols import PROTOCOLS, find_protocol
from attribook.grid.settings import Setting
from attribook.grid.stored import read_rows
from attribook.paths import results_folder
from attribook.statistics.contrasts import Signed, estimate_groups
from attribook.statistics.picked_rows import PickedRows, read_picked
from attribook.statistics.resampling import Estimate
from attribook.statistics.squared_distance import as_released
from attribook.statistics.units import is_log_ratio, parts_of

PROFILES = ("paper", "original", "laptop")  # the best first; rows of the smoke profile answer nothing
SOFT = ("soft_nc", "soft_ns")
TOP = "top"  # the words that a judge sees in printed tables: the most important ones
FEWEST_SEEDS, FEWEST_DRAWS = 5, 8  # of random methods, and of soft metrics; a reason says where there are fewer


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
    picked: PickedRows | None = None  # pools on the same items under the same protocol

    @property
    def places(self) -> str:
        """Files of rows, under the results, with commas between them."""
        return ", ".join(str(each.path) for each in (self, self.picked) if each)

    def item_values(self, method: str, metric: str) -> pd.Series | None:
        """Every prompt's value for a method or for the best of a pool; None where there are no rows."""
        if (method, metric) in self.values or self.picked is None:
            return self.values.get((method, metric))
        return self.picked.value(method, metric)

    @cached_property
    def values(self) -> dict[tuple[str, str], pd.Series]:
        """For each method and metric, every prompt's mean over seeds and draws; prompts that failed are left out.

        Only seeds that all prompts of a method have count, so that a page and the ledger tell one value.
        """
        rows = self.rows.assign(good=self.rows["status"] == "ok")
        if "seed" in rows:
            whole = rows.groupby(["method", "metric"])["item"].transform("nunique")
            shared = rows.groupby(["method", "metric", "seed"])["item"].transform("nunique") == whole
            rows = rows[shared | ~shared.groupby([rows["method"], rows["metric"]]).transform("any")]
        groups = rows.groupby(["method", "metric", "item"], sort=True)
        means = groups.agg(value=("value", "mean"), good=("good", "all")).query("good")["value"]
        keys = dict.fromkeys(zip(means.index.get_level_values(0), means.index.get_level_values(1), strict=True))
        return {key: means.loc[key] for key in keys}

    def failed(self, method: str, metric: str) -> int:
        """Prompts of a method that have a row which failed."""
        mine = self._rows_of(method, metric)
        return mine.loc[mine["status"] != "ok", "item"].nunique()

    def has(self, method: str, metric: str) -> bool:
        """Whether there are rows of a method, and of random where the metric is a ratio to it."""
        needed = {method, "random"} if is_log_ratio(metric) else {method}
        return all(self.item_values(name, part) is not None for name in needed for part in parts_of(metric))

    def too_few(self, method: str, metric: str) -> str:
        """In words, where a random method has fewer seeds, or a metric that draws fewer draws, than is asked for."""
        found = []
        names = [method, *(["random"] if is_log_ratio(metric) else [])]
        for name in names:
            mine = self._rows_of(name, metric)
            if mine.empty:
                continue  # the best of a stored pool, whose maps are its draws
            if Setting.parse(name).facts.random:
                seeds = int(mine.groupby("item")["seed"].nunique().min())
                if seeds < FEWEST_SEEDS:
                    found.append(f"{seeds} seed{'s' * (seeds > 1)} of {name}, not {FEWEST_SEEDS}")
            if not set(parts_of(metric)) <= set(SOFT):
                continue
            draws = int(mine.groupby(["item", "seed"])["draw"].nunique().min())
            if draws < FEWEST_DRAWS:
                found.append(f"{draws} mask draw{'s' * (draws > 1)} of {name}, not {FEWEST_DRAWS}")
        return ", ".join(found)

    def _rows_of(self, method: str, metric: str) -> pd.DataFrame:
        return self.rows[(self.rows["method"] == method) & self.rows["metric"].isin(parts_of(metric))]

    def parts(self, method: str, metric: str, sign: int) -> list[Signed]:
        """What a published number of the method is made of, added or subtracted."""
        found = []
        for name in parts_of(metric):
            for each, times in ((method, sign), ("random", -sign))[: 1 + is_log_ratio(metric)]:
                values = self.item_values(each, name)
                assert values is not None, (each, name)  # `has` was asked
                found.append((values, times))
        return found


def printed_estimate(found: Sequence[Evidence], metric: str, method: str, other: str | None = None) -> Estimate:
    """The number that a paper prints for a method, or how far it lies above another's, averaged over studies.

    Undefined, which decides nothing, where two methods share no prompt, or a mean is 0 whose logarithm is asked for.
    """
    groups = [e.parts(method, metric, 1) + (e.parts(other, metric, -1) if other else []) for e in found]
    failed = sum(e.failed(method, metric) for e in found)
    return estimate_groups(groups, log=is_log_ratio(metric), failed=failed)


class StoredRows:
    """All stored rows that may answer printed cells, each file read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, str, str | None], Evidence] = {}

    def find(self, study: str, protocol: str, pools: str | None = None) -> list[Evidence]:
        """Rows of a study under a protocol, or derived for it, with another study's pools; the best profile first."""
        found = []
        for profile in PROFILES:
            for name in dict.fromkeys((protocol, source_protocol(protocol))):
                for manifest in sorted(results_folder().glob(f"{profile}/{study}/*/{name}/manifest.json")):
                    if (manifest.parent / "rows.csv").is_file():
                        found.append(self._one(manifest, protocol, pools))
        return found

    def _one(self, manifest: Path, protocol: str, pools: str | None) -> Evidence:
        if (key := (manifest, protocol, pools)) not in self._read:
            held = read_evidence(manifest)
            held = held if held.protocol == protocol else derived(held, protocol)
            place = results_folder() / held.profile / str(pools) / manifest.parent.parent.name / protocol
            known = pools and (place / "rows.csv").is_file() and dataset_of(place / "manifest.json") == held.dataset
            self._read[key] = replace(held, picked=read_picked(place / "rows.csv")) if known else held
        return self._read[key]


def read_evidence(manifest: Path) -> Evidence:
    """Rows beside a manifest. Raises: AttribookError where it names several data sets, or they cannot be read."""
    dataset, path = dataset_of(manifest), manifest.parent / "rows.csv"
    one = read_manifest(manifest)["runs"][0]["study"]
    rows = read_rows(path)
    with readable(path):
        names = {"study": one["name"], "profile": one["profile"], "protocol": one["protocol"], "model": one["model"]}
        if "selection" in rows:
            rows = tidy_answers(rows, dataset=dataset, **names).query("variant == @TOP")
        elif "value" in rows:
            rows["value"] = pd.to_numeric(rows["value"])
    return Evidence(dataset=dataset, path=path.relative_to(results_folder()), rows=rows, **names)


def dataset_of(manifest: Path) -> str:
    """The one data set of all rows beside a manifest. Raises: AttribookError where there are several."""
    with readable(manifest):
        studies = [run["study"] for run in read_manifest(manifest)["runs"]]
        datasets: set[str] = {study["dataset"] for study in studies if study["metrics"] or "judge" in study}
    if len(datasets) != 1:
        raise AttribookError(f"{manifest} names rows on {sorted(datasets)}: give each data set its own study.")
    return datasets.pop()


def source_protocol(name: str) -> str:
    """The protocol whose rows give those of another exactly, by `as_released`: its own where there is no other.

    It has the same options of soft metrics and random scores, and measures the true distance instead of a squared one.
    """
    wanted = find_protocol(name)
    if wanted.metric.get("distance") != "hellinger_released":
        return name
    alike = ({**wanted.metric, "distance": "hellinger"}, wanted.baseline)
    return next((one.name for one in PROTOCOLS.values() if (one.metric, one.baseline) == alike), name)


def derived(held: Evidence, protocol: str) -> Evidence:
    """Rows as another protocol would have given them: soft metrics of methods with the same options under both."""
    two = [find_protocol(name) for name in (held.protocol, protocol)]
    bases = {name: Setting.parse(name).method for name in held.rows["method"].unique()}
    alike = [name for name, base in bases.items() if two[0].method_options(base) == two[1].method_options(base)]
    rows = held.rows[held.rows["method"].isin(alike) & held.rows["metric"].isin(SOFT)]
    return Evidence(held.study, held.profile, held.model, held.dataset, protocol, held.path, as_released(rows))
