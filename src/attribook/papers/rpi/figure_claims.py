"""RPI's claims that no printed table decides, tested on stored predictions and pools of maps."""

import json
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from attribook.papers.claim_tests import ClaimAnswer, ClaimTests, source_of, study_folders
from attribook.papers.rpi.settings import ERASURE, released_setting
from attribook.paths import results_folder
from attribook.statistics.accuracy import clopper_pearson
from attribook.statistics.evidence import PROFILES
from attribook.statistics.picked_rows import read_picked
from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, together

PROMISED = 0.9  # of the texts, that RPI's prompted decoders are said to classify rightly
ENOUGH, BEYOND = 31, 61  # points on RPI's path: "about 30 steps" with both ends, and twice as many


def prompt_accuracy() -> ClaimAnswer | None:
    """Every prompted decoder is right on more than 90% of the texts, by Clopper and Pearson's intervals."""
    for profile in PROFILES:
        paths = sorted(results_folder().glob(f"{profile}/predictions/*+sentiment/rotten-tomatoes-held-out.jsonl"))
        decisions, accuracies = [], []
        for path in paths:
            right = [json.loads(line)["correct"] for line in path.read_text(encoding="utf-8").splitlines()]
            low, high = clopper_pearson(sum(right), len(right))
            decisions.append(ABOVE if low > PROMISED else BELOW if high < PROMISED else UNDECIDED)
            accuracies.append(f"{path.parent.name} {sum(right) / len(right):.0%} ({low:.0%} to {high:.0%})")
        if paths:
            models = ", ".join(path.parent.name for path in paths)
            source = {"profile": profile, "model": models, "data": paths[0].stem, "protocol": "",
                      "rows": str(paths[0].relative_to(results_folder()))}  # fmt: skip
            reason = f"right, of {len(right)} snippets, with a prompt of ours: {', '.join(accuracies)}"
            return ClaimAnswer(together(decisions), reason, "shared/classifiers", len(right), source)
    return None


def enough_steps() -> ClaimAnswer | None:
    """From 31 to 61 points on RPI's path every metric moves less than from one draw of noise to another."""
    for folder in study_folders("rpi_pools", "rpi-paper"):
        pools = read_picked(folder / "rows.csv").pools
        fewer, more = (
            {metric: found[0] for metric in ERASURE if (found := pools.get((released_setting(steps=steps), metric)))}
            for steps in (ENOUGH, BEYOND)
        )
        if not set(ERASURE) <= set(fewer) & set(more):
            continue
        tests, moves = ClaimTests(), []
        for metric, name in ERASURE.items():
            moved, drawn = (fewer[metric] - more[metric]).abs().mean(axis=1).dropna(), spread(more[metric])
            tests.add(f"{name} moves less than by another draw", drawn, moved)
            moves.append(f"{name} {moved.mean():.4f} of {drawn.mean():.4f}")
        about = f"mean move from {ENOUGH} to {BEYOND} points, of that from draw to draw: {', '.join(moves)}"
        return tests.answer(source_of(folder, "rows.csv"), "rpi/audit_steps", about)
    return None


def spread(pool: pd.DataFrame) -> pd.Series:
    """Mean absolute difference between the values of two maps of a pool, over all pairs, for every text."""
    values = pool.to_numpy(float)  # (n, R)
    one, other = np.triu_indices(values.shape[1], k=1)
    return pd.Series(np.abs(values[:, one] - values[:, other]).mean(axis=1), index=pool.index)


ANSWERS: Mapping[str, Callable[[], ClaimAnswer | None]] = {
    "rpi-prompt-accuracy": prompt_accuracy,
    "rpi-steps": enough_steps,
}
