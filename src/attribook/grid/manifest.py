"""What a folder of rows was made with, written beside the rows."""

import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from attribook.errors import AttribookError

PACKAGES = ("attribook", "torch", "transformers", "tokenizers", "numpy")


def write_manifest(folder: Path, fixed: Mapping[str, Any], run: Mapping[str, Any], files: list[Path]) -> None:
    """Write `manifest.json`: what is fixed in the folder, each study that was run in it, and its files' SHA-256.

    fixed: what every row of the folder shares; where it changed, the studies of earlier rows are forgotten.
    run: the study that was just run and its data; the packages, the kind of machine and the date join it.
    """
    told = {
        **run,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": machine_class(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    earlier = [each for each in runs_of(folder, fixed) if not replaces(told, each)]
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    scratch = folder / ".manifest.json"
    scratch.write_text(json.dumps({**fixed, "files": digests, "runs": [*earlier, told]}, indent=1) + "\n")
    os.replace(scratch, folder / "manifest.json")


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest as it was written. Raises: AttribookError where it is damaged."""
    try:
        manifest = json.loads(path.read_text())
        if not all(run["study"]["methods"] for run in manifest["runs"]) or not {"weights", "files"} <= set(manifest):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise AttribookError(f"{path} is damaged. Bring it back from git, or run its notebook again.") from error
    return manifest


def runs_of(folder: Path, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs that a folder's manifest tells of, if all that is fixed is as it was."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) if path.is_file() else {}
    same = all(manifest.get(name) == json.loads(json.dumps(value)) for name, value in fixed.items())
    return manifest.get("runs", []) if same else []


def covers(told: Mapping[str, Any], study: Mapping[str, Any], method: str) -> bool:
    """Whether a told study has all units of another's method."""
    sizes = {"methods", "metrics", "n_items", "random_seeds"}
    alike = all(told.get(name) == value for name, value in study.items() if name not in sizes)
    items = told["n_items"] == 0 or 0 < study["n_items"] <= told["n_items"]
    seeds = study["random_seeds"] <= told["random_seeds"]
    return alike and items and seeds and method in told["methods"] and set(study["metrics"]) <= set(told["metrics"])


def replaces(told: Mapping[str, Any], earlier: Mapping[str, Any]) -> bool:
    """Whether an earlier run need not be told of: the same study, or rows that a new one all has, made alike.

    Alike is what was made with the same data, packages and kind of machine; else who made which rows would be lost.
    """
    if told["study"] == earlier["study"]:
        return True
    made = {name: value for name, value in earlier.items() if name not in ("study", "metrics", "date")}
    alike = all(told.get(name) == value for name, value in made.items())
    options = earlier.get("metrics", {}).items() <= told.get("metrics", {}).items()
    study = earlier["study"]
    return alike and options and all(covers(told["study"], study, method) for method in study["methods"])


def machine_class() -> str:
    """The kind of machine, not its name."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} cores"
    return f"{platform.machine()}, {device}, {sys.platform}"
