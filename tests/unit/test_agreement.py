"""Agreement of rankings, by hand."""

import math

import pytest

from attribook.statistics.agreement import agreement


def row(method, scores, item="a", seed=0):
    return {"item": item, "method": method, "seed": seed, "scores": scores}


def test_agreement_by_hand():
    found = agreement(
        [
            row("up", [1.0, 2.0, 3.0, 4.0]), row("down", [4.0, 3.0, 2.0, 1.0]), row("near", [1.0, 2.0, 4.0, 3.0]),
            row("up", [1.0, 2.0], "b"), row("down", [1.0, 2.0], "b"), row("near", [5.0, 5.0], "b"),
        ]
    )  # fmt: skip
    assert found.loc["up", "up"] == pytest.approx(1)
    assert found.loc["up", "down"] == found.loc["down", "up"] == pytest.approx(0)  # -1 and 1
    assert found.loc["up", "near"] == pytest.approx(1 - 6 * 2 / (4 * 15))  # the flat prompt is left out
    alone = agreement([row("flat", [1.0, 1.0]), row("up", [1.0, 2.0])])
    assert math.isnan(alone.loc["flat", "up"])


def test_missing_methods_are_left_out_of_their_prompts():
    found = agreement([row("m", [1.0, 2.0]), row("n", [1.0, 2.0]), row("m", [1.0, 2.0], "b")])
    assert found.loc["m", "n"] == pytest.approx(1)
