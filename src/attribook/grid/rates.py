"""What stored rows cost: seconds, forwards, backwards and bytes of a unit, measured when it was computed."""

import json
import math
import re
from pathlib import Path

import pandas as pd

from attribook.grid.manifest import read_manifest
from attribook.grid.rows import SCORES
from attribook.grid.settings import Setting
from attribook.grid.stored import read_rows
from attribook.paths import results_folder

COSTS = ("seconds", "forwards", "backwards", "bytes")
KEYS = ["study", "model", "dataset", "protocol", "method", "part"]
# How near a measured rate is, nearest first: what it has to share with the unit that is planned.
NEAR = {
    "the same study": ["study", "model", "dataset", "protocol", "method", "part"],
    "the same model": ["model", "dataset", "method", "part"],
    "another model": ["dataset", "method", "part"],
    "other data": ["method", "part"],
    "other options": ["name", "part"],
    "another method": ["part"],
}
UNMEASURED = "not measured"
REPEATS = ("steps", "samples", "vectors")  # options that a method's cost is proportional to
SIZE = re.compile(r"(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")
# Parameters of models whose names do not tell them.
KNOWN = {
    "gpt2-medium": 354e6, "gpt2-xl": 1.5e9, "distilbert": 66e6, "roberta-base": 125e6, "bert-base": 110e6,
    "minilm": 23e6, "tiny": 1e5,
}  # fmt: skip


def parameters(model: str) -> float:
    """How many parameters a model has, by its name; NaN where that does not tell."""
    name = model.lower()
    if found := SIZE.findall(name):
        return float(found[-1][0]) * {"b": 1e9, "m": 1e6}[found[-1][1]]
    return next((size for part, size in KNOWN.items() if part in name), math.nan)


def unit_costs(profile: str) -> pd.DataFrame:
    """Costs of every stored unit of a profile, a row for each; of a pool and its metrics, for each map."""
    found = []
    for path in sorted((results_folder() / profile).glob("*/*/*/manifest.json")):
        listed = read_manifest(path)["runs"][0]["study"]
        fixed = {"study": listed["name"], **{name: listed[name] for name in ("model", "dataset", "protocol")}}
        found += [frame.assign(**fixed) for frame in (of_scores(path.parent), of_rows(path.parent)) if len(frame)]
    columns = [*KEYS, "item", *COSTS]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def of_scores(folder: Path) -> pd.DataFrame:
    """Costs of a folder's scores."""
    path, lines = folder / "scores.jsonl", []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        row, size = json.loads(line), len(line)
        maps = len(row.get("maps", [0]))
        lines.append(
            {"item": row["item"], "method": row["method"], "part": SCORES, "bytes": size / maps}
            | {name: row.get(name, 0) / maps for name in ("seconds", "forwards", "backwards")}
        )
    return pd.DataFrame(lines)


def of_rows(folder: Path) -> pd.DataFrame:
    """Costs of a folder's rows of metrics, or of a judge's answers."""
    path = folder / "rows.csv"
    if not path.is_file():
        return pd.DataFrame()
    rows = read_rows(path)
    maps = rows["values"].str.count(" ") + 1 if "values" in rows else 1
    rows["bytes"] = path.stat().st_size / len(rows) / maps
    for name in ("seconds", "forwards", "backwards"):
        rows[name] = (pd.to_numeric(rows[name]) if name in rows else 0) / maps
    part = "selection" if "selection" in rows else "metric"
    groups = rows.groupby(["key", "item", "method", part], sort=False)[list(COSTS)].sum().reset_index()
    return groups.rename(columns={part: "part"})


class Rates:
    """Mean costs of measured units, found by how near they are."""

    def __init__(self, costs: pd.DataFrame) -> None:
        plain = costs.assign(name=costs["method"].str.replace(r"[{:].*", "", regex=True))
        means = plain.groupby([*KEYS, "name"], sort=False)[list(COSTS)].mean().reset_index()
        self.means = {near: dict(list(means.groupby(keys, sort=False))) for near, keys in NEAR.items()}

    def of(self, wanted: dict[str, str]) -> tuple[dict[str, float], str]:
        """Costs of a unit's part on its model, and what they rest on: `not measured` where nothing is near.

        Seconds of another model are taken in proportion to parameters; of other options to the steps of both.
        """
        wanted = wanted | {"name": Setting.parse(wanted["method"]).method}
        for near, keys in NEAR.items():
            if (found := self.means[near].get(tuple(wanted[key] for key in keys))) is None:
                continue
            sizes = parameters(wanted["model"]) / found["model"].map(parameters)
            repeats = found["method"].map(lambda method: repeated(wanted["method"], method))
            costs = found[list(COSTS)].mul(repeats, axis=0)
            costs["seconds"] *= sizes.where(found["model"] != wanted["model"], 1.0)
            costs["bytes"] = found["bytes"]
            return {name: float(costs[name].mean()) for name in COSTS}, near
        return dict.fromkeys(COSTS, math.nan), UNMEASURED


def repeated(wanted: str, measured: str) -> float:
    """How many times as often one setting repeats its work as another of the same method; 1 where it is not said."""
    one, other = dict(Setting.parse(wanted).options), dict(Setting.parse(measured).options)
    return math.prod(float(one[name]) / float(other[name]) for name in REPEATS if name in one and other.get(name))
