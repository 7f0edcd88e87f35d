"""The table of a soft-metric study: published value, ours, interval, verdict, cost, a row for each method."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from attribook.ledger.verdicts import direction_verdict
from attribook.papers.cells import published
from attribook.statistics.bootstrap import Estimate, combined, log_ratio, per_item


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


def mean_over_tasks(rows: Mapping[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """ReAGent's Table 3 for one model: each method's log-ratio, averaged over tasks, beside what was printed by model.

    Formula: mean over tasks of log(mean_x M(x; a) / mean_x M(x; rho)); prompts are resampled within each task.
    Only methods that have rows in every task are listed, best first; one whose mean is 0 in a task has no value.
    """
    cells = published("reagent").query("table == 3 and metric == @metric")
    printed = cells.pivot(index="method", columns="column", values="value")[list(dict.fromkeys(cells["column"]))]
    named = [list(frame["method"].unique()) for frame in rows.values()]
    methods = [name for name in named[0] if name != "random" and all(name in each for each in named)]
    found = {name: task_mean(rows, metric, name) for name in methods}
    ours = pd.DataFrame(
        {name: {"ours": one.value, "low": one.low, "high": one.high, "n": one.n, "failed": one.failed}
         for name, one in found.items()}
    ).T  # fmt: skip
    table = printed.join(ours, how="right").rename_axis("method").astype({"n": int, "failed": int})
    return table.assign(published=float("nan")).sort_values("ours", ascending=False).reset_index()


def task_mean(rows: Mapping[str, pd.DataFrame], metric: str, method: str) -> Estimate:
    """A method's log-ratio to random, averaged over tasks; NaN where a task's mean is 0, which has no logarithm."""
    parts = [(per_item(frame, method, metric), per_item(frame, "random", metric)) for frame in rows.values()]
    failed = sum(mine[1] + random[1] for mine, random in parts)
    n, least = sum(len(mine[0]) for mine, _ in parts), min(values.mean() for pair in parts for values, _ in pair)
    if not least > 0:
        nan = float("nan")
        return Estimate(nan, nan, nan, n, failed, nan)
    return combined([[(mine[0], 1), (random[0], -1)] for mine, random in parts], log=True, failed=failed)


def order_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How alike columns order the methods, by Spearman's correlation; `tables` holds `mean_over_tasks` of our models.

    Compared are the printed columns with each other, ours with each printed one, and ours with each other, all over
    the methods that every column has.
    """
    first = next(iter(tables.values())).set_index("method")
    printed = first.drop(columns=["ours", "low", "high", "n", "failed", "published"])
    ours = pd.DataFrame({name: table.set_index("method")["ours"] for name, table in tables.items()})
    complete = printed.join(ours, how="inner").dropna()
    ranks, many = complete.rank().corr().to_numpy(), printed.shape[1]
    pairs = {
        "two printed models": ranks[:many, :many][np.triu_indices(many, 1)],
        **{f"{name} and a printed model": ranks[many + i, :many] for i, name in enumerate(ours)},
        "two models of ours": ranks[many:, many:][np.triu_indices(len(tables), 1)],
    }
    return pd.DataFrame(
        {"columns": name, "methods": len(complete), "pairs": len(values), "mean": values.mean(), "least": values.min(),
         "most": values.max()}
        for name, values in pairs.items() if len(values)
    )  # fmt: skip
