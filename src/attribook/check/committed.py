"""The committed ledger, which the present one is compared with: printed value, verdict and numbers of each claim.

`attribook check --update` writes it anew, after a change that was meant.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from attribook.check.drift import Drift
from attribook.check.files import write_sums
from attribook.errors import AttribookError
from attribook.files import readable, write_whole
from attribook.ledger.ledger import full_ledger
from attribook.paths import results_folder
from attribook.site.ledger_page import readme_badge

LEDGER, BADGE = "ledger.csv", "badge.svg"
KEY = ("paper", "table", "dataset", "row", "column", "metric")
NUMBERS = ("published", "ours", "low", "high")
COLUMNS = (*KEY, "published", "verdict", "ours", "low", "high", "n", "profile", "protocol")
DECIMALS = 4
# A resampled quantile moves to its neighbour where sums differ in the last bit: 10,000 of them over an interval of
# about 0.1 to 1 lie 1e-4 apart and less.
APART = 1e-3
Row = Mapping[str, Any]


def update() -> list[Path]:
    """Write the ledger, the badge of the README, and then the hashes. Returns the files."""
    rows, ledger, badge = full_ledger(), results_folder() / LEDGER, results_folder() / BADGE
    table = pd.DataFrame([short(row) for row in rows], columns=list(COLUMNS))
    write_whole(ledger, table.to_csv(index=False, lineterminator="\n"))
    write_whole(badge, readme_badge(rows))
    return [ledger, badge, *write_sums()]


def check_ledger() -> tuple[list[Drift], str]:
    """Verdicts and numbers against the committed ones."""
    rows, badge = full_ledger(), results_folder() / BADGE
    found = ledger_drift(rows)
    if not badge.is_file() or badge.read_text(encoding="utf-8") != readme_badge(rows):
        found.append(Drift("ledger", f"results/{BADGE}", "does not say what the ledger says"))
    return found, f"{len(rows)} verdicts against the committed ledger"


def short(row: Row) -> dict[str, str]:
    """A row of the ledger as it is committed: the reason is left out, numbers are rounded."""
    numbers = {name: "" if row[name] is None else f"{row[name]:.{DECIMALS}f}" for name in NUMBERS}
    return {name: numbers.get(name, "" if row[name] is None else str(row[name])) for name in COLUMNS}


def ledger_drift(rows: Sequence[Row]) -> list[Drift]:
    """Verdicts and numbers of the ledger that are not the committed ones."""
    path = results_folder() / LEDGER
    if not path.is_file():
        return [Drift("ledger", str(path), "no committed ledger; bring it back from git")]
    with readable(path), path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    if lines and tuple(lines[0]) != COLUMNS:
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
    for name in COLUMNS[len(KEY) :]:
        old, new = committed[name], now[name]
        if name in NUMBERS and old and new:
            if abs(float(old) - float(new)) > (0 if name == "published" else APART):
                found.append(f"{name} {new}, committed {old}")
        elif old != new:
            found.append(f"{name} {new or 'none'}, committed {old or 'none'}")
    return found
