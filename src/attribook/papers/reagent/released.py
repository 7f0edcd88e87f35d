"""Score vectors and soft metrics that ReAGent's authors released (MIT), for GPT-2 medium on 157 LongRA prompts.

Asked is how sharp the vectors are and what they hit: no model is needed. They are positions and numbers, no text.
"""

import gzip
import io
import json
import math
from typing import Any

import pandas as pd

from attribook.grid.keys import digest
from attribook.papers.released import ReleasedTable, released_file
from attribook.statistics.sharpness import sharpness

FOLDER = "golden/reagent_released"
SHA256 = {
    "scores.jsonl.gz": "517a8765c333bfcabe5153e74ce93fa406354d47455fdaab77551c03d5bbdcad",
    "soft_items.csv": "3f95796b2ffcfb1a7efc111551d3e281036d029093abdee5c19c47390678efb0",
}
SOURCE = "casszhao/ReAGent, commit 780977384e4cd9eb53c1093e04643aa0f89d7f81"
TOP = 5  # as the released tables of hits
SETTING = ["method", "setting"]
COLUMNS = (*SETTING, "n", "nan", "largest", "entropy", "antecedent", "distractor", "log_nc", "log_ns")
VERSION = 1


def released_vectors() -> list[dict[str, Any]]:
    """2,512 score vectors in the form of our stored ones; `scores` is None where the released vector is NaN."""
    lines = gzip.decompress(content("scores.jsonl.gz")).splitlines()
    return [
        {
            "item": str(row["id"]), "method": row["method"], "setting": row["hyper"], "seed": 0,
            "scores": None if row["nan"] else row["scores"],
            "spans": {"antecedent": [row["antecedent_index"]],
                      "distractor": list(range(row["distractor_start"], row["distractor_end"] + 1))},
        }
        for row in map(json.loads, lines)
    ]  # fmt: skip


def released_soft() -> pd.DataFrame:
    """Soft-NC and Soft-NS of every released item: method, setting, distance (D or H), item, values, the random ones."""
    frame = pd.read_csv(io.BytesIO(content("soft_items.csv")), keep_default_na=False, dtype={"nan": str})
    return frame.rename(columns={"hyper": "setting"}).assign(item=frame["id"].astype(str), nan=frame["nan"] == "1")


def content(name: str) -> bytes:
    """One of the released files."""
    return released_file(f"{FOLDER}/{name}", SHA256[name], SOURCE)


def computed() -> pd.DataFrame:
    """A row for each method and setting, highest Soft-NC first, from the released files.

    `largest`, `entropy`: see `sharpness`. `antecedent`, `distractor`: share of prompts whose five highest tokens hold
    one of it, NaN vectors counted as misses, as released. `log_nc`, `log_ns`: log of the ratio of means to the
    released random draw of the same file, under the true Hellinger distance, prompts with NaN vectors left out.
    """
    means = released_soft().query("distance == 'H' and not nan").groupby(SETTING).mean(numeric_only=True)
    vectors, found = released_vectors(), []
    for place in dict.fromkeys((row["method"], row["setting"]) for row in vectors):
        rows = [row for row in vectors if (row["method"], row["setting"]) == place]
        known, mean = [row for row in rows if row["scores"] is not None], means.loc[place]
        values = sharpness(known, TOP).groupby("metric")["value"].agg(["mean", "sum"])
        hits = values["sum"] / len(rows)
        logs = [math.log(mean[name] / mean[f"random_{name}"]) for name in ("soft_nc", "soft_ns")]
        found.append((*place, len(rows), len(rows) - len(known), *values.loc[["largest", "entropy"], "mean"],
                      hits["antecedent"], hits["distractor"], *logs))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS)).sort_values("log_nc", ascending=False, kind="stable")


RELEASED = ReleasedTable("reagent_released", digest("released", SHA256, VERSION), COLUMNS, SETTING, computed)
