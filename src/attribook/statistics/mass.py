"""Where the attribution mass lies: antecedent, main part, distractor."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from attribook.grid.store import Row
from attribook.statistics.bootstrap import mean_interval

PARTS = ("antecedent", "main", "distractor")


def mass_shares(rows: Iterable[Row]) -> pd.DataFrame:
    """Share of the positive score mass on each part, a row for each stored score vector.

    Formula: share_s = sum_{i in s} max(a_i, 0) / sum_i max(a_i, 0); main is what is in no other span.
    Range:   0 to 1, the three add up to 1. NaN with the status `no positive score` where nothing is above 0.
    """
    found = []
    for row in rows:
        positive = np.clip(np.array(row["scores"]), 0, None)
        total = positive.sum()
        shares = {part: positive[row["spans"].get(part, [])].sum() / total if total > 0 else np.nan for part in PARTS}
        shares["main"] = 1 - shares["antecedent"] - shares["distractor"]
        status = "ok" if total > 0 else "no positive score"
        found.append({"item": row["item"], "method": row["method"], "seed": row["seed"], **shares, "status": status})
    return pd.DataFrame(found)


def length_shares(rows: Iterable[Row]) -> pd.DataFrame:
    """Share of the tokens that each part has, prompts down: what a flat attribution gives it."""
    even = ({**row, "scores": [1.0] * len(row["scores"]), "method": "flat"} for row in rows)
    return mass_shares(even).groupby("item")[list(PARTS)].mean()


def mean_shares(shares: pd.DataFrame, part: str, *, seed: int = 0) -> pd.DataFrame:
    """Mean share of one part by method, with a 95% bootstrap interval over prompts, n, and the failures left out."""
    good = shares[shares["status"] == "ok"]
    found = []
    for method, group in good.groupby("method", sort=False):
        values = group.groupby("item")[part].mean().to_numpy()
        value, low, high = mean_interval(values, seed=seed)
        failed = int((shares["method"] == method).sum() - len(group))
        found.append({"method": method, "share": value, "low": low, "high": high, "n": len(values), "failed": failed})
    return pd.DataFrame(found)


def against_flat(shares: pd.DataFrame, flat: pd.DataFrame, parts: Sequence[str], *, seed: int = 0) -> pd.DataFrame:
    """How far each method's share of a part lies above the flat one of the same prompts, in words, and their number.

    `above` or `below` where the 95% interval of the difference, over resampled prompts, leaves out 0.
    """
    good = shares[shares["status"] == "ok"]
    found = []
    for method, group in good.groupby("method", sort=False):
        apart = group.groupby("item")[list(parts)].mean() - flat[list(parts)]
        apart = apart.dropna()  # prompts that the method has no scores of
        row: Row = {"method": method}
        for part in parts:
            value, low, high = mean_interval(apart[part].to_numpy(), seed=seed)
            side = "above" if low > 0 else "below" if high < 0 else "undecided"
            row[part] = f"{side}: {value:+.3f} ({low:+.3f} to {high:+.3f})"
        found.append(row | {"n": len(apart)})
    return pd.DataFrame(found)


def mass_lead(shares: pd.DataFrame, leader: str, *, seed: int = 0) -> pd.DataFrame:
    """A method's share of antecedent and distractor minus each other's, over the prompts that both have."""
    good = shares[shares["status"] == "ok"].groupby(["method", "item"], sort=False)[list(PARTS)].mean()
    found = []
    for method in [name for name in shares["method"].unique() if name != leader]:
        both = good.loc[leader].join(good.loc[method], rsuffix=" other", how="inner").sort_index()
        row: dict[str, object] = {"method": method}
        for part in ("antecedent", "distractor"):
            value, low, high = mean_interval((both[part] - both[f"{part} other"]).to_numpy(), seed=seed)
            row |= {part: value, f"{part} low": low, f"{part} high": high}
        found.append(row | {"n": len(both)})
    return pd.DataFrame(found)
