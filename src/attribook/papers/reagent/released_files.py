"""Score vectors and soft metrics that the authors of ReAGent released, for GPT-2 medium on 157 LongRA prompts (MIT).

Read from `golden/reagent_released` under `$ATTRIBOOK_DATA`; positions and numbers only, no text.
"""

import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from attribook.errors import AttribookError
from attribook.paths import data_home

FOLDER = "golden/reagent_released"
SHA256 = {
    "scores.jsonl.gz": "517a8765c333bfcabe5153e74ce93fa406354d47455fdaab77551c03d5bbdcad",
    "soft_items.csv": "3f95796b2ffcfb1a7efc111551d3e281036d029093abdee5c19c47390678efb0",
}
SOURCE = "casszhao/ReAGent, commit 780977384e4cd9eb53c1093e04643aa0f89d7f81"


def released_vectors() -> list[dict[str, Any]]:
    """2,512 score vectors in the form of our stored ones; `scores` is None where the released vector is NaN."""
    rows = [json.loads(line) for line in gzip.decompress(content("scores.jsonl.gz")).splitlines()]
    return [
        {
            "item": str(row["id"]),
            "method": row["method"],
            "setting": row["hyper"],
            "seed": 0,
            "scores": None if row["nan"] else row["scores"],
            "spans": {
                "antecedent": [row["antecedent_index"]],
                "distractor": list(range(row["distractor_start"], row["distractor_end"] + 1)),
            },
        }
        for row in rows
    ]


def released_soft() -> pd.DataFrame:
    """Soft-NC and Soft-NS of every released item: method, setting, distance (D or H), item, values, the random ones."""
    frame = pd.read_csv(io.BytesIO(content("soft_items.csv")), keep_default_na=False, dtype={"nan": str})
    return frame.rename(columns={"hyper": "setting"}).assign(item=frame["id"].astype(str), nan=frame["nan"] == "1")


def content(name: str) -> bytes:
    """One file. Raises: AttribookError if it is not there or not the registered one."""
    folder = data_home()
    path = folder / FOLDER / name if folder else Path(FOLDER, name)
    if folder is None or not path.is_file():
        raise AttribookError(
            f"The released scores of ReAGent are not part of attribook. Put {FOLDER}/{name} (made from {SOURCE}) into "
            "a folder and name that folder in $ATTRIBOOK_DATA."
        )
    found = path.read_bytes()
    if hashlib.sha256(found).hexdigest() != SHA256[name]:
        raise AttribookError(f"{path} is not the registered file. Bring it again from its source: {SOURCE}.")
    return found
