"""What one change does to a log-ratio: rows of each change under one name, and what an estimated move shows."""

import pandas as pd

from attribook.statistics.tests import ABOVE, BELOW, decisions

RAISES, LOWERS, NOTHING = "raises it", "lowers it", "changes nothing"


def under_change(frame: pd.DataFrame, change: str, method: str, baseline: str = "random") -> pd.DataFrame:
    """The rows of one setting as method `changed`, and those of what it is divided by as `random`; column `change`.

    Such frames, of several changes and of `none`, make one frame. How far each change moves the log-ratio to random is
    `estimate(rows, "log_ratio", ["change", "method", "metric"], against=[{"method": "random"}, {"change": "none"}])`.
    """
    names = {method: "changed", baseline: "random"}
    return frame[frame["method"].isin(names)].assign(method=lambda rows: rows["method"].map(names), change=change)


def effects(moved: pd.DataFrame) -> pd.Series:
    """For each estimated move whether the change raises the number, lowers it, changes nothing, or is undecided.

    A change that gives every item the same value as before has a move of exactly 0 and no error.
    """
    words = decisions(moved).replace({ABOVE: RAISES, BELOW: LOWERS})
    return words.mask((moved["value"] == 0) & (moved["detectable"] == 0), NOTHING)
