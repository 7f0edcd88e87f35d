"""Estimates as texts, and names by what was decided."""

import math

import pandas as pd

from attribook.statistics.summaries import by_direction, directions, estimate_texts

NAN = math.nan
TABLE = pd.DataFrame({
    "metric": ["a", "b", "c", "d", "e"], "value": [0.2, -0.3, 0.1, NAN, 0.5], "low": [0.1, -0.4, -0.1, NAN, 0.4],
    "high": [0.3, -0.2, 0.3, NAN, 0.6], "n": [60, 60, 60, 0, 9], "p": [0.01, 0.01, 0.3, 1, 0.01],
    "no verdict": ["", "", "", "there is no interval", "n is below 40"],
})  # fmt: skip


def test_estimates_in_words():
    assert estimate_texts(TABLE).tolist()[:2] == ["+0.200 (+0.100 to +0.300)", "-0.300 (-0.400 to -0.200)"]
    assert estimate_texts(TABLE, "{:.0%}").tolist()[2:4] == ["10% (-10% to 30%)", "undefined"]


def test_names_by_direction_need_a_small_p_and_nothing_that_bars_a_verdict():
    assert by_direction(TABLE, "metric") == {"above": ["a"], "below": ["b"], "undecided": ["c", "d", "e"]}
    assert by_direction(TABLE.head(0), "metric") == {"above": [], "below": [], "undecided": []}
    assert by_direction(TABLE.head(2), ["x", "y"]) == {"above": ["x"], "below": ["y"], "undecided": []}


def test_directions_as_one_text():
    assert directions(TABLE, "metric") == "better on a; worse on b; undecided on c, d, e"
    assert directions(TABLE.head(1), "metric", ("higher for", "lower for", "open for")) == "higher for a"
    assert directions(TABLE.head(0), "metric") == ""
