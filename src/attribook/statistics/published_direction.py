"""Whether an estimate lies on the published side of 0."""

import numpy as np
import pandas as pd

from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, decisions

SAME, OPPOSITE, NOT_PUBLISHED = "as published", "opposite", "not published"


def published_direction(table: pd.DataFrame) -> pd.Series:
    """For each estimate whether it lies on the same side of 0 as its `published` value, on the other side, or neither.

    The value itself is not judged: other models and other items stand behind it. See `decided` for what decides.
    """
    ours = decisions(table).map({ABOVE: 1, BELOW: -1, UNDECIDED: 0}).astype(int)
    words = (ours * np.sign(table["published"].fillna(0))).map({1: SAME, -1: OPPOSITE, 0: UNDECIDED})
    return words.mask(table["published"].isna(), NOT_PUBLISHED)
