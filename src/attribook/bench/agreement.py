"""Two programs compared: a row of `attribook bench`, their scores first, then their times, which are taken in turns."""

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
from torch import Tensor

TOLERANCE = 1e-5
TOLERANCE_REASON = "scores are made of float32 probabilities, whose last digits depend on a batch's shape"
MEASURED = (
    "max_difference", "largest_score", "correlation", "rank_correlation", "agree", "ours_seconds",
    "peer_seconds", "ratio", "limit_share", "tokens_computed",
)  # fmt: skip
Row = dict[str, Any]
Run = Callable[[], Tensor]  # gives scores
Timed = tuple[Tensor, float]  # scores and median seconds


def unmeasured(
    method: str, peer: str, options: Row, note: str, tokens_least: int, least_gflop: float | None = None
) -> Row:
    """A row in which nothing is measured yet; its status says why where it stays so."""
    return {
        "method": method, "peer": peer, "options": options, "status": "measured", **dict.fromkeys(MEASURED),
        "tolerance": TOLERANCE, "tokens_least": tokens_least, "least_gflop": least_gflop, "note": note,
    }  # fmt: skip


def agreement(own: Tensor, peer: Tensor) -> Row:
    """How far two score vectors `(T,)` are apart; a correlation is None where one side is constant."""
    both = pd.DataFrame({"own": own.tolist(), "peer": peer.tolist()})
    difference = float((both["own"] - both["peer"]).abs().max())
    correlations = {"correlation": both.corr(), "rank_correlation": both.corr("spearman")}
    found = {name: float(table.to_numpy()[0, 1]) for name, table in correlations.items()}
    return {
        "max_difference": difference, "largest_score": float(both["peer"].abs().max()),
        **{name: None if math.isnan(value) else value for name, value in found.items()},
        "agree": difference <= TOLERANCE,
    }  # fmt: skip


def ratio(own: float, peer: float) -> Row:
    """Both times, and the peer's over ours."""
    return {"ours_seconds": own, "peer_seconds": peer, "ratio": peer / own}


def wall_seconds(run: Run) -> float:
    """Seconds of one run; its result is on the CPU, so nothing is left running on a GPU."""
    start = time.perf_counter()
    run().cpu()
    return time.perf_counter() - start


def timed(runs: list[Run], repeats: int) -> list[Timed]:
    """Scores and median seconds of every run, after one warm-up; in turns, so that noise hits all alike."""
    results = [run() for run in runs]
    turns = [[wall_seconds(run) for run in runs] for _ in range(repeats)]
    return [(result, statistics.median(spent)) for result, spent in zip(results, zip(*turns, strict=True), strict=True)]
