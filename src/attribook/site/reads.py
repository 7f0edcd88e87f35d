"""Pages that show rows which other pages compute: what they read, and whether it has changed.

Such a page says so in its header, by the names of the studies, which outlive the names of pages:

    # ---
    # jupyter:
    #   attribook:
    #     reads: [reagent_longra]

`ledger` stands for all rows that may answer a published cell. Two pages may each show what the other computes, as those
do that show the ledger's verdicts on their table, so no order of pages alone would do: pages that read run after those
that do not, and once more where the rows that they read changed meanwhile.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jupytext

from attribook.errors import AttribookError
from attribook.paths import results_folder
from attribook.statistics.evidence import PROFILES

LEDGER = "ledger"


def reads_of(notebook: Path) -> tuple[str, ...]:
    """The studies whose rows of other pages a notebook shows. Raises: AttribookError where its header is wrong."""
    names = header_of(notebook).get("reads", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise AttribookError(f"{notebook}: say `attribook: {{reads: [names of studies]}}` in its header, or nothing.")
    return tuple(names)


def finding_of(notebook: Path) -> str:
    """How the sentence of a notebook's answer begins that the first page tells; empty where it tells none."""
    begins = header_of(notebook).get("finding", "")
    if not isinstance(begins, str):
        raise AttribookError(f"{notebook}: `finding` in its header is how a sentence of its answer begins.")
    return begins


def header_of(notebook: Path) -> dict[str, Any]:
    """What a notebook's header says under `attribook`. Raises: AttribookError for a key that nothing reads."""
    header = jupytext.read(notebook).metadata.get("attribook", {})
    if not isinstance(header, dict) or not set(header) <= {"reads", "finding"}:
        raise AttribookError(
            f"{notebook}: say `attribook: {{reads: [names of studies]}}` or `finding` in its header, or nothing."
        )
    return dict(header)


def rows_digest(studies: Iterable[str]) -> str:
    """Digest of all stored rows of some studies, of every profile; an empty text for no study."""
    found = hashlib.sha256()
    for study in sorted(studies):
        patterns = [f"{profile}/**/*" for profile in PROFILES] if study == LEDGER else [f"*/{study}/**/*"]
        for path in sorted(path for pattern in patterns for path in results_folder().glob(pattern)):
            if path.suffix in {".csv", ".jsonl"} and path.is_file():
                found.update(str(path.relative_to(results_folder())).encode() + path.read_bytes())
    return found.hexdigest() if studies else ""
