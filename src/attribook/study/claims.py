"""Verdicts on published values, computed from our interval. The words are written once, here."""

import math
from collections import Counter
from collections.abc import Iterable

from attribook.study.statistics import LogRatio

SAME, OPPOSITE, UNDECIDED = "direction only", "contradicted", "undecided"

EXPLANATION = {
    SAME: "our interval lies on the same side of random as the published value",
    OPPOSITE: "our interval lies on the other side of random",
    UNDECIDED: "our interval contains 0: these items cannot tell the method from random",
}


def verdict_counts(verdicts: Iterable[str]) -> str:
    """How often each verdict was given, as words."""
    counts = Counter(verdicts)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in EXPLANATION if counts[verdict])


def direction_verdict(published: float, ours: LogRatio) -> str:
    """Whether our data place a method on the published side of random.

    The value itself is not judged: other model, other items. A side counts only if the 95% interval excludes 0.
    """
    if math.isnan(ours.low) or math.isnan(ours.high) or ours.low <= 0 <= ours.high:
        return UNDECIDED
    return SAME if (ours.low > 0) == (published > 0) else OPPOSITE
