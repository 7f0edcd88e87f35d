"""Claims without a printed table, answered by planted scores, answers and predictions."""

import json

import numpy as np
import pytest

from attribook.ledger.claim_rows import claim_rows
from attribook.ledger.figure_claims import answered_claim
from attribook.ledger.hypothesis_tests import HypothesisTests
from attribook.ledger.words import NO_ROWS, OPPOSITE, SAME, UNDECIDED
from attribook.papers.noiser.figure_claims import best_printed
from attribook.papers.registry import figure_answers, paper_names

TOKENS = 10
SPANS = {"antecedent": [0], "distractor": [5, 6, 7, 8]}
PLAIN = {"antecedent": 0.1, "distractor": 0.4}  # as an even spread has it


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    return tmp_path


def folder(results, study, protocol="attribook", model="m"):
    made = results / "laptop" / study / model / protocol
    made.mkdir(parents=True)
    told = {"name": study, "profile": "laptop", "model": model, "dataset": "d", "protocol": protocol,
            "methods": ["x"]}  # fmt: skip
    (made / "manifest.json").write_text(
        json.dumps({"weights": "w", "files": {}, "runs": [{"study": told}]}), encoding="utf-8"
    )
    return made


def plant_scores(results, masses, *, items=60, backwards=0, noise=0.01, model="m"):
    """Scores whose mass on the parts is that of `masses`, a little noise aside."""
    chance = np.random.default_rng(0)
    lines = []
    for method, mass in masses.items():
        for item in range(items):
            scores = np.full(TOKENS, (1 - mass["antecedent"] - mass["distractor"]) / 5)
            scores[0], scores[5:9] = mass["antecedent"], mass["distractor"] / 4
            scores = np.abs(scores + noise * chance.standard_normal(TOKENS))
            lines.append(json.dumps({"item": f"i{item}", "method": method, "seed": 0, "tokens": ["t"] * TOKENS,
                                     "spans": SPANS, "scores": scores.tolist(), "forwards": 7,
                                     "backwards": backwards}))  # fmt: skip
    (folder(results, "reagent_longra", model=model) / "scores.jsonl").write_text("\n".join(lines), encoding="utf-8")


def plant_minimum(results, shares, *, items=60):
    chance = np.random.default_rng(0)
    lines = ["item,method,seed,selection,value,status"]
    lines += [f"i{i},{name},0,minimum,{share + 0.01 * chance.uniform(-1, 1)},ok" for name, share in shares.items()
              for i in range(items)]  # fmt: skip
    (folder(results, "noiser_knowns_minimum_j", "noiser-paper") / "rows.csv").write_text(
        "\n".join(lines), encoding="utf-8"
    )


def test_the_model_with_more_rows_answers(results):
    mass = {"reagent": {"antecedent": 0.3, "distractor": 0.1}}
    plant_scores(results, mass, items=12, model="a")
    plant_scores(results, mass, items=24, model="b")
    plant_scores(results, mass, items=12, model="c")
    found = answered_claim("reagent-distractor")
    assert (found["model"], found["n"]) == ("b", 24)


def test_without_rows_there_is_no_answer(results):
    names = [name for paper in paper_names() for name in figure_answers(paper)]
    assert len(names) == 6
    assert all(answered_claim(name) is None for name in names)
    assert answered_claim("no-such-claim") is None
    rows = {row["row"]: row for row in claim_rows(paper_names(), HypothesisTests())}
    assert {rows[name]["verdict"] for name in names} == {NO_ROWS}


@pytest.mark.parametrize(
    ("mass", "verdict"),
    [
        ({"antecedent": 0.4, "distractor": 0.1}, SAME),
        ({"antecedent": 0.4, "distractor": 0.6}, OPPOSITE),
        (PLAIN, UNDECIDED),
    ],
)
def test_reagents_mass_is_held_against_an_even_spread(results, mass, verdict):
    plant_scores(results, {"reagent": mass})
    found = answered_claim("reagent-distractor")
    assert (found["verdict"], found["n"]) == (verdict, 60)
    assert "on the antecedent" in found["reason"]
    assert found["rows"] == "laptop/reagent_longra/m/attribook/scores.jsonl"


def test_few_prompts_decide_nothing(results):
    plant_scores(results, {"reagent": {"antecedent": 0.4, "distractor": 0.1}}, items=39)
    assert answered_claim("reagent-distractor")["verdict"] == UNDECIDED


@pytest.mark.parametrize(("backwards", "verdict"), [(0, SAME), (1, OPPOSITE)])
def test_reagents_counters_are_read(results, backwards, verdict):
    plant_scores(results, {"reagent": PLAIN}, backwards=backwards)
    found = answered_claim("reagent-forwards-only")
    assert found["verdict"] == verdict
    assert f"60 stored runs: 7 forwards each, {60 * backwards} backwards" in found["reason"]


def test_noiser_is_held_against_the_baselines_printed_best(results):
    best = best_printed("LongRA")
    assert best == ["occlusion", "deeplift", "input_x_gradient"]  # the highest averages of Table 1 beside Noiser's
    noiser = {"noiser{vectors=3}": {"antecedent": 0.4, "distractor": 0.1}}
    plant_scores(results, noiser | dict.fromkeys(best, PLAIN))
    assert answered_claim("noiser-critical-words")["verdict"] == SAME
    (results / "laptop/reagent_longra/m/attribook/manifest.json").unlink()
    assert answered_claim("noiser-critical-words") is None


def test_one_baseline_that_is_ahead_contradicts(results):
    best = best_printed("LongRA")
    ahead = {"antecedent": 0.6, "distractor": 0.3}
    plant_scores(results, {"noiser{vectors=3}": PLAIN} | dict.fromkeys(best, PLAIN) | {best[1]: ahead})
    found = answered_claim("noiser-critical-words")
    assert found["verdict"] == OPPOSITE
    assert f"contradicted: antecedent more than {best[1]}" in found["reason"]


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({"occlusion": 0.2, "lime": 0.3, "noiser": 0.4, "deeplift": 0.6}, SAME),
        ({"occlusion": 0.3, "lime": 0.2, "noiser": 0.4, "deeplift": 0.6}, OPPOSITE),
        ({"occlusion": 0.2, "lime": 0.4, "noiser": 0.4, "deeplift": 0.6}, UNDECIDED),
    ],
)
def test_the_order_of_minimum_shares(results, shares, verdict):
    plant_minimum(results, shares)
    found = answered_claim("noiser-fewest-words")
    assert (found["verdict"], found["n"]) == (verdict, 60)
    assert "6 tests: " in found["reason"]


@pytest.mark.parametrize(
    ("right", "verdict"),
    [((99,), SAME), ((60,), OPPOSITE), ((91,), UNDECIDED), ((99, 60), OPPOSITE), ((99, 91), UNDECIDED)],
)
def test_accuracy_of_every_decoder_is_held_against_what_is_promised(results, right, verdict):
    for number, share in enumerate(right):
        path = results / "laptop" / "predictions" / f"m{number}+sentiment" / "rotten-tomatoes-held-out.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(json.dumps({"item": i, "correct": i < share}) for i in range(100)), encoding="utf-8")
    found = answered_claim("rpi-prompt-accuracy")
    assert (found["verdict"], found["n"]) == (verdict, 100)
    assert all(f"m{number}+sentiment {share}%" in found["reason"] for number, share in enumerate(right))
