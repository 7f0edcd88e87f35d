"""Answerability by hand on planted answers, as Noiser's pages compute it from the tidy frame."""

import numpy as np
import pandas as pd
import pytest

from attribook.grid.frames import tidy_answers
from attribook.statistics.estimates import estimate

NAMES = ["item", "method", "seed", "selection", "correct", "among", "value", "status"]
FIXED = dict.fromkeys(("study", "profile", "protocol", "model", "dataset"), "")
HAND = pd.DataFrame([
    ("p", "lime", 0, "top", 1, 1, 0.8, "ok"), ("q", "lime", 0, "top", 0, 1, 0.6, "ok"),
    ("r", "lime", 0, "top", np.nan, np.nan, np.nan, "timeout"), ("p", "lime", 0, "bottom", 0, 0, 0.2, "ok"),
    ("q", "lime", 0, "bottom", 0, 1, 0.4, "ok"), ("p", "random", 0, "random", 1, 1, 0.5, "ok"),
    ("p", "random", 1, "random", 0, 1, 0.5, "ok"), ("q", "random", 0, "random", 0, 0, 0.5, "ok"),
    ("q", "random", 1, "random", 0, 0, 0.5, "ok"), ("r", "random", 0, "random", 1, 1, 0.5, "ok"),
    ("p", "random", 0, "none", 0, 0, 0.0, "ok"), ("q", "random", 0, "none", 0, 0, 0.0, "ok"),
    ("p", "random", 0, "first", 1, 1, 0.5, "ok"), ("q", "random", 0, "first", 1, 1, 0.5, "ok"),
], columns=NAMES)  # fmt: skip
BY = ["metric", "method", "variant"]


def answers(rows):
    return tidy_answers(rows, **FIXED)


def test_rates_and_scores_by_hand():
    found = estimate(answers(HAND), "mean", BY).set_index(BY)
    rate = found.loc[("answerability_rate", "lime", "top")]
    assert (rate["value"], rate["n"], rate["failed"]) == (50, 2, 1)
    assert found.loc[("answerability_score", "lime", "top"), "value"] == pytest.approx(0.4)
    assert found.loc[("answerability_rate", "lime", "bottom"), "value"] == 0
    assert found.loc[("answerability_rate_top5", "lime", "top"), "value"] == 100
    assert found.loc[("answerability_rate_top5", "lime", "bottom"), "value"] == 50
    assert found.loc[("answerability_score_top5", "lime", "top"), "value"] == pytest.approx(0.7)


def test_gain_over_random_words_by_hand():
    chosen = answers(HAND).query("variant in ['top', 'random']")
    found = estimate(chosen, "difference", BY, against={"method": "random", "variant": "random"}).set_index(BY)
    gain = found.loc[("answerability_rate", "lime", "top")]
    assert gain["value"] == 50 - 25  # random words: p half of the time, q never; r is left out
    assert (gain["n"], gain["failed"]) == (2, 1)


def test_controls_by_hand():
    controls = answers(HAND).query("method == 'random' and metric == 'answerability_rate'")
    found = estimate(controls, "mean", "variant").set_index("variant")["value"].to_dict()
    assert found == {"none": 0, "random": 50, "first": 100}  # p 1/2, q 0, r 1


def test_a_judge_without_candidates_has_no_top_five():
    five = answers(HAND.assign(among=np.nan)).query("metric.str.endswith('top5')")
    assert set(five["status"]) == {"no candidates", "timeout"}
    assert five["value"].isna().all()


def test_minimum_shares_by_hand():
    values = {"lime": (0.5, 0.5, 0.25), "occlusion": (0.25, 0.5, 0.25)}
    rows = pd.DataFrame([(item, name, 0, "minimum", "", "", value, "ok") for name, shares in values.items()
                         for item, value in zip("pqr", shares, strict=True)]
                        + [("s", "lime", 0, "minimum", "", "", np.nan, "not answerable with all words")],
                        columns=NAMES)  # fmt: skip
    found = estimate(rows, by="method").set_index("method")
    assert found["value"].to_dict() == pytest.approx({"occlusion": 1 / 3, "lime": 1.25 / 3})
    assert found["failed"].to_dict() == {"occlusion": 0, "lime": 1}
    lead = estimate(rows, "difference", "method", of={"method": "occlusion"})
    assert lead["value"].item() == pytest.approx(-0.25 / 3)
