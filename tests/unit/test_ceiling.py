"""Ceilings: the best set against all sets, the metric itself, and what is stored."""

from itertools import combinations

import pytest
import torch
from conftest import ROOT, seeded

from attribook.errors import AttribookError
from attribook.grid.pools import PoolStudy
from attribook.metrics.ceiling import ceiling
from attribook.metrics.conventions import CONVENTIONS
from attribook.metrics.registry import METRICS
from attribook.metrics.searches import best_set
from attribook.models.load import load_model
from attribook.papers.rpi import live


@pytest.mark.parametrize("sign", [1, -1])
def test_a_wide_beam_finds_what_all_sets_have(sign):
    drawn = torch.randn(99, generator=seeded())
    sets = [chosen for k in range(4) for chosen in combinations(range(7), k)]
    known = {chosen: float(drawn[number]) for number, chosen in enumerate(sets)}

    def values(sets):
        return [known[each] for each in sets]

    exact, asked = best_set(values, 7, 3, sign, None)
    assert asked == 35
    assert exact == sign * max(sign * known[s] for s in combinations(range(7), 3))
    assert best_set(values, 7, 3, sign, 99)[0] == exact
    assert sign * best_set(values, 7, 3, sign, 1)[0] <= sign * exact


@pytest.mark.parametrize("metric", ["comprehensiveness", "sufficiency", "log_odds"])
def test_the_ceiling_is_the_best_ranking(metric):
    model = load_model("tiny-bert")
    encoding = model.encode("the old house")
    given = CONVENTIONS["paper"][metric] | {"operator": "delete"}
    found = ceiling(model, encoding, metric, given, 5)
    places = encoding.attributable.nonzero()[:, 0].tolist()
    values = []
    for chosen in combinations(places, found.k):
        scores = torch.zeros(len(encoding), dtype=torch.float64)
        scores[list(chosen)] = 1
        values.append(METRICS[metric](model, encoding, scores, generator=seeded(), **given).value)
    assert found.exact
    assert (found.tokens, found.sets) == (len(places), len(values))
    assert found.value == pytest.approx((max if metric == "comprehensiveness" else min)(values), rel=1e-4)


def test_other_metrics_have_no_ceiling():
    with pytest.raises(AttribookError, match="naopc has no ceiling"):
        ceiling(load_model("tiny-bert"), load_model("tiny-bert").encode("a"), "naopc", {}, 5)


def study(**changes) -> PoolStudy:
    given = {
        "name": "rpi_ceilings", "profile": "smoke", "model": "tiny-bert", "dataset": "reviews-mini",
        "protocol": "rpi-paper", "methods": ("random",), "metrics": ("sufficiency", "aopc_sufficiency", "log_odds"),
        "n_items": 2, "keep": "all", "size": 4,
    }  # fmt: skip
    return PoolStudy(**{**given, **changes})


def test_ceilings_are_computed_once(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    first = live.ceiling_rows(study(), width=1)
    assert first[["item", "metric"]].to_numpy().tolist() == [
        [prompt.id, metric] for prompt in study().items for metric in ("sufficiency", "log_odds")
    ]
    monkeypatch.setattr(live, "ceiling", None)
    assert live.ceiling_rows(study(), width=1).equals(first)


def test_stored_ceilings_are_found(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    monkeypatch.setattr(live, "ceiling", None)
    where = {"profile": "laptop", "model": "minilm-rotten-tomatoes", "dataset": "rotten-tomatoes-held-out"}
    found = live.ceiling_rows(study(**where, metrics=tuple(CONVENTIONS["paper"]), n_items=60))
    assert found.groupby("metric", sort=False).size().to_dict() == dict.fromkeys(
        ("sufficiency", "comprehensiveness", "log_odds"), 60
    )
