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

import jupytext

from attribook.errors import AttribookError
from attribook.paths import results_folder
from attribook.statistics.evidence import PROFILES

LEDGER = "ledger"


def reads_of(notebook: Path) -> tuple[str, ...]:
    """The studies whose rows of other pages a notebook shows. Raises: AttribookError where its header is wrong."""
    header = jupytext.read(notebook).metadata.get("attribook", {})
    names = header.get("reads", []) if isinstance(header, dict) and set(header) <= {"reads"} else None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise AttribookError(f"{notebook}: say `attribook: {{reads: [names of studies]}}` in its header, or nothing.")
    return tuple(names)


def rows_digest(studies: Iterable[str]) -> str:
    """Digest of all stored rows of some studies, of every profile; an empty text for no study."""
    found = hashlib.sha256()
    for study in sorted(studies):
        patterns = [f"{profile}/**/*" for profile in PROFILES] if study == LEDGER else [f"*/{study}/**/*"]
        for path in sorted(path for pattern in patterns for path in results_folder().glob(pattern)):
            if path.suffix in {".csv", ".jsonl"} and path.is_file():
                found.update(str(path.relative_to(results_folder())).encode() + path.read_bytes())
    return found.hexdigest() if studies else ""
