"""Decisions about estimates: the family-wise correction, and when a difference counts as found."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from attribook.errors import AttribookError
from attribook.statistics.resampling import Estimate

ABOVE, BELOW, UNDECIDED = DECISIONS = ("above", "below", "undecided")
LEVEL = 0.05
FEWEST_PROMPTS = 10  # samples of fewer make intervals that are too short
HOLM = "p (Holm)"


def decided(found: Estimate, p: float = 0.0) -> str:
    """Whether an estimate lies above 0, below it, or neither is shown.

    It is decided where its 95% interval excludes 0, `p`, adjusted for the family of its tests, is below 5%, and it has
    at least `FEWEST_PROMPTS` items.
    """
    known = found.n >= FEWEST_PROMPTS and not math.isnan(found.low) and not math.isnan(found.high)
    if not known or found.low <= 0 <= found.high or not p < LEVEL:
        return UNDECIDED
    return ABOVE if found.low > 0 else BELOW


def decisions(table: pd.DataFrame) -> pd.Series:
    """`decided` for each row of a table of estimates; with the adjusted p where the table has it."""
    ps = table[HOLM] if HOLM in table else pd.Series(0.0, index=table.index)
    rows = zip(table["value"], table["low"], table["high"], table["n"], ps, strict=True)
    found = [decided(Estimate(value, low, high, n), p) for value, low, high, n, p in rows]
    return pd.Series(found, index=table.index, dtype=object)


def together(decisions: Sequence[str]) -> str:
    """The decision on a claim that needs several tests at once: one below is enough against it, all must lie above."""
    if BELOW in decisions:
        return BELOW
    return ABOVE if set(decisions) == {ABOVE} else UNDECIDED


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values of a family of tests, in the order given.

    Formula: with p_(1) <= ... <= p_(m), the i-th becomes max over j <= i of min(1, (m - j + 1) p_(j)).
    Raises:  AttribookError where a p is NaN; a test that could not be made has p = 1.
    Source:  Holm 1979.
    """
    given = np.asarray(ps, dtype=float)
    if np.isnan(given).any():
        raise AttribookError("A p is NaN. A test that could not be made has p = 1.")
    order = np.argsort(given, kind="stable")
    scaled = np.minimum(1.0, given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty(len(given))
    adjusted[order] = np.maximum.accumulate(scaled)
    return [float(p) for p in adjusted]


def adjusted(table: pd.DataFrame, within: Sequence[str] = ()) -> pd.DataFrame:
    """A table of estimates with `p (Holm)`: all its rows are one family, or those alike in the columns `within`."""
    if not within:
        return table.assign(**{HOLM: holm(table["p"].tolist())})
    found = table.groupby(list(within), sort=False)["p"].transform(lambda ps: pd.Series(holm(ps.tolist()), ps.index))
    return table.assign(**{HOLM: found})
