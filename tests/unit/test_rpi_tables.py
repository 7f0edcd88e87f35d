"""What RPI's tables share: settings, comparisons with the best map, and scores of tokens by map."""

import numpy as np
import pandas as pd
import pytest

from attribook.attribution.registry import find_method
from attribook.grid.pools import PoolStudy
from attribook.grid.protocols import find_protocol
from attribook.grid.settings import Setting
from attribook.grid.study import Study
from attribook.metrics.names import sign
from attribook.papers.cells import published
from attribook.papers.rpi.comparisons import beside_best, better_than
from attribook.papers.rpi.live import token_scores
from attribook.papers.rpi.settings import (
    ARROW,
    DECODER_ROWS,
    ENCODER_ROWS,
    ERASURE,
    encoder_methods,
    released_setting,
)

METRICS = ("comprehensiveness", "log_odds")
PLACE = ("smoke", "tiny-bert", "reviews-mini", "rpi-paper")


# -- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rpi", "rpi_g"])
def test_the_released_setting_has_the_released_options(method):
    found, options = find_method(method), dict(Setting.parse(released_setting(method)).options)
    assert found.resolve(options) == found.resolve(find_protocol("rpi-code").method_options(method))
    assert dict(Setting.parse(released_setting(method, layers=-1, steps=5)).options) == options | {
        "layers": "-1",
        "steps": 5,
    }


def test_methods_and_metrics_are_those_of_the_printed_tables():
    cells = published("rpi")
    for table, rows in ((2, ENCODER_ROWS), (4, DECODER_ROWS)):
        printed = cells[(cells["table"] == table) & (cells["row"] != "RPI")]
        assert dict(zip(printed["row"], printed["method"], strict=True)) == rows
    assert set(cells["metric"]) == set(ERASURE)
    assert all(ARROW[name].endswith("↓") is (sign(name) < 0) for name in ERASURE)
    assert encoder_methods(7)[:2] == ("sequential_integrated_gradients{steps=7}", "alti")


# -- comparisons ---------------------------------------------------------------------------------------------------


def values_of(**shifts: float) -> pd.DataFrame:
    """Values of 60 items: for both metrics, a name is better the larger its shift."""
    noise = np.random.default_rng(0).normal(0, 0.01, 60)
    return pd.DataFrame(
        {"name": name, "metric": metric, "item": str(item), "value": sign(metric) * (shift + (1 + shift) * noise[item])}
        for name, shift in shifts.items() for metric in METRICS for item in range(60)
    )  # fmt: skip


def test_every_name_stands_beside_the_best():
    values = values_of(best=1.0, worse=0.5, better=2.0)
    found = beside_best(values, "best").set_index(["name", "metric"])
    assert found.loc[("worse", "log_odds"), "value"] == pytest.approx(
        values.query("name == 'worse' and metric == 'log_odds'")["value"].mean()
    )
    assert found.loc[("worse", "log_odds"), "ahead"] == pytest.approx(0.5, abs=0.02), "lower log-odds are better"
    assert found.loc[("better", "comprehensiveness"), "ahead"] == pytest.approx(-1, abs=0.02)
    one = found.loc[("worse", "comprehensiveness")]
    assert one["ahead low"] < one["ahead"] < one["ahead high"]
    assert (one["n"], one["ahead n"]) == (60, 60)
    assert found.loc["best"][["ahead", "ahead low", "detectable"]].isna().all(axis=None)


def test_how_many_a_name_is_better_than():
    values = values_of(mine=1.0, low=0.0, high=2.0)
    few = values[(values["name"] != "high") | values["item"].isin([str(item) for item in range(39)])]
    for frame, worse in ((values, 1), (few, 0)):
        found = better_than(frame, ["mine"], ["low", "high"])
        assert found.to_dict("records") == [
            {"name": "mine", "metric": metric, "better": 1, "worse": worse, "of": 2} for metric in METRICS
        ]
    whole = better_than(values, ["mine", "low"], ["low", "high"])
    assert whole.set_index(["name", "metric"])["of"].tolist() == [2, 2, 1, 1], "nothing is compared with itself"


# -- scores of tokens ----------------------------------------------------------------------------------------------


def test_scores_of_tokens_by_map_leave_special_tokens_out():
    pool = PoolStudy("rpi_pools", *PLACE, ("rpi{steps=2,layers=-2}",), METRICS, n_items=2, keep="all", size=3)
    single = Study("rpi_table2", *PLACE, ("input_x_gradient",), (), n_items=2, keep="all", random_seeds=1)
    found, alone = token_scores(pool), token_scores(single)
    assert found.groupby("item")["map"].nunique().tolist() == [3, 3]
    assert set(alone["map"]) == {0}
    for unit in pool.units():
        encoding = pool.explained.encode(unit.prompt.text)
        rows = found[(found["item"] == unit.prompt.id) & (found["map"] == 2)]
        assert rows["score"].tolist() == pool.maps(unit)[2][encoding.attributable].tolist()
        assert rows["place"].tolist() == list(range(int(encoding.attributable.sum())))
        assert len(rows) < len(encoding)
        words = alone[alone["item"] == unit.prompt.id]
        assert words["token"].tolist() == rows["token"].tolist()
        assert set(words["prediction"]) == {encoding.target_text}
    first = pool.items[0].id
    assert set(token_scores(pool, [first])["item"]) == {first}
