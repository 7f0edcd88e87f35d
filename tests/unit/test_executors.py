"""Executors: a text that fails stops nothing, a method that fails on all does, and a cluster gives the same rows."""

import json
import os
import signal
import threading
from dataclasses import replace

import pandas as pd
import pytest

from attribook.errors import AttribookError, AttribookWarning
from attribook.grid.cluster import Cluster, computing, connected
from attribook.grid.executors import SCHEDULER, attempt
from attribook.grid.judged import JudgeStudy
from attribook.grid.pooling import Pooling
from attribook.grid.pools import PoolStudy
from attribook.grid.scoring import Scoring
from attribook.grid.study import Study
from attribook.statistics.items import item_values
from attribook.statistics.picking import best_of

GIVEN = {"profile": "smoke", "model": "tiny-gpt2", "n_items": 4, "keep": "all"}


def plain(**changes) -> Study:
    given = {
        "name": "reagent_longra", "dataset": "longra-mini", "protocol": "attribook", "random_seeds": 2,
        "methods": ("random", "occlusion", "occlusion:permuted"), "metrics": ("soft_nc",), **GIVEN,
    }  # fmt: skip
    return Study(**{**given, **changes})


def pools(**changes) -> PoolStudy:
    given = {
        "name": "rpi_pools", "dataset": "reviews-mini", "protocol": "rpi-paper", "size": 4,
        "methods": ("random", "occlusion"), "metrics": ("sufficiency",), **GIVEN, "model": "tiny-bert",
    }  # fmt: skip
    return PoolStudy(**{**given, **changes})


def failing(monkeypatch, places, part="scores"):
    """Let occlusion fail on the items at these places; gives how often each was tried."""
    tried, compute = [], Scoring.computed
    wanted = [plain().items[place].id for place in places]

    def refuse(self, unit, what):
        if unit.prompt.id in wanted and unit.name == "occlusion" and what == part:
            tried.append(unit.prompt.id)
            raise ValueError("no such luck")
        return compute(self, unit, what)

    monkeypatch.setattr(Scoring, "computed", refuse)
    return tried


# -- failures ----------------------------------------------------------------------------------------------------------


def test_what_works_at_the_second_try_is_no_failure():
    answers = iter([ValueError("once"), [{"value": 1}]])

    def compute():
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    assert attempt(compute) == [{"value": 1}]


def test_a_full_disk_is_no_fault_of_the_text():
    def compute():
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        attempt(compute)


def test_a_text_that_fails_is_tried_again_and_recorded_and_the_others_go_on(monkeypatch):
    tried = failing(monkeypatch, [1])
    with pytest.warns(AttribookWarning, match="3 of 20 units failed"):
        rows = plain().rows()
    assert len(tried) == 2
    failed = rows[rows["status"] == "failed"]
    assert set(failed["method"]) == {"occlusion", "occlusion:permuted"}
    assert failed["value"].isna().all()
    assert set(failed["item"]) == {plain().items[1].id}
    found = item_values(plain().frame(), ["method", "variant", "metric"])
    assert found["failed"].sum() == 2
    told = [json.loads(line) for line in (plain().folder / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"ValueError: no such luck"} == {line["error"] for line in told if line["part"] == "scores"}
    pd.testing.assert_frame_equal(plain().rows(), rows)
    assert len(tried) == 2, "a recorded failure is not tried again"


def test_who_deletes_the_file_of_failures_tries_again(monkeypatch):
    with monkeypatch.context() as patch:
        failing(patch, [0])
        with pytest.warns(AttribookWarning):
            plain().run()
    (plain().folder / "failures.jsonl").unlink()
    assert set(plain().rows()["status"]) == {"ok"}


def test_a_method_that_fails_on_all_texts_raises_its_own_error_and_nothing_is_recorded(monkeypatch):
    study = plain()
    tried = failing(monkeypatch, range(4))
    for _ in range(2):  # nor is it remembered by the study
        with pytest.raises(ValueError, match="no such luck"):
            study.run()
    assert len(tried) == 2 * 2 * 3, "it stops after three texts"
    assert not (study.folder / "failures.jsonl").exists()


def test_a_metric_that_fails_on_a_text_leaves_its_scores(monkeypatch):
    failing(monkeypatch, [2], part="soft_nc")
    with pytest.warns(AttribookWarning):
        rows = plain().rows()
    assert (rows["status"] == "failed").sum() == 1
    assert len(plain().scores()) == 4 * 3


def test_a_failed_pool_is_left_out(monkeypatch):
    first, compute = pools().items[0].id, Pooling.computed

    def refuse(self, unit, what):
        if unit.prompt.id == first and unit.name == "occlusion":
            raise ValueError("no such luck")
        return compute(self, unit, what)

    monkeypatch.setattr(Pooling, "computed", refuse)
    with pytest.warns(AttribookWarning):
        frame = pools().frame()
    assert best_of(frame, 4).groupby("method")["item"].nunique().to_dict() == {"occlusion": 3, "random": 4}
    assert pools().costs().set_index("pool")["n"].to_dict() == {"occlusion": 3, "random": 4}


# -- a cluster ---------------------------------------------------------------------------------------------------------

STUDIES = {
    "plain": plain(n_items=6),
    "continued": plain(name="reagent_tellmewhy", dataset="tellmewhy-mini", continuation=3, n_items=2),
    "pools": pools(),
    "judged": JudgeStudy("judged", dataset="knowns-mini", protocol="noiser-paper", source="noiser_knowns", draws=2,
                         judge="tiny-llama", methods=("random", "input_x_gradient"), **GIVEN | {"n_items": 2}),
}  # fmt: skip


@pytest.fixture(scope="module")
def workers():
    with computing(2, ""):
        yield os.environ[SCHEDULER]


@pytest.fixture
def cluster(workers, monkeypatch) -> Cluster:
    monkeypatch.setenv(SCHEDULER, workers)
    return connected(workers)


def fresh(study, monkeypatch, folder):
    """A study's rows, computed in a folder of their own; without seconds and in the order of units."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(folder))
    own = replace(study)
    return own.table(["seed"]).drop(columns="seconds")


@pytest.mark.parametrize("kind", ["plain", "continued", "pools", "judged"])
def test_a_cluster_gives_the_same_rows(kind, tmp_path, monkeypatch, workers):
    monkeypatch.delenv(SCHEDULER)
    alone = fresh(STUDIES[kind], monkeypatch, tmp_path / "alone")
    monkeypatch.setenv(SCHEDULER, workers)
    together = fresh(STUDIES[kind], monkeypatch, tmp_path / "together")
    pd.testing.assert_frame_equal(together, alone)


def test_killed_workers_change_nothing(tmp_path, monkeypatch, cluster):
    study = plain(n_items=12, methods=("occlusion", "lime"), metrics=("soft_nc", "soft_ns"))
    monkeypatch.delenv(SCHEDULER)
    alone = fresh(study, monkeypatch, tmp_path / "alone")
    monkeypatch.setenv(SCHEDULER, cluster.client.scheduler.address)
    ended = threading.Event()
    killed = []

    def kill():
        while not ended.wait(0.7) and len(killed) < 3:
            if busy := [address for address, tasks in cluster.client.processing().items() if tasks]:
                for pid in cluster.client.run(os.getpid, workers=busy[:1], on_error="ignore").values():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        together = fresh(study, monkeypatch, tmp_path / "together")
    finally:
        ended.set()
        thread.join()
    assert killed, "no worker was busy"
    pd.testing.assert_frame_equal(together, alone)


def test_no_scheduler_is_said_in_one_line():
    with pytest.raises(AttribookError, match="No Dask scheduler answers"):
        connected("tcp://127.0.0.1:9")
