"""An environment of its own for Inseq, made once: its packages are not ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from attribook.archives import to_stderr
from attribook.errors import AttribookError
from attribook.paths import home

PEER_PACKAGES = ("torch==2.13.0", "inseq==0.7.1")


def peer_python() -> Path:
    """Python of Inseq's environment, made where it is missing, half-made or has other packages.

    Raises: AttribookError, with pip's reason, if it cannot be made.
    """
    folder = home() / "bench-env"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "made.json"  # written last
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == json.dumps(PEER_PACKAGES):
            return python
        to_stderr(f"making an environment with {', '.join(PEER_PACKAGES)} in {folder} (once, some minutes)")
        shutil.rmtree(folder, ignore_errors=True)
        called([sys.executable, "-m", "venv", str(folder)], "venv")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=2"]
        for package in PEER_PACKAGES:
            called([*pip, package], f"pip install {package}")
        stamp.write_text(json.dumps(PEER_PACKAGES), encoding="utf-8")
    return python


def called(command: list[str], what: str, stdin: str = "") -> str:
    """Standard output of a command. Raises: AttribookError with its last line of complaint if it failed."""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}  # the model is a folder; pip does not look at this
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=offline, check=False)
    except OSError as error:
        raise AttribookError(f"{what} could not be started: {error.strerror}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise AttribookError(f"{what} failed: {reason}")
    return done.stdout
