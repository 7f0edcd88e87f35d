"""Picking from pool frames: against counting all subsets, cases by hand, and what is stored."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.grid.pools import PoolStudy
from attribook.statistics.estimates import estimate
from attribook.statistics.picking import (
    best_of,
    join_pools,
    mean_map,
    one_map,
    oriented,
    rankings_worth,
    share_of_gain,
)
from attribook.statistics.resampling import RESAMPLES, draw_counts


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


def series(frame: pd.DataFrame, metric: str) -> pd.Series:
    return frame[frame["metric"] == metric].set_index("item")["value"]


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


def test_the_best_of_more_maps_is_never_worse():
    values = drawn(4, 8)
    frame = pool_frame(values)
    for metric, sign in (("comprehensiveness", 1), ("log_odds", -1)):
        bests = [series(best_of(frame, size), metric).to_numpy() * sign for size in range(1, 9)]
        assert all((more >= fewer - 1e-12).all() for fewer, more in itertools.pairwise(bests))
        assert bests[-1].tolist() == (values[metric] * sign).max(axis=1).tolist()
        assert bests[0].tolist() == pytest.approx((series(one_map(frame), metric) * sign).tolist())


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
    named = one_map(many.assign(pool=many["method"], own="x"))  # whatever columns a page adds
    assert named["pool"].tolist() == ["drawn", "drawn", "copied"]


def often(frame, times=10):
    """Each item as many items of the same values, so that there are enough of them for an interval."""
    return pd.concat([frame.assign(item=frame["item"].astype(str) + f" {k}") for k in range(times)])


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
    frames = [often(frame.drop(columns="protocol")) for frame in (crossed, best_of(both, 2), one_map(both))]
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
    lowest = np.concatenate([tables[0][:4, :3], tables[1][:, :3]], axis=1).min(axis=1)
    assert found["item"].tolist() == [f"item-{i:02}" for i in range(4)]
    assert found["value"].tolist() == pytest.approx(lowest.tolist())
    assert set(found["method"]) == {"both layers"}
    for wrong in (frames[0].assign(kind="own map"), frames[0][frames[0]["map"] < 2]):
        with pytest.raises(AttribookError, match="at least 3 drawn maps"):
            join_pools(pd.concat([wrong, frames[1]]), 3, "both layers")


def test_above_0_is_better_whichever_way_a_metric_runs():
    ours, other = drawn(12, 6, seed=3), drawn(9, 6, seed=4)
    values = best_of(pd.concat([pool_frame(ours, method="a"), pool_frame(other, method="random")]), 6)
    table = estimate(oriented(values), "difference", ["method", "metric"], against={"method": "random"})
    ahead = table.set_index("metric")["value"].to_dict()
    first, second = "comprehensiveness", "log_odds"
    assert ahead[first] == pytest.approx((ours[first].max(1)[:9] - other[first].max(1)).mean())
    assert ahead[second] == pytest.approx((other[second].min(1) - ours[second].min(1)[:9]).mean())
    assert set(table["n"]) == {9}


def test_shares_of_a_gain_by_hand():
    values = {"comprehensiveness": [[0.0, 1.0], [0.0, 3.0]], "log_odds": [[0.0, -1.0], [-2.0, 0.0]]}
    other = {"comprehensiveness": [[0.0, 0.5], [0.0, 1.5]]}
    pools, random = pool_frame(values, method="rpi"), pool_frame(other, method="random")
    whole = best_of(pools[pools["metric"] == "comprehensiveness"], 2)
    found = share_of_gain(*map(often, (best_of(random, 2), whole, one_map(random))))
    assert found.loc[0, "value"] == pytest.approx((1 - 0.5) / (2 - 0.5))
    assert (found.loc[0, "metric"], found.loc[0, "n"]) == ("comprehensiveness", 20)
    crossed = map(often, (best_of(pools, 2, "log_odds"), best_of(pools, 2), one_map(pools)))
    crossed = share_of_gain(*crossed, ["method", "metric"])
    assert crossed.set_index("metric")["value"].to_dict() == pytest.approx({"comprehensiveness": -0.5, "log_odds": 1})
    both = pd.concat([whole, whole.assign(method="again")])
    shared = map(often, (both, both, one_map(random).drop(columns="method")))
    shared = share_of_gain(*shared, ["method", "metric"])
    assert shared["method"].tolist() == ["rpi", "again"]
    assert shared["value"].tolist() == pytest.approx([1, 1])


def test_no_share_of_what_may_be_nothing():
    pools = pool_frame({"comprehensiveness": [[1.0, 1.0], [2.0, 2.0]]})
    found = share_of_gain(best_of(pools, 2), best_of(pools, 2), one_map(pools))
    assert found["value"].isna().all()
    assert found["n"].tolist() == [2]


def slow_tries(values, wanted, sign) -> str:
    """The same in plain loops: the first R whose best is as good, for the items and for every sample of them."""

    def first(items) -> int:
        for size, column in enumerate(bests, start=1):
            if np.mean(column[items]) >= sign * np.mean(wanted[items]) - 1e-12:
                return size
        return 9

    subsets = [list(itertools.combinations(range(8), size)) for size in range(1, 9)]
    bests = [
        np.array([[max(sign * row[list(subset)]) for subset in many] for row in values]).mean(1) for many in subsets
    ]
    everyone = np.arange(len(values))
    found = sorted(first(np.repeat(everyone, counts.astype(int))) for counts in draw_counts(len(values)))
    ends = [first(everyone), found[round(0.025 * (RESAMPLES - 1))], found[round(0.975 * (RESAMPLES - 1))]]
    value, low, high = ("> 8" if size == 9 else str(size) for size in ends)
    return f"{value} ({low} to {high})"


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
        assert found["tries"] == slow_tries(
            random[metric], near_by["value"].to_numpy(), -1 if metric == "log_odds" else 1
        )
    better = one_map(frame[frame["metric"] == "log_odds"]).assign(value=-1.0)
    found = rankings_worth(frame, better).loc[0]
    assert (found["tries"], found["value"]) == ("> 8 (> 8 to > 8)", math.inf)
    assert rankings_worth(frame, better.assign(item="elsewhere")).loc[0, "n"] == 0


@pytest.mark.parametrize(("method", "kinds"), [("occlusion", {"own map", "map"}), ("gradient_shap", {"map"})])
def test_stored_pools_have_the_numbers_of_their_file(monkeypatch, method, kinds):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    where = ("laptop", "minilm-rotten-tomatoes", "rotten-tomatoes-held-out", "rpi-paper")
    study = PoolStudy("rpi_pools", *where, (method,), ("log_odds",), n_items=60, keep="all", size=24)
    frame = study.frame()
    assert set(frame["kind"]) == kinds | {"mean of maps"}
    rows = pd.read_csv(study.folder / "rows.csv", dtype=str).query("method == @method and metric == 'log_odds'")
    maps = {row["item"]: [float(value) for value in row["values"].split()] for row in rows.to_dict("records")}
    one, best = (series(values, "log_odds") for values in (one_map(frame), best_of(frame, 24)))
    assert one.to_dict() == pytest.approx({i: m[0] if "own map" in kinds else np.mean(m) for i, m in maps.items()})
    assert best.to_dict() == {item: pytest.approx(min(numbers)) for item, numbers in maps.items()}
    means = {row["item"]: float(row["means"].split()[5]) for row in rows.to_dict("records")}  # of 24 maps
    assert series(mean_map(frame, 24), "log_odds").to_dict() == means
