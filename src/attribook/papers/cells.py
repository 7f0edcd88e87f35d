"""The cells of the papers' tables, one row a cell, read and checked.

`row` and `column` are the printed labels; where a column has two heads, `metric` is the lower one. `model` and
`dataset` spell one thing one way in all tables of a paper. `best` marks the best cell of a column, as printed where our
text of the paper kept the bold type (`best_from` is "printed"), else computed from the values at their printed
precision, where a cell underlined as second gives way to the one it ties with. `claim` says what a cell can be held
against, `note` names entries of `tables.toml` on what looks wrong or was deduced.
"""

import csv
from collections.abc import Iterable
from typing import IO, Any

import numpy as np
import pandas as pd

from attribook.errors import AttribookError
from attribook.papers.registry import CELLS, paper_data, paper_file
from attribook.statistics.units import METRICS

COLUMNS = ["paper", "table", "row", "method", "column", "model", "dataset", "metric", "value"]
COLUMNS += ["best", "best_from", "underlined", "claim", "note"]
KEY = ["table", "dataset", "row", "column", "metric"]
RANKED = ["table", "dataset", "column", "metric"]  # the cells that compete: one column of one block
CLAIMS = {
    "value": "a count or size, to be met as it is",
    "order": "its place within the column",
    "direction:random": "a log-ratio to random, whose sign says the side of random",
    "direction:runner-up": "the paper's method ahead of all others of the column",
}
ALLOWED = {"metric": [*METRICS], "best": ["yes", "no"], "underlined": ["yes", "no"]}
ALLOWED["best_from"] = ["printed", "computed", "none"]


def published(paper: str, table: int | None = None) -> pd.DataFrame:
    """All printed cells of a paper, or of one of its tables.

    Raises: AttribookError for an unknown paper, a table without cells, or a file that is not sound.
    """
    with paper_file(paper, CELLS).open(encoding="utf-8", newline="") as file:
        cells = read_cells(file, paper)
    return cells if table is None else select(cells, {"table": table}).reset_index(drop=True)


def read_cells(file: IO[str], paper: str) -> pd.DataFrame:
    """Cells of one file. Raises: AttribookError that names the first thing wrong and the line it is on."""
    head, *lines = [*csv.reader(file)] or [[]]  # pandas would read the row "None" as missing, and fill short lines
    if head != COLUMNS:
        raise AttribookError(f"{paper}/cells.csv: the columns must be {', '.join(COLUMNS)}.")
    _refuse([len(line) != len(COLUMNS) for line in lines], paper, f"not {len(COLUMNS)} columns")
    cells = pd.DataFrame(lines, columns=COLUMNS, dtype=str)
    for name in ("table", "value"):
        cells[name] = pd.to_numeric(cells[name], errors="coerce")
        _refuse(~np.isfinite(cells[name]), paper, f"`{name}` is not a number")
    cells["table"] = cells["table"].astype(int)
    _refuse(cells["paper"] != paper, paper, f"`paper` is not {paper}")
    _refuse(cells.duplicated(KEY), paper, f"the same {', '.join(KEY)} a second time")
    for name, allowed in ALLOWED.items():
        _refuse(~cells[name].isin(allowed), paper, f"`{name}` is none of {', '.join(allowed)}")
    _refuse(cells["claim"] == "", paper, "`claim` is empty")
    for name, known in (("claim", CLAIMS), ("note", notes(paper))):
        _refuse([not set(words.split()) <= set(known) for words in cells[name]], paper, f"unknown `{name}`")
    _refuse((cells["best"] == "yes") & (best_value(cells) != cells["value"]), paper, "`best` is beaten")
    marked = cells["best"].eq("yes").groupby([cells[name] for name in RANKED]).transform("any")
    _refuse(~marked & (better(cells) != 0), paper, "a column without its `best`")
    described = tables(paper).query("cells > 0").set_index("table")["cells"].to_dict()
    if (counts := cells["table"].value_counts(sort=False).to_dict()) != described:
        raise AttribookError(f"{paper}/cells.csv has {counts} cells by table, but tables.toml says {described}.")
    return cells


def better(cells: pd.DataFrame) -> pd.Series:
    """+1 where higher values are better, -1 where lower ones are, 0 where neither is."""
    sign = {"higher": 1, "lower": -1, "none": 0}
    return cells["metric"].map({name: sign[metric.better] for name, metric in METRICS.items()})


def best_value(cells: pd.DataFrame) -> pd.Series:
    """For each cell, the best value of the column it competes in. NaN where nothing competes."""
    sign = better(cells).replace(0, np.nan)
    return (cells["value"] * sign).groupby([cells[name] for name in RANKED]).transform("max") * sign


def tables(paper: str) -> pd.DataFrame:
    """Every numbered table of a paper: table, cells (0 where it prints examples), subject, remark."""
    return pd.DataFrame(paper_data(paper, "tables.toml")["table"])


def notes(paper: str) -> dict[str, str]:
    """What each key in the column `note` of a paper's cells means."""
    return dict(paper_data(paper, "tables.toml")["notes"])


def select(cells: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    """Cells whose columns have the wanted value, or one of several. Raises: AttribookError where none has."""
    found = cells
    for name, wanted in where.items():
        if name not in COLUMNS:
            raise AttribookError(f"Cells have no column {name!r}; columns: {', '.join(COLUMNS)}.")
        found = found[found[name].isin(wanted if isinstance(wanted, list) else [wanted])]
        if found.empty:
            raise AttribookError(f"No published cell has {name} = {wanted!r} in {where}.")
    return found


def _refuse(wrong: Iterable[bool], paper: str, why: str) -> None:
    lines = np.flatnonzero(np.asarray(wrong)) + 2  # the head is line 1
    if len(lines):
        raise AttribookError(f"{paper}/cells.csv, line {lines[0]}: {why}. Correct the file against the paper.")
