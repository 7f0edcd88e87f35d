"""How often a classifier names the label that people gave."""

from collections.abc import Sequence
from math import sqrt

import pandas as pd

from attribook.grid.study import Study
from attribook.statistics.bootstrap import Z_95


def accuracy_table(profile: str, models: Sequence[str], datasets: Sequence[str]) -> pd.DataFrame:
    """Accuracy of every model on every data set, with Wilson's 95% interval and the share of each answer."""
    found = []
    for model in models:
        for dataset in datasets:
            predictions = Study("accuracy", profile, model, dataset, "attribook", ("random",)).predictions
            right, n = int(predictions["correct"].sum()), len(predictions)
            low, high = wilson(right, n)
            answers = predictions["predicted"].value_counts(normalize=True)
            said = ", ".join(f"{label} {share:.0%}" for label, share in sorted(answers.items()))
            found.append(
                {
                    "model": model, "data set": dataset, "n": n, "accuracy": right / n, "low": low, "high": high,
                    "answers": said,
                }
            )  # fmt: skip
    return pd.DataFrame(found)


def wilson(right: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's interval for a share: (p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)."""
    p, middle = right / n, z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return (p + middle - half) / (1 + 2 * middle), (p + middle + half) / (1 + 2 * middle)
