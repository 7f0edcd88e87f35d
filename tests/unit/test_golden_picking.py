"""Picking on exact tables: orders judged by plain loops, rows averaged by hand."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from attribook.data.masked_words import MaskedSentence
from attribook.errors import AttribookError
from attribook.papers.rpi.golden_picking import (
    COLUMNS,
    GOLDEN,
    METHODS,
    averaged,
    exact_limits,
    judged_orders,
    pair_rows,
    tidied,
)


def invented(n: int = 3, seed: int = 0, **changes) -> MaskedSentence:
    chance = np.random.default_rng(seed)
    probability = chance.uniform(0.05, 0.95, 2**n)
    probability[0] = 0.97
    orders = [order_value(probability, order) for order in itertools.permutations(range(n))]
    given = {
        "id": 7, "probability": probability, "scores": {name: chance.random(n) for name in METHODS},
        "comprehensiveness": {}, "sufficiency": {}, "upper": max(orders), "lower": min(orders),
        "upper_floored": False, "aligned": True,
    }  # fmt: skip
    return MaskedSentence(**{**given, **changes})


def order_value(probability, order) -> float:
    total, gone = 0.0, 0
    for word in order:
        gone += 2**word
        total += probability[0] - probability[gone]
    return total / len(order)


@pytest.mark.parametrize("n", [2, 3, 5, 6])
def test_orders_are_judged_as_by_plain_loops(n):
    one = invented(n)
    orders = np.array(list(itertools.permutations(range(n))))
    found = judged_orders(one, orders, (one.upper, one.lower))
    for row, order in enumerate(orders.tolist()):
        span = one.upper - one.lower
        first, last = (order_value(one.probability, each) for each in (order, order[::-1]))
        assert found["aopc_comprehensiveness"][row] == pytest.approx((first - one.lower) / span)
        assert found["aopc_sufficiency"][row] == pytest.approx((last - one.lower) / span)
        gone = sum(2**word for word in order[: max(1, n // 5)])
        assert found["log_odds"][row] == pytest.approx(math.log(one.probability[gone] / one.probability[0]))
    assert found["aopc_comprehensiveness"].max() == pytest.approx(1)
    assert found["aopc_sufficiency"].min() == pytest.approx(0)


def test_a_floored_limit_is_computed_anew():
    right = invented(4)
    assert exact_limits(invented(4, upper=9.0, upper_floored=True)) == pytest.approx((right.upper, right.lower))


def test_more_tries_are_better_and_the_own_order_is_one_of_them():
    one = invented(6)
    rows = {row["metric"]: row for row in pair_rows(one, "a", "b")}
    for metric, better in (("aopc_comprehensiveness", 1), ("aopc_sufficiency", -1), ("log_odds", -1)):
        row = rows[metric]
        climbing = [better * row[f"random@{size}"] for size in (1, 2, 4, 8, 16, 24, 32)]
        assert climbing == sorted(climbing)
        for name in METHODS:
            order = np.argsort(-one.scores[name], kind="stable")[None]
            assert row[f"{name}@1"] == pytest.approx(judged_orders(one, order, exact_limits(one))[metric][0])
            assert better * row[f"{name}@24"] >= better * row[f"{name}@1"]


def test_sentences_are_averaged_over_classifiers_that_are_right():
    wrong = invented(3, 2)
    wrong.probability[0] = 0.3
    files = {"x__a": [invented(3, 0)], "x__b": [invented(3, 1), wrong], "x__c": [invented(3, 3, aligned=False)]}
    found = averaged(files).query("metric == 'log_odds'").to_dict("records")
    assert [row["item"] for row in found] == ["x-7"]
    assert set(found[0]) == set(COLUMNS)
    assert int(found[0]["classifiers"]) == 2
    parts = [pair_rows(files[name][0], "x-7", name)[2]["lime@1"] for name in ("x__a", "x__b")]
    assert float(found[0]["lime@1"]) == pytest.approx(sum(parts) / 2, rel=1e-4)


def test_the_tidy_frame_has_every_value_of_the_table():
    row = dict.fromkeys(COLUMNS) | {"item": "x-7", "metric": "log_odds", "words": 3, "classifiers": 2}
    row |= {"random@1": 0.5, "random@24": 0.25, "lime@24 by other": -1.5}
    found = tidied(pd.DataFrame([row]))
    assert set(found[["item", "metric", "words", "classifiers"]].itertuples(index=False, name=None)) == {
        ("x-7", "log_odds", 3, 2)
    }
    assert found[["method", "R", "pick", "value"]].to_numpy().tolist() == [
        ["random", 1, "one map", 0.5],
        ["random", 24, "best of 24", 0.25],
        ["lime", 24, "best of 24 by the other", -1.5],
    ]


def test_the_stored_table_is_read(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    found = GOLDEN.frame()
    assert set(found["method"]) == {"random", *METHODS}
    assert not found.duplicated(["item", "metric", "method", "pick"]).any()


def test_without_data_and_rows_it_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    with pytest.raises(AttribookError, match=r"\$ATTRIBOOK_DATA"):
        GOLDEN.frame()
