"""Sharpness, hits and comparisons by hand."""

import math

import pandas as pd
import pytest

from attribook.statistics.sharpness import sharpness
from attribook.statistics.tests import holm


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


def values(found, metric):
    return found.loc[found["metric"] == metric, "value"].tolist()


def test_sharpness_by_hand():
    found = sharpness([row([0.0, 1.0, -4.0, 3.0]), row([1.0] * 4, seed=1)], top=1)
    assert values(found, "largest") == [0.75, 0.25]
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / math.log(4)
    assert values(found, "entropy") == pytest.approx([entropy, 1.0])
    assert values(found, "antecedent") == [0.0, 0.0]  # of equal scores the first is higher
    assert values(found, "distractor") == [1.0, 0.0]
    assert found["seed"].tolist() == [0] * 4 + [1] * 4
    assert set(found["status"]) == {"ok"}
    assert values(sharpness([row([1.0, 2.0, 0.0, 0.0])], top=2), "antecedent") == [1.0]
    assert values(sharpness([row([0.0, 5.0, 0.0, 0.0])]), "entropy") == [0.0]


def test_what_has_no_sharpness_says_why():
    found = sharpness([row([-1.0, 0.0, 0.0, 0.0])])
    assert set(found["status"]) == {"no positive score"}
    assert found["value"].isna().all()
    assert set(sharpness([row([1.0, 2.0], spans={})])["metric"]) == {"largest", "entropy"}
    lone = sharpness([row([2.0], spans={})]).set_index("metric")
    assert lone["status"].to_dict() == {"largest": "ok", "entropy": "one token"}
    assert lone.loc["largest", "value"] == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
