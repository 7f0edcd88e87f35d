"""RPI's tables: pools joined over layers, best-of-R rows as evidence for printed cells, one sentence's maps."""

import numpy as np
import pandas as pd
import pytest

from attribook.errors import AttribookError
from attribook.grid.pools import NESTED, PoolStudy
from attribook.papers.rpi.layer_pools import (
    BOTTOM_UP,
    SINGLE,
    TOP_DOWN,
    direction_table,
    layer_pools,
    layer_table,
    layers_told,
    printed_layer,
)
from attribook.papers.rpi.one_sentence import (
    map_frame,
    picked_notes,
    picked_texts,
    read_sentence,
    sentence_told,
    spread_table,
    words_of,
)
from attribook.papers.rpi.tables import alike_told, gain_told, leads_table, printed_by_size, renamed, tries_table
from attribook.statistics.picking import Pool, joined, tries_worth

METRICS = ("comprehensiveness", "log_odds")


def pool(seed: int, *, size: int = 6, items: int = 5, shift: float = 0.0, own: bool = False) -> Pool:
    draw = np.random.default_rng(seed)
    names = [f"item-{i}" for i in range(items)]
    tables = {"comprehensiveness": draw.random((items, size)) + shift, "log_odds": -draw.random((items, size)) - shift}
    return Pool({metric: pd.DataFrame(table, index=names) for metric, table in tables.items()}, {}, own)


# -- layers --------------------------------------------------------------------------------------------------------


def test_joined_pools_hold_the_first_maps_of_each_over_shared_items():
    a, b = pool(0), pool(1, items=4)
    both = joined([a, b], 2)
    assert both.size == 4
    for metric in METRICS:
        left, right = a.values[metric].iloc[:4, :2].to_numpy(), b.values[metric].iloc[:, :2].to_numpy()
        assert both.values[metric].to_numpy().tolist() == np.hstack([left, right]).tolist()
    best = both.picked("comprehensiveness", 4)
    assert best.tolist() == both.values["comprehensiveness"].max(axis=1).tolist()
    assert (best >= joined([a], 2).picked("comprehensiveness", 2)[best.index]).all(), "a larger pool is never worse"
    with pytest.raises(AttribookError, match="at least 7"):
        joined([a, b], 7)
    with pytest.raises(AttribookError, match="drawn"):
        joined([pool(2, own=True)], 2)


def test_pools_over_layers_and_the_printed_rows_that_they_answer():
    layers = [pool(seed, shift=-0.1 * seed) for seed in range(4)]
    found = layer_pools(layers, 2)
    assert {kind: [name for k, name in found if k == kind] for kind in (SINGLE, TOP_DOWN, BOTTOM_UP)} == {
        SINGLE: ["L", "L-1", "L-2", "L-3"], TOP_DOWN: ["L-1", "L-2", "L-3"], BOTTOM_UP: ["L", "L-1", "L-2"],
    }  # fmt: skip
    top, low = (found[kind, "L-2"].values["log_odds"].to_numpy() for kind in (TOP_DOWN, BOTTOM_UP))
    assert top.tolist() == np.hstack([layer.values["log_odds"].iloc[:, :2] for layer in layers[:3]]).tolist()
    assert low.tolist() == np.hstack([layer.values["log_odds"].iloc[:, :2] for layer in layers[2:]]).tolist()
    assert [printed_layer(TOP_DOWN, count, 6) for count in (2, 5, 6)] == ["L-1", "L-4", "L-11"]
    assert [printed_layer(BOTTOM_UP, count, 6) for count in (2, 5, 6)] == ["L-10", "L-7", "L"]


def test_layers_stand_beside_as_many_maps_of_one_and_of_chance():
    layers, one, blind = [pool(seed) for seed in range(3)], pool(9, size=6), pool(8, size=4)
    frame = layer_table(layers, one, blind, "log_odds", 2).set_index(["kind", "layers"])
    whole = frame.loc[TOP_DOWN, "L-2"]
    best = joined(layers, 2).values["log_odds"].min(axis=1)
    assert (whole["maps"], whole["n"]) == (6, 5)
    assert whole["ours"] == pytest.approx(best.mean())
    assert whole["one layer"] == pytest.approx(one.values["log_odds"].min(axis=1).mean())
    assert whole["lead"] == pytest.approx(whole["one layer"] - whole["ours"]), "lower log-odds are better"
    assert np.isnan(whole["random"]), "there are only 4 random rankings"
    assert frame.loc[(TOP_DOWN, "L-1"), "random"] == pytest.approx(blind.values["log_odds"].min(axis=1).mean())
    assert frame.loc[(SINGLE, "L"), "published"] == -2.583
    assert frame.loc[(TOP_DOWN, "L-2"), "published"] == frame.loc[(BOTTOM_UP, "L"), "published"] == -3.357


def test_a_better_top_is_told():
    layers = [pool(seed, items=10, shift=-3.0 * seed) for seed in range(3)]
    for metric in METRICS:
        assert (direction_table(layers, metric, 2)["lead"] > 1).all()
    told = layers_told(layers, layers[0], layers[2], METRICS, 2)
    assert "of 4 comparisons the deeper one is better in 4" in told
    assert "the top is better in 2" in told
    assert "than the best of 6 maps of the last layer" in told
    few = [pool(seed, items=9, shift=-3.0 * seed) for seed in range(3)]
    assert "the deeper one is better in 0, worse in 0" in layers_told(few, few[0], few[2], METRICS, 2)


# -- tries ---------------------------------------------------------------------------------------------------------


def test_how_many_random_rankings_a_method_is_worth():
    values = {"comprehensiveness": pd.DataFrame([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], index=["a", "b"])}
    blind = Pool(values, {}, False)  # expected bests of 1, 2, 3: 1, 5/3, 2
    for wanted, tries in ((0.9, 1), (1.6, 2), (1.7, 3), (2.0, 3), (2.1, None)):
        found = tries_worth(blind, pd.Series([wanted, wanted], index=["a", "b"]), "comprehensiveness")
        assert found.value == found.low == found.high == tries  # both texts are alike
    table = tries_table(blind, {"x": {"comprehensiveness": pd.Series([5.0], index=["a"])}}, ["comprehensiveness"])
    assert table["comprehensiveness"].tolist() == ["> 3 (> 3 to > 3)"]


def test_the_number_of_random_rankings_has_an_interval_over_texts():
    chance = np.random.default_rng(0)
    blind = Pool({"log_odds": pd.DataFrame(chance.standard_normal((40, 30)))}, {}, False)
    wanted = blind.picked("log_odds", 6) + 0.5 * pd.Series(chance.standard_normal(40))
    found = tries_worth(blind, wanted, "log_odds")
    by_hand = []
    for _ in range(200):
        drawn = chance.integers(40, size=40)
        bests = [blind.picked("log_odds", size).iloc[drawn].mean() for size in range(1, 31)]
        by_hand.append(next(k for k, best in enumerate(bests, 1) if best <= wanted.iloc[drawn].mean()))
    assert found.low <= found.value <= found.high
    assert found.low == pytest.approx(np.quantile(by_hand, 0.025), abs=1)
    assert found.high == pytest.approx(np.quantile(by_hand, 0.975), abs=2)


def test_what_is_told_of_leads_and_gains():
    mine = {metric: table[0] for metric, table in pool(0, items=10, shift=5.0).values.items()}
    other = {metric: table[0] for metric, table in pool(1, items=10).values.items()}
    few = {metric: values[:9] for metric, values in mine.items()}
    found = leads_table({"mine": mine, "few": few}, {"other": other, "itself": mine}, METRICS)
    assert found.to_dict("records") == [
        {"of": "mine", "Comp": "1 / 0", "LO": "1 / 0"}, {"of": "few", "Comp": "0 / 0", "LO": "0 / 0"},
    ]  # fmt: skip
    assert leads_table({"other": other}, {"mine": mine}, METRICS)["Comp"].item() == "0 / 1"
    flat = Pool({m: pd.DataFrame([[1.0, 1.0, 2.0], [1.0, 3.0, 3.0]]) for m in METRICS}, {}, False)
    assert alike_told(flat, METRICS, 2) == "Comp 50%, LO 50%"
    own = pool(2, items=10)
    told = gain_told(own, own, METRICS, (1, 2, 4))
    assert "Comp 100% (100% to 100%)" in told
    assert "The best of 4 maps of RPI is better than the best of 2" in told
    assert list(renamed({"lime{samples=3}": {}, "alti:flat": {}})) == ["lime", "alti:flat"]


def test_printed_sizes_are_those_of_nested_pools():
    assert sorted(printed_by_size()["R"].unique()) == list(NESTED)


# -- evidence ------------------------------------------------------------------------------------------------------


# -- one sentence --------------------------------------------------------------------------------------------------


def test_one_sentence_and_the_maps_that_metrics_pick():
    study = PoolStudy("rpi_pools", "smoke", "tiny-bert", "reviews-mini", "rpi-paper", ("rpi{steps=2,layers=-2}",),
                      METRICS, n_items=2, keep="all", size=3)  # fmt: skip
    found = read_sentence(study, 1)
    assert found.maps.shape == (3, len(found.tokens))
    values = found.values["log_odds"]
    assert values[found.picked("log_odds")] == values.min()
    frame = map_frame(found)
    assert frame.shape == (sum(found.attributable), 3)
    assert len(words_of(found)) == len(frame)
    tokens, marked = picked_texts(found)["LO ↓"]
    scores = found.maps[found.picked("log_odds")]
    assert all(found.attributable[place] for place in marked)
    others = [scores[i] for i in range(len(tokens)) if found.attributable[i] and i not in marked]
    assert len(marked) == 3
    assert min(scores[place] for place in marked) >= max(others)
    assert picked_notes(found)["LO ↓"] == f"map {found.picked('log_odds') + 1}"
    assert spread_table(found).set_index("metric").loc["LO ↓", "its value"] == values.min()
    assert "different maps for 2 metrics" in sentence_told(found)
