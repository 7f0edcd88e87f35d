"""An estimate within a sentence."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


def in_words(found: Mapping[str, Any] | pd.Series, digits: int = 2, *, sign: str = "+") -> str:
    """A row of an estimated table as text: value, 95% interval and n, as in `+0.31 (+0.10 to +0.52, n = 24)`."""
    n = f"n = {found['n']:.0f}"
    if pd.isna(found["value"]):
        return f"no value ({n})"
    value, low, high = (f"{found[name]:{sign}.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({'no interval' if pd.isna(found['low']) else f'{low} to {high}'}, {n})"
