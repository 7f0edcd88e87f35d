"""How sharp score vectors are, where their highest tokens lie, and what a metric says of the ranking alone."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from attribook.grid.store import Row
from attribook.statistics.bootstrap import log_ratio


def sharpness(rows: Iterable[Row], top: int = 3) -> pd.DataFrame:
    """One row for each stored score vector: how much lies on its best token, how even it is, what its best tokens hit.

    Formula: with a_i = max(s_i, 0) / sum_j max(s_j, 0), `largest` = max a_i and `entropy` = - sum a_i log a_i / log T.
        `antecedent` is 1 if one of the `top` highest-scored tokens is in the antecedent, `distractor` 1 if one is in
        the distractor; of equal scores the first token counts as higher.
    Range:   0 to 1. NaN, with a status that says so, where no score is above 0, and for spans that a prompt has not.
    """
    found = []
    for row in rows:
        scores = np.array(row["scores"])
        positive = np.clip(scores, 0, None)
        total = positive.sum()
        shares = positive[positive > 0] / total if total > 0 else np.array([np.nan])
        best = set(np.argsort(-scores, kind="stable")[:top].tolist())
        hits = {
            part: float(bool(best & set(row["spans"][part]))) if row["spans"].get(part) else np.nan
            for part in ("antecedent", "distractor")
        }
        found.append(
            {
                "item": row["item"],
                "method": row["method"],
                "seed": row["seed"],
                "largest": shares.max(),
                "entropy": float(-(shares * np.log(shares)).sum() / np.log(len(scores))),
                **hits,
                "status": "ok" if total > 0 else "no positive score",
            }
        )
    return pd.DataFrame(found)


def sharp_or_right(
    rows: pd.DataFrame, vectors: pd.DataFrame, metric: str, methods: Sequence[str], variants: Mapping[str, str]
) -> pd.DataFrame:
    """For each method: how sharp it is, what it hits, and its log-ratio to random; best log-ratio first.

    `variants` names columns of log-ratios: a title, and the variant whose scores are judged (`ranked`, say). The
    column `own order` is the method against its own values in random order: equally sharp, so what is left is where
    the values are put. Its interval is `low` to `high`.
    """
    good = vectors[vectors["status"] == "ok"].groupby("method")[["largest", "entropy", "antecedent", "distractor"]]
    means = good.mean()
    found = []
    for name in methods:
        order = log_ratio(rows, name, metric, baseline=f"{name}:permuted")
        found.append(
            {
                "method": name,
                "largest": means.loc[name, "largest"],
                "entropy": means.loc[name, "entropy"],
                "log-ratio": log_ratio(rows, name, metric).value,
                **{title: log_ratio(rows, f"{name}:{variant}", metric).value for title, variant in variants.items()},
                "own order": order.value,
                "low": order.low,
                "high": order.high,
                "antecedent": means.loc[name, "antecedent"],
                "distractor": means.loc[name, "distractor"],
                "n": order.n,
            }
        )
    return pd.DataFrame(found).sort_values("log-ratio", ascending=False, ignore_index=True)


def rank_agreement(frame: pd.DataFrame, first: str, second: str) -> float:
    """Spearman's correlation of two columns: 1 if they rank the methods alike."""
    return float(frame[first].rank().corr(frame[second].rank()))
