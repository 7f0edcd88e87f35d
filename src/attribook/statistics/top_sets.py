"""Top sets: the highest-scored tokens of a prompt, and how far two of them overlap."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from attribook.errors import AttribookError


def top_size(n: int, share: float) -> int:
    """How many of n tokens a top set has: ceil(share n). Raises: AttribookError for a bad share."""
    if not 0 < share <= 1:
        raise AttribookError(f"A top share lies above 0 and is at most 1, not {share}.")
    return math.ceil(share * n - 1e-9)  # 0.28 * 25 is above 7


def top_set(scores: Sequence[float], places: Sequence[int], share: float) -> frozenset[int]:
    """The highest-scored of n places, `top_size` of them; of equal ones the first. Raises: AttribookError for NaN."""
    size = top_size(len(places), share)
    values = np.array(scores)[list(places)]
    if not np.isfinite(values).all():
        raise AttribookError("A score is NaN or infinite, so the tokens have no order.")
    return frozenset(places[i] for i in np.argsort(-values, kind="stable")[:size].tolist())


def top_sets(rows: Iterable[Mapping[str, Any]], share: float) -> pd.DataFrame:
    """The top set of each stored score vector: columns item, method, seed, top, and spans.

    It is taken from the tokens of a prompt that at least one method scores: special tokens have 0 in all.
    Raises: AttribookError where a prompt is explained at several steps of its continuation.
    """
    frame = pd.DataFrame(list(map(dict, rows)))
    if "step" in frame and (steps := frame.groupby("item")["step"].nunique(dropna=False)).gt(1).any():
        raise AttribookError(f"{steps.idxmax()} is explained at several steps of its continuation: choose one of them.")
    scored = {
        item: np.any(group.tolist(), axis=0).nonzero()[0].tolist() for item, group in frame.groupby("item")["scores"]
    }
    tops = [top_set(scores, scored[item], share) for item, scores in zip(frame["item"], frame["scores"], strict=True)]
    return frame[["item", "method", "seed", "spans"]].assign(top=pd.Series(tops, index=frame.index, dtype=object))


def jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    """|a and b| / |a or b|, from 0 (disjoint) to 1 (equal)."""
    return len(a & b) / len(a | b)
