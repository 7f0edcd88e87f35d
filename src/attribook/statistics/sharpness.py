"""How sharp score vectors are, and what their highest tokens hit."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import entropy

SPANS = ("antecedent", "distractor")


def sharpness(rows: Iterable[Mapping[str, Any]], top: int = 3) -> pd.DataFrame:
    """A tidy frame with up to four values of each stored score vector.

    Formula: with a_i = max(s_i, 0) / sum_j max(s_j, 0) over T tokens, `largest` = max a_i and
        `entropy` = - sum a_i log a_i / log T. `antecedent` is 1 if one of the `top` highest-scored tokens is in the
        antecedent, `distractor` 1 if one is in the distractor, else 0; of equal scores the first counts as higher.
    Range:   0 to 1. NaN with the status `no positive score` where no score is above 0, or `one token` for the entropy
        of a single token, which is neither even nor sharp. A span that a prompt has not gets no row.
    Columns: item, method, seed, metric, value, status.
    """
    found = []
    for row in rows:
        scores = np.array(row["scores"], dtype=float)
        positive = np.clip(scores, 0, None)
        best = set(np.argsort(-scores, kind="stable")[:top].tolist())
        held = {name: set(row["spans"][name]) for name in SPANS if row["spans"].get(name)}
        values = {name: float(bool(best & places)) for name, places in held.items()}
        status = dict.fromkeys(("largest", "entropy", *values), "ok" if positive.any() else "no positive score")
        if positive.any():
            values |= {"largest": float(positive.max() / positive.sum())}
            values |= {"entropy": float(entropy(positive) / np.log(len(scores)))} if len(scores) > 1 else {}
        if positive.any() and len(scores) == 1:
            status["entropy"] = "one token"
        fixed = {name: row[name] for name in ("item", "method", "seed")}
        found += [
            {**fixed, "metric": metric, "value": values.get(metric, np.nan) if said == "ok" else np.nan, "status": said}
            for metric, said in status.items()
        ]
    return pd.DataFrame(found, columns=["item", "method", "seed", "metric", "value", "status"])
