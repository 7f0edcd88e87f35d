"""How often a classifier names the label that people gave, with Wilson's interval."""

from collections.abc import Sequence

import pandas as pd
from scipy.stats import binomtest


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval for the share of `right` in n."""
    found = binomtest(right, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def accuracies(predictions: pd.DataFrame, by: str | Sequence[str]) -> pd.DataFrame:
    """The share of right predictions in each group, with Wilson's 95% interval: columns `by`, value, low, high, n.

    predictions: a row for each item, with a column `correct`.
    """
    keys = [by] if isinstance(by, str) else list(by)
    table = predictions.groupby(keys, sort=False)["correct"].agg(["sum", "count"]).reset_index()
    ends = [wilson(int(right), int(n)) for right, n in zip(table["sum"], table["count"], strict=True)]
    found = pd.DataFrame(ends, columns=["low", "high"])
    found.insert(0, "value", table["sum"] / table["count"])
    return table[keys].join(found.assign(n=table["count"]))
