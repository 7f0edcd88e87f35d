"""Agreement of rankings, by hand."""

import math

import pytest

from attribook.statistics.agreement import agreement, rank_correlations


def row(method, scores, item="a", seed=0):
    return {"item": item, "method": method, "seed": seed, "scores": scores}


ROWS = [
    row("up", [1.0, 2.0, 3.0, 4.0]), row("down", [4.0, 3.0, 2.0, 1.0]), row("near", [1.0, 2.0, 4.0, 3.0]),
    row("up", [1.0, 2.0], "b"), row("down", [1.0, 2.0], "b"), row("near", [5.0, 5.0], "b"),
]  # fmt: skip


def test_every_two_methods_of_a_prompt_have_a_correlation():
    found = rank_correlations(ROWS).set_index(["item", "method", "other"])
    assert len(found) == 2 * 3 * 3
    assert found.loc[("a", "up", "down"), "value"] == found.loc[("a", "down", "up"), "value"] == pytest.approx(-1)
    assert found.loc[("a", "up", "near"), "value"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert found.loc[("b", "up", "down"), "value"] == pytest.approx(1)
    assert found.loc[("b", "up", "near"), "status"] == "no order"
    assert math.isnan(found.loc[("b", "up", "near"), "value"])
    assert set(found.loc[found["value"].notna(), "status"]) == {"ok"}


def test_seeds_of_one_method_are_compared():
    rows = [row("m", [1, 2, 3], seed=0), row("m", [3, 2, 1], seed=1), row("n", [1, 2, 3], seed=0)]
    found = rank_correlations(rows, "seed").query("seed < other")
    assert found[["method", "seed", "other", "value"]].to_numpy().tolist() == [["m", 0, 1, pytest.approx(-1)]]


def test_tokens_that_nobody_scores_do_not_count():
    rows = [row("m", [0, 0.1, 0.2, 0.7]), row("n", [0, 0.1, 0.6, 0.3])]
    found = rank_correlations(rows).query("method < other")["value"].item()
    assert found == pytest.approx(0.5)  # ranks 1 2 3 and 1 3 2: 1 - 6 * 2 / (3 * 8)
    lone = rank_correlations([row("m", [0, 0.1]), row("n", [0, 0.2])])
    assert set(lone["status"]) == {"no order"}


def test_mean_agreement():
    found = agreement(ROWS)
    assert found.loc["up", "up"] == pytest.approx(1)
    assert found.loc["up", "down"] == found.loc["down", "up"] == pytest.approx(0)  # -1 and 1
    assert found.loc["up", "near"] == pytest.approx(1 - 6 * 2 / (4 * 15))  # the flat prompt is left out
    assert math.isnan(agreement([row("flat", [1.0, 1.0]), row("up", [1.0, 2.0])]).loc["flat", "up"])
    found = agreement([row("m", [1.0, 2.0]), row("n", [1.0, 2.0]), row("m", [1.0, 2.0], "b")])
    assert found.loc["m", "n"] == pytest.approx(1)
