"""Shares of the attribution mass, on prompts of four tokens."""

import pandas as pd
import pytest

from attribook.statistics.estimates import estimate
from attribook.statistics.mass import FLAT, PARTS, flat_shares, mass_shares

ROW = {"item": "a", "method": "m", "seed": 0, "spans": {"antecedent": [0], "distractor": [2, 3]}}


def by_part(shares):
    return shares.set_index(["item", "metric"])["value"].to_dict()


def test_shares_by_hand():
    shares = mass_shares([{**ROW, "scores": [1.0, 2.0, 1.0, -5.0]}])
    assert by_part(shares) == {("a", "antecedent"): 0.25, ("a", "main"): 0.5, ("a", "distractor"): 0.25}
    assert shares["metric"].tolist() == list(PARTS)


def test_a_prompt_without_distractor_has_nothing_there():
    shares = mass_shares([{**ROW, "spans": {"antecedent": [1]}, "scores": [1.0, 3.0]}])
    assert shares["value"].tolist() == [0.75, 0.25, 0.0]


def test_no_positive_score_is_a_status_and_left_out_of_estimates():
    shares = mass_shares([{**ROW, "scores": [-1.0] * 4}, {**ROW, "item": "b", "scores": [1.0, 0.0, 0.0, 0.0]}])
    assert shares["status"].tolist() == ["no positive score"] * 3 + ["ok"] * 3
    assert shares["value"].isna().tolist() == [True] * 3 + [False] * 3
    found = estimate(shares).set_index("metric").loc["antecedent"]
    assert (found["value"], found["n"], found["failed"]) == (1.0, 1, 1)


def test_a_flat_attribution_has_the_shares_of_the_tokens_once_for_each_prompt():
    rows = [{**ROW, "scores": [0.0] * 4}, {**ROW, "method": "other", "scores": [1.0] * 4},
            {**ROW, "item": "longer", "scores": [0.0] * 8}]  # fmt: skip
    flat = flat_shares(rows)
    assert set(flat["method"]) == {FLAT}
    assert len(flat) == 6
    assert [by_part(flat)["longer", part] for part in PARTS] == [0.125, 0.625, 0.25]


def test_against_the_flat_attribution_over_the_prompts_of_the_method():
    ours = mass_shares([{**ROW, "scores": [3.0, 1.0, 0.0, 0.0]}])
    flat = flat_shares([{**ROW, "scores": [0.0] * 4}, {**ROW, "item": "b", "scores": [0.0] * 8}])
    found = estimate(pd.concat([ours, flat]), "difference", against={"method": FLAT}).set_index("metric")
    assert found["value"].to_dict() == pytest.approx({"antecedent": 0.5, "main": 0.0, "distractor": -0.5})
    assert (found["n"] == 1).all()
