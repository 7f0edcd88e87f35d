"""Where ReAGent's released code departs from its paper, each as one change of the paper's reading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from attribook.statistics.sensitivity import under_change
from attribook.statistics.squared_distance import as_released

FLAT, RANDOM = "random", "random{form=uniform}"  # softmaxed random scores, as released, and uniform ones


@dataclass(frozen=True)
class Departure:
    """Options of reagent that change, and how its rows are read: distance, failures, baseline."""

    about: str
    options: Mapping[str, Any] = field(default_factory=dict)
    squared: bool = False  # the distance that the released code calls Hellinger
    perfect: bool = False  # prompts of which no run stopped count as Soft-NC 1 and Soft-NS 0
    baseline: str = FLAT


# Over the defaults of reagent, which has what the paper leaves open; RoBERTa is not in every profile.
PAPER: Mapping[str, Any] = {"initial": "scores", "replacer": "left_to_right"}
RELEASED: Mapping[str, Any] = {
    "replacer": "part_of_speech", "keep_tokens": 8, "ratio": 0.1, "initial": "logits", "average": "stopped",
}  # fmt: skip

DEPARTURES: dict[str, Departure] = {
    "squared distance": Departure("sqrt 2 times the squared Hellinger distance (as released)", squared=True),
    "part of speech": Departure("tokens of the same part of speech (as released)", {"replacer": "part_of_speech"}),
    "any token": Departure("any token of the vocabulary", {"replacer": "uniform"}),
    "8 tokens kept": Departure("8 tokens are kept in the stopping test, not 30% (as released)", {"keep_tokens": 8}),
    "ratio 0.1": Departure(
        "a tenth of the tokens is replaced in a step (as released; the text gives no ratio, 0.3 is ours)",
        {"ratio": 0.1},
    ),
    "random logits": Departure("logits are random at first, not scores (as released)", {"initial": "logits"}),
    "stopped runs": Departure("the mean of the runs that stopped, of all if none did", {"average": "stopped"}),
    "NaN is perfect": Departure(
        "the same, but a prompt of which no run stopped counts as Soft-NC 1 and Soft-NS 0 (as released)",
        {"average": "stopped"},
        perfect=True,
    ),
    "uniform baseline": Departure("divided by uniform random scores, not softmaxed ones", baseline=RANDOM),
    "specials replaced": Departure("special tokens are replaced and scored too (as released)", {"specials": "perturb"}),
    "all as released": Departure("everything marked as released at once", RELEASED, squared=True, perfect=True),
}


def by_departure(names: Mapping[str, str], frame: pd.DataFrame, scores: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A tidy frame as each departure reads it; see `under_change`. `names`: the setting of each by its name.

    Where NaN is perfect, a score vector of which no run stopped has the values that NaN had: Soft-NC 1, Soft-NS 0.
    """
    places = pd.MultiIndex.from_frame(frame[["method", "item", "seed"]])
    failed = [(row["method"], row["item"], row["seed"]) for row in scores if not row["details"].get("runs_stopped", 1)]
    perfect = np.where(frame["metric"] == "soft_nc", 1.0, 0.0)
    found = []
    for change, name in names.items():
        how = DEPARTURES.get(change, Departure("the paper"))
        read = frame
        if how.perfect:
            read = frame.assign(value=frame["value"].mask(places.isin(failed) & (frame["method"] == name), perfect))
        found.append(under_change(as_released(read) if how.squared else read, change, name, how.baseline))
    return pd.concat(found, ignore_index=True)
