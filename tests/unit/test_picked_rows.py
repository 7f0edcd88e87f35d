"""Stored pools as evidence: what the best of R maps says to printed values that a metric has picked."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from attribook.errors import AttribookError
from attribook.grid.settings import Picked, Setting
from attribook.ledger.claim_rows import claim_rows
from attribook.ledger.hypothesis_tests import Hypothesis, HypothesisTests
from attribook.ledger.ledger import full_ledger
from attribook.ledger.links import links
from attribook.ledger.words import CERTAIN, NO_ROWS, NOT_HERE, OPPOSITE, SAME
from attribook.statistics.picked_rows import holds, read_picked
from attribook.statistics.tests import max_t

SINGLE, TOP_DOWN = "Individual Layers", "Top-down Aggregation"
RPI = "rpi{layers=-3,steps=11,points=both_ends,timestep=500,noise=variance,noised=text,factor=attention,output=logit}"


def test_alternatives_of_a_setting():
    found = Picked.parse("rpi{layers=-1|-2,steps=3}, best of 4")
    assert list(map(str, found.settings)) == ["rpi{layers=-1,steps=3}", "rpi{layers=-2,steps=3}"]
    assert list(map(str, Picked.parse("random, best of 4").settings)) == ["random"]


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
            (folder / "manifest.json").write_text(
                json.dumps({"weights": "w", "files": {}, "runs": [{"study": told}]}), encoding="utf-8"
            )
            column = "value" if study == "rpi_table2" else "values"
            with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
                out = csv.writer(file)
                out.writerow(["key", "item", "method", "metric", "status", column])
                for method, mean in given.items():
                    size = 1 if study == "rpi_table2" else 32
                    for item in range(60):
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
    assert (order["verdict"], order["n"]) == (SAME, 60)
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
    pd.concat([smaller.head(59), frame]).to_csv(path, index=False)
    assert len(read_picked(path).value(f"{RPI}, best of 16", "comprehensiveness")) == 60  # items come first


def test_a_pool_that_holds_another_says_nothing(plant):
    layers = "|".join(str(-k) for k in range(1, 7))
    plant({"sequential_integrated_gradients{steps=10}": 0.9}, {RPI.replace("-3", f"-{k}"): 0.4 for k in range(1, 7)})
    whole = cells(full_ledger(["rpi"]), 7, "L-1", TOP_DOWN)  # behind L-11
    assert whole["verdict"] == CERTAIN
    assert "of two pools the larger always wins" in whole["reason"]
    claims = {row["row"]: row for row in claim_rows(["rpi"], HypothesisTests())}
    assert "1 is fixed by construction" in claims["rpi-more-draws"]["reason"]
    assert "44 have no rows" in claims["rpi-few-draws"]["reason"]  # but for Comp of SIG, in Table 2
    one, two = (f"{RPI}, best of {many}" for many in (16, 24))
    assert holds(one, two)
    assert holds(two, one)
    assert holds(f"{RPI.replace('-3', layers)}, best of 144", two)
    assert not holds(f"{RPI.replace('-3', layers)}, best of 48", two)  # 8 of each layer
    assert not holds(two, f"{RPI.replace('-3', '-1|-2')}, best of 48")
    assert not holds(two, "decompx")
    assert not holds(two, None)


def test_a_comparison_fixed_by_construction_is_left_out_of_the_family(plant):
    plant({"alti": 0.396, "decompx": 0.2}, {RPI: 0.4})
    tests = HypothesisTests()
    (held,) = tests.rows.find("rpi_table2", "rpi-paper", "rpi_pools")
    two = [Hypothesis("", f"{RPI}, best of 1", other, 1) for other in ("alti", "decompx")]
    certain = [Hypothesis("", f"{RPI}, best of {size + 1}", f"{RPI}, best of {size}", 1) for size in range(1, 9)]
    for more in ([], certain):
        close, clear, *rest = tests.results([([held], "comprehensiveness", two + more)])[0]
        assert clear.estimate.p < close.estimate.p < 1
        assert [clear.p, close.p] == max_t([clear.estimate, close.estimate])[0]  # of a family of two
        assert {result.decision for result in rest} <= {CERTAIN}


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


def test_pools_that_links_name_are_of_methods_that_draw_their_maps():
    """The best of the first maps is otherwise another number: a method's own map would be among all of them."""
    named = [name for link in links().links if link.pools for name in link.names.values()]
    assert named
    for name in named:
        picked = Picked.parse(name)
        for setting in picked.settings if picked else [Setting.parse(name)]:
            assert not (picked and setting.own_map), setting
