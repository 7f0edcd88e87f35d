"""The committed ledger, which the present one is compared with: printed value, verdict and numbers of each claim.

`attribook check --update` writes it anew, after a change that was meant.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attribook.check.drift import Drift
from attribook.check.files import write_sums
from attribook.errors import AttribookError
from attribook.files import readable, write_whole
from attribook.ledger.ledger import full_ledger
from attribook.ledger.stored import (
    COMPARED,
    FINGERPRINT,
    KEY,
    LEDGER,
    NUMBERS,
    WRITTEN,
    short,
    stored_ledger,
    write_ledger,
)
from attribook.paths import results_folder
from attribook.site.ledger_page import readme_badge

BADGE = "badge.svg"
# A resampled quantile moves to its neighbour where sums differ in the last bit: 10,000 of them over an interval of
# about 0.1 to 1 lie 1e-4 apart and less.
APART = 1e-3
Row = Mapping[str, Any]


def update() -> list[Path]:
    """Write the ledger, the badge of the README, and then the hashes. Returns the files."""
    rows, badge = full_ledger(), results_folder() / BADGE
    write_whole(badge, readme_badge(rows))
    return [write_ledger(rows), badge, *write_sums()]


def check_ledger() -> tuple[list[Drift], str]:
    """Verdicts and numbers against the committed ones."""
    rows, badge = full_ledger(), results_folder() / BADGE
    found = ledger_drift(rows)
    if not badge.is_file() or badge.read_text(encoding="utf-8") != readme_badge(rows):
        found.append(Drift("ledger", f"results/{BADGE}", "does not say what the ledger says"))
    if (results_folder() / LEDGER).is_file() and stored_ledger() is None:
        found.append(Drift("ledger", f"results/{FINGERPRINT}", "rows or rules changed since the ledger was written"))
    return found, f"{len(rows)} verdicts against the committed ledger"


def ledger_drift(rows: Sequence[Row]) -> list[Drift]:
    """Verdicts and numbers of the ledger that are not the committed ones."""
    path = results_folder() / LEDGER
    if not path.is_file():
        return [Drift("ledger", str(path), "no committed ledger; bring it back from git")]
    with readable(path), path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    if lines and tuple(lines[0]) != WRITTEN:
        raise AttribookError(f"{path} has other columns than expected. Write it anew with `attribook check --update`.")
    committed = {tuple(line[name] for name in KEY): line for line in lines}
    now = {tuple(line[name] for name in KEY): line for line in map(short, rows)}
    found = [Drift("ledger", named(key), "no longer in the ledger") for key in committed if key not in now]
    with readable(path):
        for key, line in now.items():
            if key not in committed:
                found.append(Drift("ledger", named(key), "not in the committed ledger"))
            elif what := differences(committed[key], line):
                found.append(Drift("ledger", named(key), "; ".join(what)))
    return found


def named(key: Iterable[str]) -> str:
    """A claim's name for a person."""
    paper, table, *rest = key
    return " · ".join([f"{paper} table {table}" if table else paper, *(part for part in dict.fromkeys(rest) if part)])


def differences(committed: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What of one claim is not as committed; printed values exactly, ours as far as resampling moves them."""
    found = []
    for name in COMPARED[len(KEY) :]:
        old, new = committed[name], now[name]
        if name in NUMBERS and old and new:
            if abs(float(old) - float(new)) > (0 if name == "published" else APART):
                found.append(f"{name} {new}, committed {old}")
        elif old != new:
            found.append(f"{name} {new or 'none'}, committed {old or 'none'}")
    return found
