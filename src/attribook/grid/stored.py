"""What is stored of a study, read from its files alone: no text, no model, and nothing is computed."""

from pathlib import Path
from typing import Any

import pandas as pd

from attribook.errors import AttribookError
from attribook.files import readable
from attribook.grid.frames import COLUMNS, NESTED, POOL_COLUMNS, tidy, tidy_answers, tidy_pool
from attribook.grid.manifest import read_manifest
from attribook.paths import results_folder

TEXTS = {"key": str, "item": str, "options_hash": str, "values": str, "means": str}


def stored_frames(profile: str, study: str, *, pools: bool = False) -> pd.DataFrame:
    """All rows of a study in a profile, of every model and protocol, as one tidy frame; empty where none are stored.

    pools: those of pools of maps, which have columns of their own (frames.py), in the place of all others.
    Raises: AttribookError for a damaged file, and for rows on several data sets, which no row tells apart.
    """
    found, columns = [], POOL_COLUMNS if pools else COLUMNS
    for path in sorted((results_folder() / profile / study).glob("*/*/rows.csv")):
        runs = [run["study"] for run in read_manifest(path.with_name("manifest.json"))["runs"]]
        with readable(path.with_name("manifest.json")):
            measured = [run for run in runs if run["metrics"] or "judge" in run]
            datasets = sorted({run["dataset"] for run in measured})
        if len(datasets) != 1:
            raise AttribookError(f"{path} has rows on {datasets or 'no data set'}: give each data set its own study.")
        with readable(path):
            fixed = {name: str(measured[0][name]) for name in ("profile", "protocol", "model", "dataset")}
            frame = tidied(read_rows(path), **fixed, study=str(measured[0]["name"]))
        found += [frame] if list(frame.columns) == columns else []
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def tidied(rows: pd.DataFrame, **fixed: Any) -> pd.DataFrame:
    """Rows of a file as a tidy frame, by their columns: of pools, of a judge's answers, or of metrics of scores.

    Of a number that was computed under an earlier key too, the later row counts; of pools of several sizes the maps of
    the largest, which a smaller one begins.
    """
    if "values" in rows:
        sizes = rows["values"].str.count(" ") + 1
        parts = [
            tidy_pool(part, [n for n in NESTED if n <= int(str(size))], **fixed) for size, part in rows.groupby(sizes)
        ]
        frame = pd.concat(parts)
    elif "selection" in rows:
        frame = tidy_answers(rows[rows["selection"] != "minimum"], **fixed)
    else:
        frame = tidy(rows, **fixed)
    numbers = [name for name in frame if name not in ("value", "status")]
    return frame.drop_duplicates(numbers, keep="last", ignore_index=True)


def read_rows(path: Path) -> pd.DataFrame:
    """A file of rows as it stands. Raises: AttribookError where it cannot be read, or lacks what every row has."""
    with readable(path):
        rows = pd.read_csv(path, dtype=TEXTS)
        return rows.astype(dict.fromkeys(("item", "method"), str))
