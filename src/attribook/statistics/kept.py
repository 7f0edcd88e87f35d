"""How many prompts of each data set a model gets right."""

from collections.abc import Sequence

import pandas as pd

from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError
from attribook.grid.store import Store
from attribook.grid.study import Study
from attribook.paths import results_folder, study_folder


def kept_table(model: str, places: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Counts for each (profile, data set): items, right as they stand, right without the distractor too.

    A data set that is not on this machine is counted from its stored predictions; `from` says which was done.
    """
    found = []
    for profile, dataset in places:
        where = "items and predictions"
        try:
            predictions = Study("kept", profile, model, dataset, "attribook", ("random",)).predictions
        except AttribookError:
            if DATASETS[dataset].own:
                raise
            predictions = stored_predictions(profile, model, dataset)
            where = "stored predictions" if len(predictions) else "not on this machine, nothing stored"
        line: dict[str, object] = {"data set": dataset, "items": DATASETS[dataset].rows, "from": where}
        if len(predictions):
            right = predictions[["correct", "correct_plain"]].astype(bool)
            line |= {str(name): right[name].sum() for name in right} | {"correct_both": right.all(axis=1).sum()}
        found.append(line)
    counts = ["correct", "correct_plain", "correct_both"]
    return pd.DataFrame(found, columns=["data set", "items", *counts, "from"]).astype(dict.fromkeys(counts, "Int64"))


def stored_predictions(profile: str, model: str, dataset: str) -> pd.DataFrame:
    """What is stored of a model's predictions, a row for every different text; empty where nothing is."""
    path = study_folder(profile, "predictions", model) / f"{dataset}.jsonl"
    return pd.DataFrame([row for group in Store(path).groups.values() for row in group])


def stored_count(model: str, dataset: str) -> int | None:
    """How many items a model gets right by its stored predictions of all of them; None where none are stored."""
    folders = [study_folder(folder.name, "predictions", model) for folder in sorted(results_folder().glob("*/"))]
    for path in (folder / f"{dataset}.jsonl" for folder in folders):
        rows = [row for group in Store(path).groups.values() for row in group]
        if len(rows) == DATASETS[dataset].rows:
            return sum(row["correct"] for row in rows)
    return None
