"""What one change does to a log-ratio: rows of each change under one name, and what an estimated move shows."""

from collections.abc import Mapping

import pandas as pd

from attribook.statistics.tests import ABOVE, BELOW, decisions

RAISES, LOWERS, NOTHING = "raises it", "lowers it", "changes nothing"


def under_change(frame: pd.DataFrame, change: str, method: str, baseline: str = "random") -> pd.DataFrame:
    """The rows of one setting as method `changed`, and those of what it is divided by as `random`; column `change`."""
    names = {method: "changed", baseline: "random"}
    return frame[frame["method"].isin(names)].assign(method=lambda rows: rows["method"].map(names), change=change)


def under_changes(frame: pd.DataFrame, settings: Mapping[str, str]) -> pd.DataFrame:
    """The same for several settings by the names of their changes, in one frame.

    How far each change moves the log-ratio to random, from that of the change `none`, is then
    `estimate(rows, "log_ratio", ["change", "method", "metric"], against=[{"method": "random"}, {"change": "none"}])`.
    """
    return pd.concat([under_change(frame, change, name) for change, name in settings.items()], ignore_index=True)


def effects(moved: pd.DataFrame) -> pd.Series:
    """For each estimated move whether the change raises the number, lowers it, changes nothing, or is undecided.

    A change that gives every item the same value as before has a move of exactly 0 and no error.
    """
    words = decisions(moved).replace({ABOVE: RAISES, BELOW: LOWERS})
    return words.mask((moved["value"] == 0) & (moved["detectable"] == 0), NOTHING)


def effects_alike(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Two tables of the same changes with their column `effect`, joined: `alike`, and `opposed` where they contradict.

    first, second: columns change, metric, effect.
    """
    both = first.merge(second, on=["change", "metric"], suffixes=("", " there"))
    decided = both[["effect", "effect there"]].isin([RAISES, LOWERS]).all(axis=1)
    alike = both["effect"] == both["effect there"]
    return both.assign(alike=alike, opposed=decided & ~alike)
