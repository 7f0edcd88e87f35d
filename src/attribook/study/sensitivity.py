"""What one change does to a published-style number: paired over prompts, in nats, with an interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from attribook.study.names import setting
from attribook.study.statistics import LogRatio, Reading, log_ratio, log_ratio_change

RAISES, LOWERS, UNDECIDED, NOTHING = "raises it", "lowers it", "undecided", "changes nothing"


def one_at_a_time(method: str, base: Mapping[str, Any], **values: Sequence[Any]) -> dict[str, str]:
    """Names of settings that differ from the base in one option, by what they change."""
    return {
        f"{option}={value}": setting(method, **{**base, option: value})
        for option, chosen in values.items()
        for value in chosen
    }


def change_table(readings: Mapping[str, Reading], base: Reading, metric: str) -> pd.DataFrame:
    """A row for the base and for each other reading: the log-ratio, and how far it lies from the base's."""
    own = log_ratio(base.rows, base.method, metric, baseline=base.baseline)
    found: list[dict[str, Any]] = [
        {"change": "none", "log-ratio": own.value, "n": own.n, "failed": own.failed, "verdict": "the base"}
    ]
    for name, reading in readings.items():
        ours = log_ratio(reading.rows, reading.method, metric, baseline=reading.baseline)
        moved = log_ratio_change(base, reading, metric)
        found.append(
            {
                "change": name, "log-ratio": ours.value, "moved": moved.value, "low": moved.low, "high": moved.high,
                "n": moved.n, "failed": ours.failed, "detectable": moved.detectable, "verdict": moved_verdict(moved),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def moved_verdict(moved: LogRatio) -> str:
    """In words, whether the interval of a change leaves out 0."""
    if moved.value == 0 and moved.standard_error == 0:
        return NOTHING
    return RAISES if moved.low > 0 else LOWERS if moved.high < 0 else UNDECIDED


def changes_told(frame: pd.DataFrame) -> str:
    """What the verdicts of a table of changes say, in one sentence."""
    changes = frame.dropna(subset=["moved"])
    parts = []
    for verdict in (RAISES, LOWERS, NOTHING, UNDECIDED):
        names = changes.loc[changes["verdict"] == verdict, "change"].tolist()
        parts += [f"{verdict}: {', '.join(names)}"] if names else []
    largest = changes.sort_values("moved", key=abs).iloc[-1]
    return (
        f"{len(changes)} changes; {'; '.join(parts)}. The largest move is {largest['moved']:+.2f} nats, by "
        f"{largest['change']} ({largest['verdict']})."
    )
