"""What a folder of rows was made with, written beside the rows."""

import datetime
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attribook.errors import AttribookError
from attribook.files import write_whole

PACKAGES = ("attribook", "torch", "transformers", "tokenizers", "numpy")


def write_manifest(
    folder: Path, fixed: Mapping[str, Any], run: Mapping[str, Any], files: list[Path], machine: str
) -> None:
    """Write `manifest.json`: what is fixed in the folder, each study that was run in it, and its files' SHA-256.

    fixed: what every row of the folder shares; where it changed, the studies of earlier rows are forgotten.
    run: the study that was just run and its data; the packages, the kind of `machine` and the date join it.
    """
    latest = {
        **run,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": machine,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    earlier = [each for each in runs_of(folder, fixed) if not replaces(latest, each)]
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    whole = {**fixed, "files": digests, "runs": [*earlier, latest]}
    write_whole(folder / "manifest.json", json.dumps(whole, indent=1) + "\n")


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest as it was written. Raises: AttribookError where it is damaged."""
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        whole = all(run["study"]["methods"] for run in manifest["runs"])
        if not whole or not {"weights", "files"} <= set(manifest) or not isinstance(manifest["files"], dict):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AttribookError(f"{path} is damaged. Bring it back from git, or run its notebook again.") from error
    return manifest


def runs_of(folder: Path, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs that a folder's manifest lists, if all that is fixed is as it was."""
    path = folder / "manifest.json"
    manifest = read_manifest(path) if path.is_file() else {}
    same = all(manifest.get(name) == json.loads(json.dumps(value)) for name, value in fixed.items())
    return manifest.get("runs", []) if same else []


def covers(listed: Mapping[str, Any], study: Mapping[str, Any], method: str) -> bool:
    """Whether a listed study has all units of another's method."""
    sizes = {"methods", "metrics", "n_items", "random_seeds"}
    alike = all(listed.get(name) == value for name, value in study.items() if name not in sizes)
    items = listed["n_items"] == 0 or 0 < study["n_items"] <= listed["n_items"]
    seeds = study["random_seeds"] <= listed["random_seeds"]
    return alike and items and seeds and method in listed["methods"] and set(study["metrics"]) <= set(listed["metrics"])


def replaces(latest: Mapping[str, Any], earlier: Mapping[str, Any]) -> bool:
    """Whether an earlier run need not be listed: the same study, or rows that a new one all has, made alike.

    Alike is what was made with the same data, packages and kind of machine; else who made which rows would be lost.
    """
    if latest["study"] == earlier["study"]:
        return True
    made = {name: value for name, value in earlier.items() if name not in ("study", "metrics", "date")}
    alike = all(latest.get(name) == value for name, value in made.items())
    options = earlier.get("metrics", {}).items() <= latest.get("metrics", {}).items()
    study = earlier["study"]
    return alike and options and all(covers(latest["study"], study, method) for method in study["methods"])
