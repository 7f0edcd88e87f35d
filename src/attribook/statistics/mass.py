"""Where the attribution mass of a prompt lies: on the antecedent, on the main part, or on the distractor."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

PARTS = ("antecedent", "main", "distractor")
FLAT = "flat (by length)"


def mass_shares(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A tidy frame with three values of each stored score vector: the share of the positive mass that each part has.

    Formula: share_s = sum_{i in s} max(a_i, 0) / sum_i max(a_i, 0); main is what is in no other span.
    Range:   0 to 1, the three add up to 1. NaN with the status `no positive score` where nothing is above 0.
    Columns: item, method, seed, metric (the part), value, status.
    """
    found = []
    for row in rows:
        positive = np.clip(np.array(row["scores"], dtype=float), 0, None)
        total = positive.sum()
        status = "ok" if total > 0 else "no positive score"
        held = {part: float(positive[row["spans"].get(part, [])].sum()) for part in PARTS if part != "main"}
        held["main"] = total - sum(held.values())
        fixed = {name: row[name] for name in ("item", "method", "seed")}
        found += [
            {**fixed, "metric": part, "value": held[part] / total if total > 0 else np.nan, "status": status}
            for part in PARTS
        ]
    return pd.DataFrame(found, columns=["item", "method", "seed", "metric", "value", "status"])


def flat_shares(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The same of the method `FLAT`, which gives every token of a prompt the same: a part's share of the tokens."""
    first = {row["item"]: row for row in reversed(list(rows))}
    return mass_shares({**row, "scores": [1.0] * len(row["scores"]), "method": FLAT} for row in first.values())
