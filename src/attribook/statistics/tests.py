"""Decisions about estimates: which may be decided at all, the correction for a family of tests, and the verdict.

`simulation.py` measures what these rules keep: how often an interval covers, and how often any of a family of true
nulls is decided.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from attribook.errors import AttribookError
from attribook.statistics.resampling import LEVEL, RESAMPLES, Estimate, Numbers

ABOVE, BELOW, UNDECIDED = DECISIONS = ("above", "below", "undecided")
LEAST_N = 40  # items; intervals of fewer cover too seldom
LEAST_CARRIERS = 8  # items that must carry the variance, as n / kurtosis counts them
MOST_OF_ONE = 0.2  # the largest share of the variance that one item may have
FAMILY = "p (max-T)"
FAMILY_DETECTABLE = "detectable (max-T)"
BARRED = "no verdict"  # a column: why an estimate cannot be decided, or nothing
FEW, HEAVY, NO_INTERVAL = f"n is below {LEAST_N}", "a few items carry the mean", "there is no interval"


def barred(found: Estimate) -> str:
    """Why an estimate is not decided whatever it is; empty where it may be.

    Samples that lack the few items which carry a mean give short intervals in the wrong place, and nothing in them
    shows it. So the items must be many, and the variance theirs.
    """
    if math.isnan(found.low) or math.isnan(found.high):
        return NO_INTERVAL
    if found.n < LEAST_N:
        return FEW
    return HEAVY if found.carried < LEAST_CARRIERS or found.heaviest > MOST_OF_ONE else ""


def decided(found: Estimate, p: float | None = None) -> str:
    """Whether an estimate lies above 0, below it, or neither is shown.

    It is decided where nothing bars it and p is below 5%: the one adjusted for its family, or else its own.
    """
    return decision(found.value, found.p if p is None else p, barred(found))


def decision(value: float, p: float, bar: str) -> str:
    """The rule of `decided`, of a value, its p, and what bars it."""
    if bar or not p < LEVEL or math.isnan(value) or value == 0:
        return UNDECIDED
    return ABOVE if value > 0 else BELOW


def decisions(table: pd.DataFrame) -> pd.Series:
    """`decided` for each row of a table of estimates; with the p of its family where the table has it."""
    ps = table[FAMILY] if FAMILY in table else table["p"]
    found = [decision(*row) for row in zip(table["value"], ps, table[BARRED], strict=True)]
    return pd.Series(found, index=table.index, dtype=object)


def together(decisions: Sequence[str]) -> str:
    """The decision on a claim that needs several tests at once: one below is enough against it, all must lie above."""
    if BELOW in decisions:
        return BELOW
    return ABOVE if set(decisions) == {ABOVE} else UNDECIDED


# -- families of tests ---------------------------------------------------------------------------------------------


def max_t(family: Sequence[Estimate]) -> tuple[list[float], float]:
    """Adjusted p-values of a family of tests, in the order given, and how many standard errors its smallest reach is.

    Formula: with t_(1) >= ... >= t_(m), p of the i-th is the share of samples in which max over j >= i of |t*_(j)| is
        at least t_(i), and no smaller than p of the one before (step-down max-T). The reach is the 95% quantile of
        the maximum over all tests. What has too few items or no interval is no test: its p is 1. What a few items
        carry is one, though it is not decided: left out, it would make false findings among the others likelier.
    Source:  Westfall and Young 1993, algorithm 4.1, with the studentised bootstrap in place of permutations.
    """
    adjusted = [1.0] * len(family)
    tested = [number for number, one in enumerate(family) if one.drawn is not None and barred(one) in ("", HEAVY)]
    order = sorted(tested, key=lambda number: family[number].t)  # the least telling first
    largest: Numbers = np.zeros(RESAMPLES)
    for number in order:
        drawn = family[number].drawn
        assert drawn is not None  # else it would not be tested
        largest = np.maximum(largest, drawn)
        adjusted[number] = (1 + int((largest >= family[number].t).sum())) / (RESAMPLES + 1)
    for before, number in zip(order[:0:-1], order[-2::-1], strict=True):
        adjusted[number] = max(adjusted[number], adjusted[before])
    reach = float(np.quantile(largest, 1 - LEVEL, method="higher")) if order else math.nan
    return adjusted, reach


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values of a family of tests, in the order given; beside `max_t` on the page about intervals.

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


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values that hold the share of false ones among what is found, not the chance of any."""
    return [float(p) for p in false_discovery_control(list(ps))] if len(ps) else []
