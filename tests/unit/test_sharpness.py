"""Sharpness, hits and comparisons by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from attribook.statistics.bootstrap import against_leader, holm, log_ratio
from attribook.statistics.sharpness import rank_agreement, sharp_or_right, sharpness


def row(scores, **changes):
    given = {
        "item": "a",
        "method": "m",
        "seed": 0,
        "scores": scores,
        "spans": {"antecedent": [1], "distractor": [2, 3]},
    }
    return {**given, **changes}


def rows(values: dict[str, list[float]], metric: str = "soft_nc") -> pd.DataFrame:
    """Metric rows, one draw an item."""
    return pd.DataFrame(
        {"item": f"i{place}", "method": name, "metric": metric, "value": value, "status": "ok"}
        for name, found in values.items()
        for place, value in enumerate(found)
    )


def test_sharpness_by_hand():
    found = sharpness([row([0.0, 1.0, -4.0, 3.0]), row([1.0] * 4), row([-1.0, 0.0, 0.0, 0.0])], top=1)
    assert found["largest"].tolist()[:2] == [0.75, 0.25]
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / math.log(4)
    assert found["entropy"].tolist()[:2] == pytest.approx([entropy, 1.0])
    assert found["status"].tolist() == ["ok", "ok", "no positive score"]
    assert math.isnan(found["entropy"][2])
    assert found["antecedent"].tolist() == [0.0, 0.0, 1.0]  # of equal scores the first is higher
    assert found["distractor"].tolist() == [1.0, 0.0, 0.0]
    assert sharpness([row([1.0, 2.0, 0.0, 0.0])], top=2)["antecedent"].tolist() == [1.0]
    assert math.isnan(sharpness([row([1.0, 2.0], spans={})])["antecedent"][0])
    assert sharpness([row([0.0, 5.0, 0.0, 0.0])])["entropy"].tolist() == [0.0]


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_the_leader_is_compared_with_each_other_method():
    chance = np.random.default_rng(0)
    base = chance.uniform(1, 2, 30)
    table = rows({"best": list(base * 2), "near": list(base * 2 * chance.uniform(0.8, 1.19, 30)), "far": list(base)})
    found = against_leader(table, "soft_nc", ["far", "near", "best"])
    assert found["leader"].unique().tolist() == ["best"]
    assert found["other"].tolist() == ["near", "far"]
    assert found["difference"][1] == pytest.approx(math.log(2))
    assert found["low"][1] == pytest.approx(math.log(2))  # the same ratio in every prompt
    ps = [log_ratio(table, "best", "soft_nc", baseline=other).p for other in ("near", "far")]
    assert found["p (Holm)"].tolist() == holm(ps)
    assert found["p (Holm)"][1] < 0.001 < found["p (Holm)"][0]


def test_sharp_or_right_by_hand():
    values = {"random": [1.0, 1.0], "m": [4.0, 4.0], "m:permuted": [2.0, 2.0], "m:ranked": [1.0, 1.0]}
    vectors = sharpness([row([0.0, 1.0, 0.0, 0.0]), row([1.0, 1.0, 1.0, 1.0], item="b")])
    (found,) = sharp_or_right(rows(values), vectors, "soft_nc", ["m"], {"ranks alone": "ranked"}).to_dict("records")
    assert found["log-ratio"] == pytest.approx(math.log(4))
    assert found["own order"] == found["low"] == found["high"] == pytest.approx(math.log(2))
    assert found["ranks alone"] == pytest.approx(0)
    assert found["largest"] == pytest.approx(0.625)
    assert found["entropy"] == pytest.approx(0.5)
    assert found["antecedent"] == 1.0


def test_agreement_of_ranks():
    frame = pd.DataFrame({"a": [1.0, 2.0, 9.0], "b": [3.0, 4.0, 5.0], "c": [3.0, 2.0, 1.0]})
    assert rank_agreement(frame, "a", "b") == pytest.approx(1)
    assert rank_agreement(frame, "a", "c") == pytest.approx(-1)
