"""RPI's Tables 2 and 4 on its other data sets: SST-2, AG News and Emotion.

Their texts, and the encoders that are tuned on them, are not part of this project, so rows are computed where both are
and read everywhere: a table here is made of stored rows alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError
from attribook.grid.kept import stored_predictions
from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.papers.rpi.prompted_rows import prompted_rows
from attribook.papers.rpi.tables import ERASURE, Values, arrow, encoder_methods, order_agreement, renamed
from attribook.paths import study_folder
from attribook.statistics.accuracy import wilson
from attribook.statistics.evidence import Evidence, read_evidence
from attribook.statistics.picked_rows import read_picked

POOLS = "rpi_pools"
PROTOCOLS = {2: "rpi-paper", 4: "rpi-prompted"}  # by table: encoders with a head, and prompted causal models


@dataclass(frozen=True)
class Task:
    """One of a table's data sets: its printed name, and what stands for it here."""

    table: int
    printed: str
    model: str
    dataset: str

    @property
    def study(self) -> str:
        """Name of the study that has its single maps."""
        return f"rpi_table{self.table}"

    @property
    def protocol(self) -> str:
        """Name of the protocol that its rows are made under."""
        return PROTOCOLS[self.table]

    @property
    def where(self) -> str:
        """For captions."""
        return f"{self.model}, {self.dataset}"


KNOWN = [
    Task(2, "SST2", "minilm-sst2", "sst2-held-out"),
    Task(2, "AGN", "minilm-ag-news", "ag-news-held-out"),
    Task(2, "EMR", "minilm-emotion", "emotion-held-out"),
    Task(4, "SST2", "gemma-3-270m+sentiment", "sst2-held-out"),
    Task(4, "AGN", "gemma-3-270m+topic", "ag-news-held-out"),
    Task(4, "EMR", "gemma-3-270m+emotion", "emotion-held-out"),
]


def read_tasks(text: str, table: int) -> list[Task]:
    """A table's tasks from printed names, or `printed:model:dataset`, with commas between.

    Raises: AttribookError for others.
    """
    known = {task.printed: task for task in KNOWN if task.table == table}
    found = []
    for part in text.replace(",", " ").split():
        names = part.split(":")
        if len(names) != 3 and part not in known:
            raise AttribookError(
                f"{part!r} is no task. Choose of {', '.join(known)}, or write a printed name, a model and a data set, "
                "as in SST2:minilm-sst2:sst2-held-out."
            )
        found.append(known[part] if part in known else Task(table, *names))
    return found


def compute_task(task: Task, profile: str, rpi: str, *, n_items: int, size: int, slow_steps: int, seed: int) -> None:
    """Compute and store what is missing of a task of Table 2: predictions of all texts, single maps, pools of RPI and
    random.

    `rpi` is RPI's setting, `slow_steps` the points on a path of SIG. Raises: AttribookError where its texts or its
    model are not here.
    """
    where = (profile, task.model, task.dataset, task.protocol)
    given: dict[str, Any] = {"metrics": tuple(ERASURE), "n_items": n_items, "keep": "all", "seed": seed}
    study = Study(task.study, *where, encoder_methods(slow_steps), random_seeds=1, **given)
    study.run()
    for method in (rpi, "random"):
        PoolStudy(POOLS, *where, (method,), size=size, **given).run()
    len(study.predictions)  # stored when first asked for


def compute_prompted_task(task: Task, profile: str, *, n_items: int, counted_items: int, **given: Any) -> None:
    """The same for a task of Table 4, with the options of `prompted_rows`; predictions of `counted_items` texts."""
    found = prompted_rows(profile, task.model, task.dataset, n_items=n_items, slow_items=n_items, **given)
    counted = replace(found.study, n_items=counted_items)
    counted.predicted(counted.items)


def task_evidence(task: Task, profile: str) -> Evidence | None:
    """Stored rows of a task; None where there are none, or rows on other texts."""
    rows, pools = (study_folder(profile, name, task.model) / task.protocol for name in (task.study, POOLS))
    if not (rows / "manifest.json").is_file() or not (pools / "rows.csv").is_file():
        return None
    held = read_evidence(rows / "manifest.json")
    return replace(held, picked=read_picked(pools / "rows.csv")) if held.dataset == task.dataset else None


def task_values(held: Evidence, rpi: str, *, size: int) -> Values:
    """Values of every text by method and metric: single maps, then one map and the best of RPI and of random."""
    single: dict[str, dict[str, pd.Series]] = {}
    for (method, metric), values in held.values.items():
        single.setdefault(method, {})[metric] = values
    pools = {"RPI": rpi, "random": "random"}
    picked = {
        f"{name}, {title}": {metric: stored_values(held, f"{setting}, best of {many}", metric) for metric in ERASURE}
        for name, setting in pools.items()
        for title, many in (("one map", 1), (f"best of {size}", size))
    }
    return renamed(single) | picked


def chance_table(tables: Mapping[tuple[Task, str], pd.DataFrame], lucky: str, column: str) -> pd.DataFrame:
    """How far RPI's best leads the best of as many random rankings, and how alike our order is to the printed one.

    From the tables of `erasure_table` by task and metric, whose leads are over `lucky` in its row; `column` is the
    model whose printed values they have.
    """
    found = []
    for (task, metric), frame in tables.items():
        rank, many = order_agreement(frame, f"{column}, {task.printed}")
        chance = frame.set_index("method").loc[lucky]
        found.append({"data set": task.printed, "metric": arrow(metric), "lead": chance["lead"],
                      "low": chance["lead low"], "high": chance["lead high"], "detectable": chance["detectable"],
                      "n": chance["n"], "order": rank, "methods": many})  # fmt: skip
    return pd.DataFrame(found).astype({"n": int} if found else {})


def chance_told(found: pd.DataFrame, size: int) -> str:
    """In a sentence for each data set: by which metrics RPI's best is told from the best of random rankings."""
    lines = []
    for name, rows in found.groupby("data set", sort=False) if len(found) else ():
        ahead, behind = (", ".join(rows.loc[side, "metric"]) or "none" for side in (rows["low"] > 0, rows["high"] < 0))
        lines.append(f"- **{name}**: the best of {size} maps of RPI is ahead of the best of {size} random rankings by "
                     f"{ahead}, behind by {behind}, at the 5% level of each, n = {rows['n'].min()}.")  # fmt: skip
    return "\n".join(lines)


def stored_values(held: Evidence, name: str, metric: str) -> pd.Series:
    """Values under a name. Raises: AttribookError where they are not stored."""
    if (found := held.item_values(name, metric)) is None:
        raise AttribookError(f"No stored rows of {name} under {metric} in {held.places}: run its notebook again.")
    return found


def task_accuracies(tasks: Mapping[Task, Evidence]) -> pd.DataFrame:
    """How often each model is right, by its stored predictions: one for every different text, `n` of `texts`."""
    found = []
    for task, held in tasks.items():
        rows = stored_predictions(held.profile, task.model, task.dataset)
        if rows.empty:
            raise AttribookError(
                f"No predictions of {task.model} on {task.dataset} are stored: run rpi/table_{task.table}_tasks."
            )
        right = int(rows["correct"].sum())
        low, high = wilson(right, len(rows))
        found.append({"data set": task.dataset, "printed as": task.printed, "model": task.model,
                      "texts": DATASETS[task.dataset].rows, "n": len(rows), "accuracy": right / len(rows), "low": low,
                      "high": high})  # fmt: skip
    return pd.DataFrame(found)
