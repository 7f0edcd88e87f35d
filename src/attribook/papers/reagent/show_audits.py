"""Intervals as text, for listings of the other papers that still make their own columns."""

import pandas as pd


def interval_text(low: pd.Series, high: pd.Series, digits: int = 2) -> list[str]:
    """Intervals as text; a dash where there is none."""
    return [
        f"{a:+.{digits}f} to {b:+.{digits}f}" if pd.notna(a) and pd.notna(b) else "–"
        for a, b in zip(low, high, strict=True)
    ]
