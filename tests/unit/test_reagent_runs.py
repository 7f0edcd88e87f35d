"""Settings read off one recording are what the method itself gives."""

import pytest
import torch

from attribook.attribution.registry import METHODS
from attribook.grid.settings import setting
from attribook.grid.study import Study
from attribook.models.load import load_model
from attribook.papers.reagent.runs import ReagentStudy

KINDS = {("on", 1): {"runs": 1}, ("on", 4): {"runs": 4}, ("off", 4): {"runs": 4, "top_k": 0}}
GRID = {
    (*kind, steps): setting("reagent", max_steps=steps, **{"top_k": 60, **options})
    for kind, options in KINDS.items()
    for steps in (1, 3, 7)
}
NAMES = (*GRID.values(), setting("reagent", max_steps=7, runs=4, top_k=60, average="stopped"),
         setting("reagent", max_steps=4, runs=2, top_k=30, ratio=0.5))  # fmt: skip


def studies(kind, name="runs", methods=NAMES, **changes):
    given = {"metrics": ("soft_nc",), "n_items": 2, "keep": "all", "random_seeds": 2, **changes}
    made = kind(name, "smoke", "tiny-llama", "knowns-mini", "attribook", methods, **given)
    made.data.worker.model = load_model("tiny-llama", dtype="float64")
    return made


def test_recorded_settings_equal_those_computed_one_by_one(tmp_path, monkeypatch):
    recorded = studies(ReagentStudy).scores()
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "other"))
    plain = studies(Study).scores()
    assert [row["key"] for row in recorded] == [row["key"] for row in plain]
    for one, other in zip(recorded, plain, strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-8), one["method"]
        assert one.get("converged") == other.get("converged")
        for detail in ("runs_stopped", "steps_total", "steps_mean", "steps_max", "replacer_forwards"):
            assert one["details"][detail] == other["details"][detail], (one["method"], detail)
    stopped = [row["details"]["runs_stopped"] for row in plain if row["method"] == GRID["on", 4, 7]]
    assert 0 < sum(stopped) < 4 * len(stopped), "else this test tests too little: choose another top_k"
    whole = {tuple(row["scores"]) for row in plain if row["method"] in (GRID["on", 4, 7], GRID["off", 4, 7])}
    assert len(whole) == 2 * 2 * 2, "the stopping test makes a difference"


def test_one_recording_serves_all_that_are_alike(monkeypatch):
    from attribook.grid import recorded

    calls = []
    original = recorded.record
    monkeypatch.setattr(recorded, "record", lambda *given: calls.append(given[2]) or original(*given))
    grid = studies(ReagentStudy)
    rows = grid.scores()
    assert sorted(map(len, calls)) == [1] * 4 + [len(GRID) + 1] * 4  # two prompts, two seeds
    assert sum(row["forwards"] > 0 for row in rows) == len(calls)


def test_a_part_that_is_missing_is_computed_again_to_the_same_scores():
    whole = studies(ReagentStudy).scores()
    fewer = studies(ReagentStudy, methods=NAMES[2:4])
    fewer.data.scores.path.unlink()
    assert [row["scores"] for row in studies(ReagentStudy, methods=NAMES[2:4]).scores()] == [
        pytest.approx(row["scores"], abs=1e-8) for row in whole if row["method"] in NAMES[2:4]
    ]


def test_without_a_test_every_run_has_all_steps_at_one_forward_each():
    model = load_model("tiny-gpt2")
    encoding = model.encode("In the capital of Japan, I was staying")
    found = METHODS["reagent"](
        model, encoding, generator=torch.Generator().manual_seed(1), top_k=0, runs=3, max_steps=6
    )
    assert found.details["steps_total"] == 18
    assert found.details["runs_stopped"] == 0
    assert found.converged is None
    assert found.cost.forwards == METHODS["reagent"].expected(encoding, found.options, found.details)[0]
