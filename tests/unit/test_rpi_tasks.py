"""RPI's Tables 2 and 4 on its other data sets: computed where the texts are, then read from rows alone."""

import pandas as pd
import pytest
from attribook.papers.rpi.tasks import (
    chance_table,
    chance_told,
    compute_prompted_task,
    compute_task,
    read_tasks,
    task_accuracies,
    task_evidence,
    task_values,
)

from attribook.data.labelled import TASKS
from attribook.errors import AttribookError
from attribook.grid.scoring import Scoring
from attribook.models.templates import TEMPLATES
from attribook.papers.rpi.tables import DECODER_ROWS, ERASURE, released_setting
from attribook.statistics.accuracy import wilson

TASK = "RTN:tiny-bert:reviews-mini"
RPI = released_setting(layers=-1, steps=2)


def test_tasks_are_written_with_colons():
    first, second = read_tasks("SST2:a/b:sst2-held-out, EMR:c:emotion-held-out,", 2)
    assert (first.printed, first.model, first.dataset) == ("SST2", "a/b", "sst2-held-out")
    assert second.where == "c, emotion-held-out"
    assert [task.dataset for task in read_tasks("SST2,AGN,EMR", 2)] == [
        "sst2-held-out", "ag-news-held-out", "emotion-held-out",
    ]  # fmt: skip
    with pytest.raises(AttribookError, match="'SST2:sst2-held-out' is no task"):
        read_tasks("SST2:sst2-held-out", 2)


def test_leads_over_chance_are_told_by_data_set():
    (task,) = read_tasks(TASK, 2)
    frame = pd.DataFrame({"method": ["lucky", "alti", "lime", "decompx"], "ours": [1.0, 2.0, 3.0, 4.0],
                          "BERT, RTN": [float("nan"), 2.0, 3.0, 4.0], "lead": 0.5, "lead low": 0.1, "lead high": 0.9,
                          "detectable": 0.4, "n": 60})  # fmt: skip
    behind = frame.assign(**{"lead low": -0.9, "lead high": -0.1})
    open_ = frame.assign(**{"lead low": -0.9})
    tables = {(task, "comprehensiveness"): frame, (task, "log_odds"): behind, (task, "sufficiency"): open_}
    found = chance_table(tables, "lucky", "BERT")
    assert found[["metric", "low", "order", "methods"]].values.tolist()[0] == ["Comp ↑", 0.1, 1.0, 3]
    assert "random rankings by Comp ↑, behind by LO ↓, at the 5% level of each, n = 60." in chance_told(found, 24)
    assert chance_told(found.head(0), 24) == ""


def test_a_task_is_computed_once_and_read_without_its_texts(monkeypatch):
    (task,) = read_tasks(TASK, 2)
    assert task_evidence(task, "smoke") is None
    given = {"n_items": 3, "size": 4, "slow_steps": 2, "seed": 0}
    compute_task(task, "smoke", RPI, **given)
    monkeypatch.setattr(Scoring, "computed", lambda *_: pytest.fail("stored rows were computed again"))
    monkeypatch.setattr("attribook.grid.items.load_dataset", lambda _: pytest.fail("the texts were read"))
    held = task_evidence(task, "smoke")
    values = task_values(held, RPI, size=4)
    assert set(values["decompx"]) == set(ERASURE)
    assert {len(values[name]["log_odds"]) for name in ("decompx", "lime", "sequential_integrated_gradients")} == {3}
    one, best = (values[f"RPI, {name}"]["comprehensiveness"] for name in ("one map", "best of 4"))
    assert (best >= one).all()
    assert best.equals(held.picked.value(f"{RPI}, best of 4", "comprehensiveness"))
    (told,) = task_accuracies({task: held}).to_dict("records")
    assert told["n"] == told["texts"] == 40
    assert (told["low"], told["high"]) == wilson(round(40 * told["accuracy"]), 40)
    with pytest.raises(AttribookError, match="run its notebook again"):
        task_values(held, RPI, size=8)
    (other,) = read_tasks("RTN:tiny-bert:rotten-tomatoes-held-out", 2)
    assert task_evidence(other, "smoke") is None


def test_a_prompted_task_is_computed_once_and_read_without_its_texts(monkeypatch):
    (task,) = read_tasks("RTN:tiny-gemma3+sentiment:reviews-mini", 4)
    assert task_evidence(task, "smoke") is None
    rpi = released_setting(layers="-2", steps=2)
    given = {"size": 2, "blind_size": 4, "layer": "-2", "steps": 2, "slow_steps": 2, "samples": 2, "seed": 0}
    compute_prompted_task(task, "smoke", n_items=2, counted_items=5, **given)
    monkeypatch.setattr(Scoring, "computed", lambda *_: pytest.fail("stored rows were computed again"))
    monkeypatch.setattr("attribook.grid.items.load_dataset", lambda _: pytest.fail("the texts were read"))
    held = task_evidence(task, "smoke")
    assert (held.study, held.protocol) == ("rpi_table4", "rpi-prompted")
    values = task_values(held, rpi, size=2)
    assert set(values) > {*DECODER_ROWS, "occlusion", "RPI, best of 2", "random, best of 2"}
    assert {len(series) for by_metric in values.values() for series in by_metric.values()} == {2}
    (told,) = task_accuracies({task: held}).to_dict("records")
    assert (told["n"], told["texts"]) == (5, 40)


def test_each_table_has_models_of_its_own_kind():
    assert all("+" not in task.model for task in read_tasks("SST2,AGN,EMR", 2))
    for task in read_tasks("SST2,AGN,EMR", 4):
        template = TEMPLATES[task.model.partition("+")[2]]
        assert template.labels == TASKS[task.dataset.removesuffix("-held-out")].labels
        assert all(f"{word}\n\n" in template.before for word in template.words)  # an example of each class
