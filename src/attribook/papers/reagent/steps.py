"""Faithfulness and stability of ReAGent's scores by the number of steps and runs."""

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from attribook.grid.store import Row
from attribook.statistics.bootstrap import log_ratio, mean_interval

Grid = Mapping[tuple[str, int, int], str]  # (stopping test, runs, steps): name; see `step_grid`


def faithful_steps(rows: pd.DataFrame, grid: Grid, metric: str) -> pd.DataFrame:
    """The log-ratio to random by steps, and that to the same runs after the last step, paired over prompts."""
    last = max(steps for _, _, steps in grid)
    found = []
    for (test, runs, steps), name in grid.items():
        ours = log_ratio(rows, name, metric)
        gain = log_ratio(rows, grid[test, runs, last], metric, baseline=name)
        found.append(
            {
                "test": test, "runs": runs, "steps": steps, "value": ours.value, "low": ours.low, "high": ours.high,
                "n": ours.n, "failed": ours.failed, "detectable": ours.detectable,
                "gain": gain.value, "gain low": gain.low, "gain high": gain.high, "gain detectable": gain.detectable,
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def stable_steps(scores: Iterable[Row], grid: Grid) -> pd.DataFrame:
    """Rank correlations by steps: with the scores after the last step, and between seeds; mean over prompts.

    `never` is the share of runs that had not stopped by then. Prompts count alike; their seeds are averaged first.
    """
    rows = {(row["method"], row["item"], row["seed"]): row for row in scores}
    items = list(dict.fromkeys(item for _, item, _ in rows))
    seeds = sorted({seed for name, _, seed in rows if name in grid.values()})
    last = max(steps for _, _, steps in grid)
    found = []
    for (test, runs, steps), name in grid.items():
        end = grid[test, runs, last]
        to_end = [[spearman(rows[name, i, s], rows[end, i, s]) for s in seeds] for i in items]
        between = [[spearman(rows[name, i, s], rows[name, i, t]) for s, t in combinations(seeds, 2)] for i in items]
        mine = [rows[name, item, seed]["details"]["runs_stopped"] for item in items for seed in seeds]
        found.append({"test": test, "runs": runs, "steps": steps, "n": len(items),
                      **interval_columns("to the end", to_end), **interval_columns("between seeds", between),
                      "never": 1 - sum(mine) / (runs * len(mine)) if test == "on" else np.nan})  # fmt: skip
    return pd.DataFrame(found)


def interval_columns(name: str, values: list[list[float]]) -> dict[str, float]:
    """Mean over prompts `(n, seeds)` and its interval; dashes where there is only one seed."""
    if not values[0]:
        return {name: np.nan, f"{name} low": np.nan, f"{name} high": np.nan}
    value, low, high = mean_interval(np.array(values).mean(1))
    return {name: value, f"{name} low": low, f"{name} high": high}


def spearman(one: Row, other: Row) -> float:
    """Rank correlation of two score vectors over the tokens that either scores; equal scores share their rank."""
    pair = np.array([one["scores"], other["scores"]])
    ranks = pd.DataFrame(pair[:, (pair != 0).any(0)]).rank(axis=1).to_numpy()
    return float(np.corrcoef(ranks)[0, 1])


def steps_told(frame: pd.DataFrame, metric: str, test: str = "on") -> str:
    """From how many steps on the most runs cannot be told from the same runs after the last step, in one sentence."""
    most = frame.query("test == @test and runs == runs.max()").sort_values("steps")
    apart = most[(most["gain low"] > 0) | (most["gain high"] < 0)]
    last = int(most["steps"].max())
    after = most if apart.empty else most[most["steps"] > apart["steps"].max()]
    first = int(after["steps"].min()) if len(after) else last
    start, end = most.iloc[0], most.iloc[-1]
    tested = "as they stop" if test == "on" else "without the stopping test"
    one, runs = int(start["steps"]), int(end["runs"])
    return (
        f"{metric}, {runs} runs, {tested}: log-ratio {start['value']:+.2f} after step {one}, {end['value']:+.2f} after "
        f"step {last}. From step {first} on, none of the steps shown can be told from {last}; between steps {one} and "
        f"{last}, a true change of {start['gain detectable']:.2f} would be found."
    )
