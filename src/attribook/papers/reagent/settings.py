"""Settings of ReAGent that its audits compare."""

from collections.abc import Sequence
from typing import Any

from attribook.grid.settings import setting

METRICS = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}


def step_grid(steps: Sequence[int], runs: Sequence[int], **options: Any) -> dict[tuple[str, int, int], str]:
    """Names of settings by (stopping test, runs, steps): `on` for every number of runs, `off` for the largest."""
    found = {("on", r, s): setting("reagent", max_steps=s, runs=r, **options) for r in runs for s in steps}
    most = max(runs)
    off = {("off", most, s): setting("reagent", max_steps=s, runs=most, **{**options, "top_k": 0}) for s in steps}
    return found | off


def first_steps(most: int) -> list[int]:
    """1, 2, 5, 10, 20, 50, ... below `most`, and `most`."""
    marks = [digit * 10**power for power in range(len(str(most))) for digit in (1, 2, 5)]
    return [*(mark for mark in marks if mark < most), most]
