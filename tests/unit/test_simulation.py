"""A small form of the simulation: what the page about intervals measures, and that it can tell a broken rule."""

import numpy as np
import pytest

from attribook.statistics import simulation
from attribook.statistics.simulation import Population, coverage, family_rows, populations
from attribook.statistics.tests import LEAST_CARRIERS, LEAST_N

CHANCE = np.random.default_rng(0)
MILD = Population("mild", CHANCE.gamma(4, size=(60, 6)) * np.linspace(0.9, 1.6, 6), CHANCE.gamma(4, size=60), True)


def test_the_truth_and_a_true_null_of_a_population():
    assert MILD.truth() == pytest.approx(np.log(MILD.values.mean(0) / MILD.baseline.mean()))
    assert MILD.null().truth() == pytest.approx(0, abs=1e-12)
    plain = MILD._replace(log=False)
    assert plain.truth() == pytest.approx(MILD.values.mean(0) - MILD.baseline.mean())
    assert plain.null().truth() == pytest.approx(0, abs=1e-12)
    for each in (MILD, plain):
        assert each.influence().mean(0) == pytest.approx(0, abs=1e-12)


def test_intervals_of_a_mild_population_contain_the_truth():
    (one, *_) = MILD.extremes()
    found = coverage(one, LEAST_N, 300)
    assert found["kurtosis"] * LEAST_CARRIERS < LEAST_N
    assert 0.91 < found["studentised"] < 0.99  # 0.95 with a Monte-Carlo error of 0.013, three of them
    assert found["open"] > 0.5
    assert coverage(one, LEAST_N - 1, 5)["open"] == 0


def test_a_mean_that_one_item_carries_is_seldom_open_and_often_missed():
    values = np.array([*[0.1] * 23, 50.0])[:, None]
    one = Population("one of 24", values, np.linspace(0.9, 1.1, 24), True)
    found = coverage(one, LEAST_N, 100)
    assert found["percentile"] < 0.9
    assert found["open"] < 0.25


def test_families_hold_their_level_and_single_tests_do_not():
    rows = {row["procedure"]: row for row in family_rows(MILD, 50, 200)}
    assert rows["max-T"]["any false"] <= 0.11  # 0.05 with a Monte-Carlo error of 0.015, four of them
    assert rows["none"]["any false"] > rows["max-T"]["any false"]
    assert rows["none"]["found"] >= rows["max-T"]["found"] > 0.2
    assert {row["tests"] for row in rows.values()} == {6}


def test_false_decisions_are_counted_apart_where_the_population_itself_leaves_comparisons_open():
    values = np.array([*[0.5] * 23, 12.5])[:, None] * [1.0, 1.0]
    values[:, 1] = CHANCE.gamma(4, size=24)
    rows = {row["procedure"]: row for row in family_rows(Population("of 24", values, np.ones(24), True), 40, 60)}
    assert rows["none"]["any false, open"] < rows["none"]["any false"]
    mild = family_rows(MILD, 60, 20)
    assert all(row["any false, open"] == row["any false"] for row in mild), "no method of it is heavy"


def test_the_stored_populations_are_of_many_kinds():
    every = list(populations())
    assert len(every) >= 15
    assert any(each.log for each in every)
    assert not all(each.log for each in every)
    assert all(np.isfinite(each.values).all() and len(each.values) == len(each.baseline) for each in every)


def test_a_rule_without_a_least_n_decides_too_often(monkeypatch):
    monkeypatch.setattr(simulation, "barred", lambda _: "")
    heavy = Population("heavy", np.array([*[0.0] * 20, *[4.0] * 4])[:, None], np.linspace(0.9, 1.1, 24), False)
    assert coverage(heavy, 12, 200)["wrong and open"] > 0.07
