"""Soft metrics under the distance of ReAGent's released code, a squared one, from those under the true distance."""

import numpy as np
import pandas as pd


def as_released(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows under the true Hellinger distance as the released code's squared one would have given them.

    For each draw, with D = sqrt 2 H^2: Soft-NC_D = Soft-NC_H^2 and, because a clipped 0 stays 0,
    Soft-NS_D = 1 - (1 - Soft-NS_H)^2. The same forwards thus serve both protocols exactly.
    """
    value = rows["value"]
    squared = np.where(rows["metric"] == "soft_nc", value**2, 1 - (1 - value) ** 2)
    known = rows["metric"].isin(["soft_nc", "soft_ns"])
    return rows.assign(value=np.where(known, squared, value))
