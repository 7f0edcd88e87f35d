"""How far rankings of the same prompt's tokens agree: of two methods, or of two seeds of one method."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata


def rank_correlations(rows: Iterable[Mapping[str, Any]], across: str = "method") -> pd.DataFrame:
    """A tidy frame with Spearman's rank correlation of every two score vectors of one prompt.

    across: "method" compares methods under the same seed, "seed" seeds of the same method. Every pair is there both
        ways, and each vector with itself; `other` is the second method or seed.
    Equal scores share the mean of their ranks. Tokens that none of the compared vectors scores, as special ones, do not
    count.
    Range:   -1 to 1; 1 is the same order. NaN with the status `no order` where a vector gives all tokens one score.
    Columns: item, method, seed, other, metric ("spearman"), value, status.
    """
    frame = pd.DataFrame(list(map(dict, rows)))[["item", "method", "seed", "scores"]]
    found = []
    for _, group in frame.groupby(["item", "seed" if across == "method" else "method"], sort=False):
        scores = np.array(group["scores"].tolist(), dtype=float)  # (vectors, T)
        values = correlations(scores[:, (scores != 0).any(0)]).ravel()
        pairs = list(product(range(len(group)), repeat=2))
        whole = group.iloc[[one for one, _ in pairs]].drop(columns="scores")
        names = group[across].to_numpy()[[other for _, other in pairs]]
        found.append(whole.assign(other=names, metric="spearman", value=values))
    table = pd.concat(found, ignore_index=True)
    return table.assign(status=np.where(table["value"].isna(), "no order", "ok"))


def correlations(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's correlation of all rows of `(n, T)` with each other, `(n, n)`; NaN for a row of equal values."""
    if vectors.shape[1] < 2:
        return np.full((len(vectors), len(vectors)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.atleast_2d(np.corrcoef(rankdata(vectors, axis=1)))


def agreement(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The mean of `rank_correlations` over prompts and seeds, methods both ways; NaN where no prompt has one."""
    pairs = rank_correlations(rows)
    names = list(dict.fromkeys(pairs["method"]))
    return pairs.groupby(["method", "other"])["value"].mean().unstack().loc[names, names]
