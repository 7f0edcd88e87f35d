"""The ledger as it was written down, read in place of computing it while rows and rules are those it was made from.

`ledger.csv` holds every row, numbers rounded; `ledger.sha256` beside it the fingerprint of all that decides a verdict.
`attribook check --update` writes both, and `attribook check` computes the ledger anew.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attribook.files import readable, write_whole
from attribook.ledger.rows import COLUMNS, Row
from attribook.paths import results_folder

LEDGER, FINGERPRINT = "ledger.csv", "ledger.sha256"
NUMBERS = ("published", "ours", "low", "high", "detectable")
KEY = ("paper", "table", "dataset", "row", "column", "metric")
COMPARED = (*KEY, "published", "verdict", "ours", "low", "high", "n", "profile", "protocol")
WRITTEN = (*COMPARED, *(name for name in COLUMNS if name not in COMPARED))
MAY_LACK = {*NUMBERS, "n", "profile", "protocol", "model", "data", "rows"}  # None in a row of the ledger
DECIMALS = 4
ROWS_OF = ("paper", "original", "laptop")  # the profiles whose rows answer claims
# What decides a verdict: the rooms, and of rooms that compute what readers import of them.
RULES_IN = (
    "data", "grid", "ledger", "papers", "statistics", "attribution/names.py", "metrics/conventions.py",
    "metrics/names.py", "models/files.py", "models/names.py", "models/recipes.py", "models/registry.py",
    "models/templates.py",
)  # fmt: skip


def ledger(*, recompute: bool = False) -> list[Row]:
    """Every row of the ledger: those written down where they hold, else computed, which takes some ten seconds."""
    if not recompute and (rows := stored_ledger()) is not None:
        return rows
    from attribook.ledger.ledger import full_ledger

    return full_ledger()


def stored_ledger() -> list[Row] | None:
    """The rows that were written down; None where there are none, or what decides them has changed since."""
    folder = results_folder()
    path, mark = folder / LEDGER, folder / FINGERPRINT
    if not path.is_file() or not mark.is_file() or mark.read_text("utf-8", errors="replace").strip() != fingerprint():
        return None
    with readable(path), path.open(newline="", encoding="utf-8") as file:
        return [row_of(line) for line in csv.DictReader(file)]


def write_ledger(rows: Sequence[Row]) -> Path:
    """Write the rows down, and what they were made from."""
    path = results_folder() / LEDGER
    text = io.StringIO()
    table = csv.DictWriter(text, WRITTEN, lineterminator="\n")
    table.writeheader()
    table.writerows(map(short, rows))
    write_whole(path, text.getvalue())
    write_whole(path.with_name(FINGERPRINT), f"{fingerprint()}\n")
    return path


def fingerprint() -> str:
    """SHA-256 of all rows that may answer a claim, of the papers' files, and of the code between them."""
    digest = hashlib.sha256()
    for place, path in deciding():
        with path.open("rb") as file:
            digest.update(f"{place} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def deciding() -> Iterator[tuple[str, Path]]:
    """All files that decide verdicts, and the name of each, which is the same on every machine."""
    code, rows = Path(__file__).parents[1], results_folder()
    folders = [(rows, name, {".csv", ".json", ".jsonl"}) for name in ROWS_OF]
    folders += [(code, name, {".py", ".toml", ".csv"}) for name in RULES_IN]
    for base, name, endings in folders:
        place = base / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in endings and not path.name.startswith(".") and path.is_file():
                yield path.relative_to(base).as_posix(), path


def short(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as it is written: numbers rounded, nothing for what it lacks."""
    numbers = {name: "" if row[name] is None else f"{row[name]:.{DECIMALS}f}" for name in NUMBERS}
    return {name: numbers.get(name, "" if row[name] is None else str(row[name])) for name in WRITTEN}


def row_of(line: Mapping[str, str]) -> Row:
    """A row as the ledger gives it, from a line of the file."""
    row: Row = {name: line[name] for name in COLUMNS}
    row |= {name: None for name in MAY_LACK if row[name] == ""}
    row |= {name: float(row[name]) for name in NUMBERS if row[name] is not None}
    row |= {name: int(row[name]) for name in ("n",) if row[name] is not None}
    return row | ({"table": int(row["table"])} if row["column"] else {})
