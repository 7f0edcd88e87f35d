"""What one change does to a published-style number: paired over prompts, in nats, with an interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from attribook.grid.settings import setting
from attribook.grid.study import Study
from attribook.statistics.bootstrap import Estimate, Reading, log_ratio, log_ratio_change

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


def sensitivity_tables(study: Study, seeded: Study, base: str, changes: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """For each metric of `study` the `change_table` of its named settings, and of other seeds of the base.

    `seeded` has the base and `random` under several seeds. Its first seed is the base, its random rows the baseline.
    """
    repeated = seeded.rows()
    baseline = repeated[repeated["method"] == "random"]
    again = repeated[repeated["method"] == base]
    others = range(study.seed + 1, study.seed + seeded.random_seeds)
    rows = pd.concat([study.rows(), baseline])
    readings = {name: Reading(rows, method) for name, method in changes.items()}
    readings |= {f"seed={n}": Reading(pd.concat([again[again["seed"] == n], baseline]), base) for n in others}
    return {metric: change_table(readings, Reading(rows, base), metric) for metric in study.metrics}


def verdicts_alike(first: pd.DataFrame, second: pd.DataFrame) -> str:
    """How many verdicts of two tables of the same changes are the same, and which changes contradict each other."""
    both = first.dropna(subset=["moved"]).merge(second.dropna(subset=["moved"]), on="change", suffixes=("", " there"))
    alike = both["verdict"] == both["verdict there"]
    opposed = both[both[["verdict", "verdict there"]].isin([RAISES, LOWERS]).all(axis=1) & ~alike]["change"].tolist()
    against = f"Opposed: {', '.join(opposed)}." if opposed else "None raises one model's number and lowers the other's."
    return f"{int(alike.sum())} of {len(both)} verdicts are those of the first model. {against}"


def moved_verdict(moved: Estimate) -> str:
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
