"""How far the scores of two programs are apart."""

import math

import pandas as pd
from torch import Tensor

from attribook.bench.comparisons import TOLERANCE, Row


def agreement(own: Tensor, peer: Tensor) -> Row:
    """How far two score vectors `(T,)` are apart."""
    a, b = pd.Series(own.tolist()), pd.Series(peer.tolist())
    difference = float((a - b).abs().max())
    return {
        "max_difference": difference,
        "largest_score": float(b.abs().max()),
        "correlation": correlation(a, b),
        "rank_correlation": correlation(a.rank(), b.rank()),
        "agree": difference <= TOLERANCE,
    }


def correlation(a: pd.Series, b: pd.Series) -> float | None:
    """Pearson's correlation, -1 to 1, or None where one side is constant."""
    found = float(a.corr(b)) if a.nunique() > 1 and b.nunique() > 1 else math.nan
    return None if math.isnan(found) else found
