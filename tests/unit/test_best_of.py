"""Picking from pool frames: against counting all subsets, cases by hand, and the former implementation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.grid.pools import PoolStudy
from attribook.statistics.estimates import estimate
from attribook.statistics.former_picking import Pool, joined, lead, read_pool, share_by_picking, transfer, tries_worth
from attribook.statistics.picking import (
    best_of,
    join_pools,
    mean_map,
    one_map,
    oriented,
    rankings_worth,
    share_of_gain,
)


def pool_frame(values, *, own: bool = False, method: str = "m", means=None) -> pd.DataFrame:
    """A pool frame from nested lists by metric: items down, maps across."""
    rows = []
    for kind, tables in (("map", values), ("mean of maps", means or {})):
        for metric, table in tables.items():
            for i, row in enumerate(table):
                for j, value in enumerate(row):
                    mine = "own map" if own and kind == "map" and j == 0 else kind
                    rows.append(("rpi-paper", f"item-{i:02}", method, mine, j + (kind != "map"), metric, value, "ok"))
    return pd.DataFrame(rows, columns=["protocol", "item", "method", "kind", "map", "metric", "value", "status"])


def former(values, *, own: bool = False) -> Pool:
    tables = {
        metric: pd.DataFrame(table, index=[f"item-{i:02}" for i in range(len(table))])
        for metric, table in values.items()
    }
    return Pool(tables, {}, own)


def series(frame: pd.DataFrame, metric: str) -> pd.Series:
    return frame[frame["metric"] == metric].set_index("item")["value"]


def near(values: pd.Series):
    """The same but for the order in which a row's maps are added up."""
    return pytest.approx(values.tolist(), abs=1e-14)


def drawn(items: int, maps: int, seed: int = 0):
    draw = np.random.default_rng(seed)
    return {metric: draw.integers(9, size=(items, maps)) / 8 for metric in ("comprehensiveness", "log_odds")}


@pytest.mark.parametrize("size", [1, 2, 4, 6])
@pytest.mark.parametrize("by", [None, "comprehensiveness", "log_odds"])
@pytest.mark.parametrize("own", [False, True])
def test_the_best_counts_all_subsets(size, by, own):
    values = drawn(4, 6)  # with ties
    found = best_of(pool_frame(values, own=own), size, by)
    for metric in values:
        sign = -1 if (by or metric) == "log_odds" else 1
        for i, value in enumerate(series(found, metric)):
            bests = []
            for subset in itertools.combinations(range(6), size):
                if own and 0 not in subset:
                    continue  # the method's own map is always among them
                best = max(subset, key=lambda place: sign * values[by or metric][i, place])  # the first of equal ones
                bests.append(values[metric][i, best])
            assert value == pytest.approx(sum(bests) / len(bests), abs=1e-12)


@pytest.mark.parametrize("own", [False, True])
def test_values_are_the_former_ones(own):
    values = drawn(7, 9, seed=1)
    frame, pool = pool_frame(values, own=own), former(values, own=own)
    for metric in values:
        assert series(one_map(frame), metric).tolist() == near(pool.one(metric))
        for size in (1, 4, 9):
            assert series(best_of(frame, size), metric).tolist() == near(pool.picked(metric, size))
            crossed = series(best_of(frame, size, "log_odds"), metric)
            assert crossed.tolist() == near(pool.picked(metric, size, "log_odds"))


def test_frames_say_how_a_map_was_picked_and_keep_their_columns():
    values = {"log_odds": [[0.0, -1.0], [-2.0, 0.0]]}
    many = pd.concat(
        [
            pool_frame(values, method="drawn", means={"log_odds": [[0.0, -0.5], [-2.0, -0.5]]}).assign(layer=-1),
            pool_frame({"log_odds": [[-1.0, 5.0, -3.0]]}, own=True, method="copied").assign(layer=-2),
        ]
    )
    one = one_map(many)
    assert list(one) == ["protocol", "item", "method", "metric", "layer", "pick", "value", "status"]
    assert one["value"].tolist() == [-0.5, -1.0, -1.0]
    assert one["layer"].tolist() == [-1, -1, -2]
    best = best_of(many, 2)
    assert set(best["pick"]) == {"best of 2"}
    assert best["value"].tolist() == [-1.0, -2.0, (-1.0 - 3.0) / 2]  # the own map beside either copy
    assert set(best_of(many, 2, by="log_odds")["pick"]) == {"best of 2 by log_odds"}
    mean = mean_map(many[many["method"] == "drawn"], 2)
    assert (mean["value"].tolist(), set(mean["pick"])) == ([-0.5, -0.5], {"mean of 2 maps"})
    assert oriented(best)["value"].tolist() == [1.0, 2.0, 2.0]


def test_another_protocol_picks():
    first = pool_frame({"sufficiency": [[0.0, 0.4], [0.1, 0.5]]})
    other = pool_frame({"sufficiency": [[0.6, 0.2], [0.1, 0.3]]}).assign(protocol="other")
    found = best_of(pd.concat([first, other]), 2, by={"protocol": "other"})
    assert set(found["pick"]) == {"best of 2 by other"}
    assert found[found["protocol"] == "rpi-paper"]["value"].tolist() == [0.4, 0.1]
    # Gains where the same protocol picks: -0.2, -0.2 and -0.2, -0.1; where the other does: +0.2, -0.2 and +0.2, -0.1.
    both = pd.concat([first, other])
    crossed = pd.concat([best_of(both, 2, {"protocol": name}) for name in ("rpi-paper", "other")])
    crossed = crossed[crossed["pick"] != "best of 2 by " + crossed["protocol"]]
    frames = [frame.drop(columns="protocol") for frame in (crossed, best_of(both, 2), one_map(both))]
    assert share_of_gain(*frames).loc[0, "value"] == pytest.approx((0.2 - 0.2 + 0.2 - 0.1) / -0.7)
    with pytest.raises(AttribookError, match="no maps judged by"):
        best_of(first, 2, by={"protocol": "other"})
    with pytest.raises(AttribookError, match="another number of maps"):
        best_of(pd.concat([first, other[other["map"] < 1]]), 1, by={"protocol": "other"})


def test_what_cannot_be_picked_is_refused():
    frame = pool_frame({"log_odds": [[0.0, 1.0]]})
    with pytest.raises(AttribookError, match="has 2 maps"):
        best_of(frame, 3)
    with pytest.raises(AttribookError, match="mean of its first 2 maps"):
        mean_map(frame, 2)
    with pytest.raises(AttribookError, match="without a value"):
        one_map(frame.assign(value=[0.0, math.nan]))
    for wrong in (pd.concat([frame, frame]), frame[frame["map"] == 1]):
        with pytest.raises(AttribookError, match="lacks one of its maps"):
            one_map(wrong)


def test_pools_of_several_layers_are_one_pool_of_the_first_maps():
    draw = np.random.default_rng(2)
    tables = [draw.random((5, 4)), draw.random((4, 6))]
    frames = [pool_frame({"log_odds": table}, method=f"layer {i}") for i, table in enumerate(tables)]
    found = best_of(join_pools(pd.concat(frames), 3, "both layers"), 6)
    slow = joined([former({"log_odds": table}) for table in tables], 3).picked("log_odds", 6)
    assert found["item"].tolist() == slow.index.tolist()
    assert found["value"].tolist() == near(slow)
    assert set(found["method"]) == {"both layers"}
    for wrong in (frames[0].assign(kind="own map"), frames[0][frames[0]["map"] < 2]):
        with pytest.raises(AttribookError, match="at least 3 drawn maps"):
            join_pools(pd.concat([wrong, frames[1]]), 3, "both layers")


def test_a_lead_is_the_former_one_whichever_way_a_metric_runs():
    ours, other = drawn(12, 6, seed=3), drawn(9, 6, seed=4)
    values = best_of(pd.concat([pool_frame(ours, method="a"), pool_frame(other, method="random")]), 4)
    table = estimate(oriented(values), "difference", ["method", "metric"], against={"method": "random"})
    for metric in ours:
        slow = lead(former(ours).picked(metric, 4), former(other).picked(metric, 4), metric)
        row = table.set_index("metric").loc[metric]
        assert row["n"] == slow.n
        assert row["value"] == pytest.approx(slow.value, abs=1e-12)
        assert (row["low"], row["high"]) == pytest.approx((slow.low, slow.high), abs=0.03)  # items in another order


def test_shares_of_a_gain_by_hand_and_as_before():
    values = {"comprehensiveness": [[0.0, 1.0], [0.0, 3.0]], "log_odds": [[0.0, -1.0], [-2.0, 0.0]]}
    other = {"comprehensiveness": [[0.0, 0.5], [0.0, 1.5]]}
    pools, random = pool_frame(values, method="rpi"), pool_frame(other, method="random")
    whole = best_of(pools[pools["metric"] == "comprehensiveness"], 2)
    found = share_of_gain(best_of(random, 2), whole, one_map(random))
    slow = share_by_picking(former(values), former(other), "comprehensiveness", 2)
    assert found.loc[0, "value"] == pytest.approx((1 - 0.5) / (2 - 0.5)) == pytest.approx(slow.value)
    assert (found.loc[0, "metric"], found.loc[0, "n"]) == ("comprehensiveness", 2)
    crossed = share_of_gain(best_of(pools, 2, "log_odds"), best_of(pools, 2), one_map(pools), ["method", "metric"])
    slow = transfer(former(values), ("comprehensiveness", "log_odds"), "comprehensiveness", 2)
    assert crossed.set_index("metric")["value"].to_dict() == pytest.approx({"comprehensiveness": -0.5, "log_odds": 1})
    assert slow.value == pytest.approx(-0.5)
    both = pd.concat([whole, whole.assign(method="again")])
    shared = share_of_gain(both, both, one_map(random).drop(columns="method"), ["method", "metric"])
    assert shared["method"].tolist() == ["rpi", "again"]
    assert shared["value"].tolist() == pytest.approx([1, 1])


def test_no_share_of_what_may_be_nothing():
    pools = pool_frame({"comprehensiveness": [[1.0, 1.0], [2.0, 2.0]]})
    found = share_of_gain(best_of(pools, 2), best_of(pools, 2), one_map(pools))
    assert found["value"].isna().all()
    assert found["n"].tolist() == [2]


def test_random_rankings_that_a_value_is_worth():
    draw = np.random.default_rng(5)
    random = {"comprehensiveness": draw.random((20, 8)), "log_odds": draw.random((20, 8))}
    frame = pool_frame(random, method="random")
    for metric, size in itertools.product(random, (1, 3, 8)):
        own = best_of(frame[frame["metric"] == metric], size)
        found = rankings_worth(frame, own).loc[0]
        assert (found["value"], found["low"], found["high"], found["n"]) == (size, size, size, 20)
        near_by = own.assign(value=own["value"] + draw.normal(size=20) / 50)
        found = rankings_worth(frame, near_by).loc[0]
        slow = tries_worth(former(random), series(near_by, metric), metric)
        assert found["tries"] == str(slow)
    better = one_map(frame[frame["metric"] == "log_odds"]).assign(value=-1.0)
    found = rankings_worth(frame, better).loc[0]
    assert (found["tries"], found["value"]) == ("> 8 (> 8 to > 8)", math.inf)
    assert rankings_worth(frame, better.assign(item="elsewhere")).loc[0, "n"] == 0


def test_stored_pools_give_the_former_numbers(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    given = {"n_items": 60, "keep": "all", "size": 24}
    where = ("laptop", "minilm-rotten-tomatoes", "rotten-tomatoes-held-out", "rpi-paper")
    for method, kinds in (("occlusion", {"own map", "map"}), ("gradient_shap", {"map"})):
        study = PoolStudy("rpi_pools", *where, (method,), ("sufficiency", "log_odds"), **given)
        frame, pool = study.frame(), read_pool(study)
        assert set(frame["kind"]) == kinds | {"mean of maps"}
        for metric in study.metrics:
            assert series(one_map(frame), metric).tolist() == near(pool.one(metric))
            assert series(mean_map(frame, 24), metric).tolist() == pool.means[metric][24].tolist()
            assert series(best_of(frame, 24), metric).tolist() == near(pool.picked(metric, 24))
            other = series(best_of(frame, 8, by="sufficiency"), metric)
            assert other.tolist() == near(pool.picked(metric, 8, "sufficiency"))
