"""The authors' own score vectors, asked how sharp they are and what they hit: no model is needed.

Numbers come from the stored table, which was made of the released files; where there is none, from the files.
"""

import math

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.keys import digest
from attribook.grid.store import Row, Store
from attribook.papers.reagent.released_files import SHA256, released_soft, released_vectors
from attribook.paths import data_home, results_folder
from attribook.statistics.sharpness import sharpness

TOP = 5  # as the released tables of hits
COLUMNS = ("method", "setting", "n", "nan", "largest", "entropy", "antecedent", "distractor", "log_nc", "log_ns")
VERSION = 1


def released_table() -> pd.DataFrame:
    """A row for each method and setting, highest Soft-NC first.

    `largest`, `entropy`: see `sharpness`. `antecedent`, `distractor`: share of prompts whose five highest tokens hold
    one of it, NaN vectors counted as misses, as released. `log_nc`, `log_ns`: log of the ratio of means to the
    released random draw of the same file, under the true Hellinger distance, prompts with NaN vectors left out.
    Raises: AttribookError where neither the files nor stored rows are there.
    """
    store = Store(results_folder() / "original" / "reagent_released" / "rows.csv", COLUMNS)
    key = digest("released", SHA256, VERSION)
    if key not in store:
        if data_home() is None:
            raise AttribookError("There are no stored rows of the released scores. Name the data in $ATTRIBOOK_DATA.")
        with store.writing():
            store.append(key, computed())
    frame = pd.DataFrame(store[key])[list(COLUMNS)]
    frame[list(COLUMNS[2:])] = frame[list(COLUMNS[2:])].apply(pd.to_numeric)
    return frame


def computed() -> list[Row]:
    """The rows of the table, from the released files."""
    soft = released_soft().query("distance == 'H' and not nan")
    vectors = released_vectors()
    found: list[Row] = []
    for method, setting in dict.fromkeys((row["method"], row["setting"]) for row in vectors):
        rows = [row for row in vectors if (row["method"], row["setting"]) == (method, setting)]
        known = [row for row in rows if row["scores"] is not None]
        values = sharpness(known, TOP).groupby("metric")["value"]
        means, sums = values.mean(), values.sum()
        mean = soft[(soft["method"] == method) & (soft["setting"] == setting)].mean(numeric_only=True)
        found.append(
            {
                "method": method,
                "setting": setting,
                "n": len(rows),
                "nan": len(rows) - len(known),
                "largest": means["largest"],
                "entropy": means["entropy"],
                "antecedent": sums["antecedent"] / len(rows),
                "distractor": sums["distractor"] / len(rows),
                "log_nc": math.log(mean["soft_nc"] / mean["random_soft_nc"]),
                "log_ns": math.log(mean["soft_ns"] / mean["random_soft_ns"]),
            }
        )
    return sorted(found, key=lambda row: -row["log_nc"])
