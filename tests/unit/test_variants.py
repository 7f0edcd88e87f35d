"""Variants of a method's scores, by hand; and studies of variants and of continuations."""

import pytest
import torch
from conftest import seeded

from attribook import controls
from attribook.errors import AttribookError
from attribook.grid.settings import CONTROLS, Setting
from attribook.grid.study import Study
from attribook.grid.variants import ranked, tempered, varied
from attribook.models.load import load_model

ALL = torch.ones(5, dtype=torch.bool)
SCORES = torch.tensor([0.5, -1.0, 2.0, 0.5, 0.0], dtype=torch.float64)


def study(**changes) -> Study:
    given = {
        "name": "variants", "profile": "smoke", "model": "tiny-gpt2", "dataset": "longra-mini", "protocol": "attribook",
        "methods": ("random", "occlusion", "occlusion:ranked", "occlusion:permuted", "random:tempered_2"),
        "metrics": ("soft_nc",), "n_items": 2, "keep": "all", "random_seeds": 3,
    }  # fmt: skip
    return Study(**{**given, **changes})


def test_ranks_by_hand():
    assert ranked(SCORES, ALL).tolist() == [3.5, 1.0, 5.0, 3.5, 2.0]
    without = torch.tensor([True, True, False, True, True])
    assert ranked(SCORES, without).tolist() == [3.5, 1.0, 0.0, 3.5, 2.0]
    assert ranked(-SCORES, ALL).tolist() == [2.5, 5.0, 1.0, 2.5, 4.0], "negative scores have ranks too"


def test_powers_by_hand():
    assert tempered(SCORES, ALL, 2).tolist() == pytest.approx([0.25 / 4.5, 0, 4 / 4.5, 0.25 / 4.5, 0])
    assert tempered(SCORES * 1e200, ALL, 4).isfinite().all()
    assert tempered(-SCORES.abs(), ALL, 2).tolist() == [0.0] * 5


def test_controls_are_variants_and_other_names_are_refused():
    found = varied(SCORES, "permuted", ALL, seeded())
    assert sorted(found.tolist()) == sorted(SCORES.tolist())
    assert varied(SCORES, "tempered_0.5", ALL, seeded()).sum() == pytest.approx(1)
    assert tuple(controls.CONTROLS) == CONTROLS
    assert Setting.parse("occlusion").variant == ""
    for name in ("occlusion:sharp", "occlusion:tempered_-1", "occlusion:tempered_x", "occlusion:tempered"):
        with pytest.raises(AttribookError, match="Unknown variant"):
            Setting.parse(name)
    with pytest.raises(AttribookError, match="Unknown variant"):
        study(methods=("occlusion:sharp",))


def test_variants_judge_what_is_stored_and_compute_no_method_again(monkeypatch):
    study().rows()
    from attribook.attribution.registry import METHODS

    monkeypatch.setattr(type(METHODS["random"]), "__call__", None)
    more = study(methods=("occlusion:reversed", "random:permuted")).rows()
    assert set(more["status"]) == {"ok"}
    rows = study().rows()
    seeds = rows.groupby("method")["seed"].nunique().to_dict()
    assert seeds == {
        "random": 3,
        "occlusion": 1,
        "occlusion:ranked": 1,
        "occlusion:permuted": 3,
        "random:tempered_2": 3,
    }
    by_seed = rows[rows["method"] == "occlusion:permuted"].groupby(["item", "seed"])["value"].mean()
    assert by_seed.nunique() == 6
    assert {row["method"] for row in study().scores()} == {"random", "occlusion"}


def test_a_continuation_is_explained_token_by_token(monkeypatch):
    model = load_model("tiny-gpt2")
    grid = study(methods=("occlusion",), continuation=4, stride=2)
    rows = {(row["item"], row.get("step", 0)): row for row in grid.scores()}
    frame = grid.rows()
    assert sorted(frame["step"].unique()) == [0, 2]
    for prompt in grid.items:
        ids = model.encode(prompt.text).ids.tolist()
        written = []
        for _ in range(4):
            with torch.no_grad():
                written.append(int(model.network(input_ids=torch.tensor([ids + written])).logits[0, -1].argmax()))
        assert grid.data.items.continuations[prompt.id] == written
        first = rows[prompt.id, 2]
        assert len(first["tokens"]) == len(ids) + 2
        whole = model.network(input_ids=torch.tensor([ids + written[:2]])).logits[0, -1].double().softmax(-1)
        assert first["probability"] == pytest.approx(float(whole[written[2]]), rel=1e-5)
    monkeypatch.setattr(type(model), "encode", None)  # nothing is asked of the model a second time
    again = study(methods=("occlusion",), continuation=4, stride=2)
    assert again.rows()["value"].tolist() == frame["value"].tolist()
    late = study(methods=("occlusion",), continuation=4, stride=2, start=2)
    assert late.rows()["value"].tolist() == frame[frame["step"] == 2]["value"].tolist()
    assert "no row" not in late.n_kept()


def test_items_whose_continuation_is_too_short_are_told():
    grid = study(methods=("occlusion",), continuation=4, start=3)
    grid.data.items.continuations = {key: [5, 6, 7] for key in grid.data.items.continuations}
    with pytest.raises(AttribookError, match=f"{len(grid.items)} of them have no row: .* 3 tokens or fewer"):
        grid.rows()


def test_only_models_that_write_are_continued():
    with pytest.raises(AttribookError, match="writes no text"):
        study(model="tiny-bert", continuation=2, methods=("occlusion",)).rows()
