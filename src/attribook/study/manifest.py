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

PACKAGES = ("attribook", "torch", "transformers", "tokenizers", "numpy")


def write_manifest(folder: Path, told: Mapping[str, Any], files: list[Path]) -> None:
    """`manifest.json`: what the study tells, the packages, the kind of machine, and the SHA-256 of its files."""
    manifest = {
        **told,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": machine_class(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }
    scratch = folder / ".manifest.json"
    scratch.write_text(json.dumps(manifest, indent=1) + "\n")
    os.replace(scratch, folder / "manifest.json")


def machine_class() -> str:
    """The kind of machine, not its name."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} cores"
    return f"{platform.machine()}, {device}, {sys.platform}"
