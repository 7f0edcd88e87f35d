"""RPI's tables: pools joined over layers, best-of-R rows as evidence for printed cells, one sentence's maps."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from attribook.errors import AttribookError
from attribook.grid.pools import NESTED, PoolStudy
from attribook.ledger.headlines import headline_rows
from attribook.ledger.hypothesis_tests import Ask, Court
from attribook.ledger.ledger import full_ledger
from attribook.ledger.links import links
from attribook.ledger.verdicts import CERTAIN, NO_ROWS, NOT_HERE, OPPOSITE, SAME
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
from attribook.statistics.picked_rows import alternatives, holds, read_picked
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

RPI = "rpi{layers=-3,steps=11,points=both_ends,timestep=500,noise=variance,noised=text,factor=attention,output=logit}"


def test_alternatives_of_a_setting():
    assert list(alternatives("rpi{layers=-1|-2,steps=3}")) == ["rpi{layers=-1,steps=3}", "rpi{layers=-2,steps=3}"]
    assert list(alternatives("random")) == ["random"]


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Single maps of Comp and pools beside them, by method: the values' mean."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))

    def planted(single, pools, dataset="rotten-tomatoes-held-out", judged="rotten-tomatoes-held-out"):
        chance = np.random.default_rng(0)
        for study, given in (("rpi_table2", single), ("rpi_pools", pools)):
            folder = tmp_path / "laptop" / study / "minilm-rotten-tomatoes" / "rpi-paper"
            folder.mkdir(parents=True)
            told = {"name": study, "profile": "laptop", "model": "minilm-rotten-tomatoes", "protocol": "rpi-paper",
                    "metrics": ["comprehensiveness"], "methods": list(given),
                    "dataset": dataset if study == "rpi_pools" else judged}  # fmt: skip
            (folder / "manifest.json").write_text(json.dumps({"weights": "w", "files": {}, "runs": [{"study": told}]}))
            column = "value" if study == "rpi_table2" else "values"
            with (folder / "rows.csv").open("w", newline="") as file:
                out = csv.writer(file)
                out.writerow(["key", "item", "method", "metric", "status", column])
                for method, mean in given.items():
                    size = 1 if study == "rpi_table2" else 32
                    for item in range(30):
                        values = " ".join(f"{mean + 0.02 * chance.standard_normal():.6g}" for _ in range(size))
                        out.writerow(["k", f"i{item}", method, "comprehensiveness", "ok", values])
        return tmp_path

    return planted


def cells(rows, table, row, column, dataset="RTN"):
    return next(
        r for r in rows if (r["table"], r["row"], r["column"], r["metric"]) == (table, row, column, "comprehensiveness")
        and r["dataset"] == dataset
    )  # fmt: skip


def test_printed_bests_are_answered_by_bests(plant):
    layer = RPI.replace("-3", "-1")
    folder = plant({"decompx": 0.2, "alti": 0.9}, {RPI: 0.4, layer: 0.3})
    rows = full_ledger(["rpi"])
    order = cells(rows, 2, "DCMP", "BERT")
    assert (order["verdict"], order["n"]) == (SAME, 30)
    assert order["rows"].count("rows.csv") == 2
    assert cells(rows, 2, "ALTI", "BERT")["verdict"] == OPPOSITE
    best = read_picked(folder / "laptop/rpi_pools/minilm-rotten-tomatoes/rpi-paper/rows.csv")
    values = best.value(f"{RPI}, best of 24", "comprehensiveness")
    assert cells(rows, 2, "RPI", "BERT")["ours"] == pytest.approx(values.mean())
    assert 0.4 < values.mean() < best.value(f"{RPI}, best of 32", "comprehensiveness").mean()
    assert cells(rows, 5, "R=1", "Comp")["ours"] == pytest.approx(0.4, abs=0.01)
    assert cells(rows, 5, "R=32", "Comp")["verdict"] == CERTAIN, "it holds all other rows' maps"
    assert cells(rows, 7, "L", SINGLE)["verdict"] == SAME  # behind L-2
    assert cells(rows, 7, "L-7", SINGLE)["verdict"] == NOT_HERE
    assert "encoder of six" in cells(rows, 7, "L-7", SINGLE)["reason"]
    assert cells(rows, 2, "DCMP", "BERT", "SST2")["verdict"] == NO_ROWS
    both = best.value(f"{RPI.replace('-3', '-1|-3')}, best of 48", "comprehensiveness")
    assert both.mean() >= values.mean() - 0.01
    assert best.value(f"{RPI}, best of 33", "comprehensiveness") is None
    assert best.value(RPI, "comprehensiveness") is None
    with pytest.raises(AttribookError, match="equal parts"):
        best.value(f"{RPI.replace('-3', '-1|-3')}, best of 25", "comprehensiveness")


def test_pools_of_several_sizes_give_the_same_whichever_was_stored_first(plant):
    path = plant({"decompx": 0.2}, {RPI: 0.4}) / "laptop/rpi_pools/minilm-rotten-tomatoes/rpi-paper/rows.csv"
    frame = pd.read_csv(path, dtype=str)
    smaller = frame.assign(values=[" ".join(values.split()[:24]) for values in frame["values"]])
    found = []
    for order in ([frame, smaller], [smaller, frame]):
        pd.concat(order).to_csv(path, index=False)
        found.append(read_picked(path).value(f"{RPI}, best of 16", "comprehensiveness"))
    pd.testing.assert_series_equal(*found)
    pd.concat([smaller.head(29), frame]).to_csv(path, index=False)
    assert len(read_picked(path).value(f"{RPI}, best of 16", "comprehensiveness")) == 30  # items come first


def test_a_pool_that_holds_another_says_nothing(plant):
    layers = "|".join(str(-k) for k in range(1, 7))
    plant({"sequential_integrated_gradients{steps=10}": 0.9}, {RPI.replace("-3", f"-{k}"): 0.4 for k in range(1, 7)})
    whole = cells(full_ledger(["rpi"]), 7, "L-1", TOP_DOWN)  # behind L-11
    assert whole["verdict"] == CERTAIN
    assert "of two pools the larger can only win" in whole["reason"]
    claims = {row["row"]: row for row in headline_rows(["rpi"])}
    assert "1 by construction" in claims["rpi-more-draws"]["reason"]
    assert "of 45 printed comparisons 1 have rows" in claims["rpi-few-draws"]["reason"]  # Comp of SIG, in Table 2
    one, two = (f"{RPI}, best of {many}" for many in (16, 24))
    assert holds(one, two)
    assert holds(two, one)
    assert holds(f"{RPI.replace('-3', layers)}, best of 144", two)
    assert not holds(f"{RPI.replace('-3', layers)}, best of 48", two)  # 8 of each layer
    assert not holds(two, f"{RPI.replace('-3', '-1|-2')}, best of 48")
    assert not holds(two, "decompx")
    assert not holds(two, None)


def test_a_certain_test_takes_no_part_in_the_family(plant):
    plant({"alti": 0.396, "decompx": 0.2}, {RPI: 0.4})
    court = Court()
    (held,) = court.shelf.find("rpi_table2", "rpi-paper", "rpi_pools")
    asked = [Ask("", f"{RPI}, best of 1", "alti", 1), Ask("", f"{RPI}, best of 1", "decompx", 1)]
    certain = [Ask("", f"{RPI}, best of {size + 1}", f"{RPI}, best of {size}", 1) for size in range(1, 9)]
    for more in ([], certain):
        close, clear, *rest = court.answers([([held], "comprehensiveness", asked + more)])[0]
        assert 2 * clear.found.p < close.found.p < 1
        assert (close.p, clear.p) == (close.found.p, 2 * clear.found.p)  # Holm over two tests
        assert {answer.side for answer in rest} <= {CERTAIN}


def test_pools_on_other_texts_answer_nothing(plant):
    plant({"decompx": 0.2}, {RPI: 0.4}, dataset="reviews-mini")
    rows = full_ledger(["rpi"])
    assert cells(rows, 2, "RPI", "BERT")["verdict"] == NO_ROWS


def test_rows_answer_cells_of_their_own_texts_alone(plant):
    plant({"decompx": 0.2}, {RPI: 0.4}, dataset="sst2-held-out", judged="sst2-held-out")
    rows = full_ledger(["rpi"])
    found = cells(rows, 2, "DCMP", "BERT", "SST2")
    assert (found["verdict"], found["data"]) == (SAME, "sst2-held-out")
    assert "stands in for BERT on SST2" in found["reason"]
    assert {cells(rows, 2, "DCMP", "BERT", name)["verdict"] for name in ("RTN", "AGN", "EMR")} == {NO_ROWS}


def test_names_of_links_are_settings_that_can_be_read():
    from attribook.grid.settings import read_setting

    named = [name for link in links().links if link.pools for name in link.names.values()]
    assert named
    for name in named:
        for setting in alternatives(name.split(", best of")[0]):
            read_setting(setting)


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
