"""The table of a soft-metric study: published value, ours, interval, verdict, cost, a row for each method."""

import pandas as pd

from attribook.published import published
from attribook.study.claims import direction_verdict
from attribook.study.statistics import log_ratio


def faithfulness_table(rows: pd.DataFrame, metric: str, *, paper: str, table: int, column: str) -> pd.DataFrame:
    """Log-ratios of all methods but the baseline, best first, beside what the paper printed for that column."""
    printed = published(paper).query("table == @table and column == @column and metric == @metric")
    printed_values = dict(zip(printed["method"], printed["value"], strict=True))
    found = []
    for method in rows["method"].unique():
        if method == "random":
            continue
        ours = log_ratio(rows, method, metric)
        value = printed_values.get(method, float("nan"))
        found.append(
            {
                "method": method,
                "published": value,
                "ours": ours.value,
                "low": ours.low,
                "high": ours.high,
                "difference": ours.value - value,
                "verdict": direction_verdict(value, ours) if pd.notna(value) else "not published",
                "n": ours.n,
                "failed": ours.failed,
                "detectable": ours.detectable,
            }
        )
    return pd.DataFrame(found).sort_values("ours", ascending=False, ignore_index=True)
