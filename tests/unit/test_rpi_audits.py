"""RPI's departures, its ceiling, two operators, top words, and the labelled sets: planted values, slow versions."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import seeded

from attribook.data.datasets import load_dataset
from attribook.data.labelled import PARTS, Part, Task
from attribook.errors import AttribookError
from attribook.grid.protocols import find_protocol
from attribook.grid.settings import Setting
from attribook.metrics.conventions import CONVENTIONS
from attribook.metrics.registry import METRICS
from attribook.models.load import load_model
from attribook.models.names import tuned_folder
from attribook.papers.rpi.ceilings import ceiling, ceiling_table, operator_shares, searched
from attribook.papers.rpi.departures import ALL, CHANGES, LEAST, WRITTEN, departed, departure_table, departures_of
from attribook.papers.rpi.protocols import RELEASED
from attribook.papers.rpi.tables import named_words_table, released_setting
from attribook.papers.rpi.top_words import Marks, chance_shared, highest, shared, sharing_table
from attribook.statistics.picking import Pool


def pool(metric, values):
    """A pool of drawn maps with these values, items by letters."""
    return Pool({metric: pd.DataFrame(values, index=list("abcdef")[: len(values)], dtype=float)}, {}, own=False)


# -- departures ------------------------------------------------------------------------------------------------


def options(name):
    return dict(Setting.parse(name).options)


@pytest.mark.parametrize("change", [name for name in CHANGES if name not in (WRITTEN, ALL)])
def test_a_departure_changes_one_option_to_the_released_one(change):
    written, changed = options(departed(WRITTEN, steps=10)), options(departed(change, steps=10))
    (name,) = CHANGES[change][1]
    assert {key for key in written if written[key] != changed[key]} == {name}
    assert changed[name] == RELEASED[name]


def test_everything_at_once_is_what_was_released():
    found, released = Setting.parse(departed(ALL, steps=10)), Setting.parse(released_setting(steps=11))
    assert found.facts.resolve(dict(found.options)) == released.facts.resolve(dict(released.options))


def test_a_divisor_scales_and_the_least_is_told_apart_from_it():
    metric = "aopc_comprehensiveness"
    written, released = [[0.5, 0.1], [0.3, 0.2]], [[0.25, 0.05], [0.1, 0.0]]
    pools = {WRITTEN: pool(metric, written), ALL: pool(metric, written)}
    found = departures_of(pools, {WRITTEN: pool(metric, released), ALL: pool(metric, released)}, metric, 2)
    best = found["best of 2"]
    assert best[WRITTEN].tolist() == [0.5, 0.3]
    assert best["divisor 6"].to_numpy() == pytest.approx([0.5 * 5 / 6, 0.25])
    assert best[LEAST].to_numpy() == pytest.approx([0.25 * 6 / 5, 0.12])
    assert found["one map"]["judged as released"].to_numpy() == pytest.approx([0.15, 0.05])
    frame = departure_table(best, metric).set_index("change")
    assert np.isnan(frame.loc[WRITTEN, "moved"])
    assert frame.loc["divisor 6", "moved"] == pytest.approx(-0.4 / 6)


def test_a_move_down_is_better_where_lower_is():
    told = {WRITTEN: pd.Series([0.4, 0.2]), "x": pd.Series([0.3, 0.1])}
    assert departure_table(told, "sufficiency").set_index("change").loc["x", "moved"] == pytest.approx(0.1)


# -- the ceiling -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [1, -1])
def test_a_wide_beam_finds_what_all_sets_have(way):
    drawn = torch.randn(99, generator=seeded())
    sets = [chosen for k in range(4) for chosen in combinations(range(7), k)]
    values = {chosen: float(drawn[number]) for number, chosen in enumerate(sets)}

    def told(sets):
        return [values[each] for each in sets]

    exact, asked = searched(told, 7, 3, way, None)
    assert asked == 35
    assert exact == way * max(way * values[s] for s in combinations(range(7), 3))
    assert searched(told, 7, 3, way, 99)[0] == exact
    assert way * searched(told, 7, 3, way, 1)[0] <= way * exact


@pytest.mark.parametrize("metric", ["comprehensiveness", "sufficiency", "log_odds"])
def test_the_ceiling_is_the_best_ranking(metric):
    model = load_model("tiny-bert")
    encoding = model.encode("the old house")
    given = CONVENTIONS["paper"][metric] | {"operator": "delete"}
    found = ceiling(model, encoding, metric, given, 5)
    places = encoding.attributable.nonzero()[:, 0].tolist()
    told = []
    for chosen in combinations(places, found["k"]):
        scores = torch.zeros(len(encoding), dtype=torch.float64)
        scores[list(chosen)] = 1
        told.append(METRICS[metric](model, encoding, scores, generator=seeded(), **given).value)
    assert found["exact"] == 1
    assert found["sets"] == len(told)
    assert float(found["value"]) == pytest.approx((max if metric == "comprehensiveness" else min)(told), rel=1e-4)


def test_the_ceiling_itself_goes_the_whole_way():
    metric = "comprehensiveness"
    blind, lucky = pool(metric, [[0.0, 0.2], [0.1, 0.3]]), pool(metric, [[0.5, 0.5], [0.6, 0.6]])
    rows = pd.DataFrame({"item": ["a", "b"], "metric": metric, "value": [0.5, 0.6]})
    frame = ceiling_table(rows, {"random": blind, "best": lucky}, "random", 2).set_index(["pool", "picked"])
    assert frame.loc[("best", "best of 2"), ["share", "left"]].tolist() == pytest.approx([1, 0])
    assert frame.loc[("random", "one map"), "share"] == pytest.approx(0)
    assert frame.loc[("random", "best of 2"), "share"] == pytest.approx(0.2 / (0.4 + 0.4))


def test_a_pick_is_told_with_the_other_operator_both_ways():
    # Lower is better: deleting picks map 0 of both texts, masking picks map 1 and map 0.
    first = pool("sufficiency", [[0.0, 0.4], [0.1, 0.5]])
    other = pool("sufficiency", [[0.6, 0.2], [0.1, 0.3], [9.0, 9.0]])
    # Gains where the same operator picks: -0.2, -0.2 and -0.2, -0.1; where the other does: +0.2, -0.2 and +0.2, -0.1.
    told = operator_shares(first, other, "sufficiency", 2)
    assert told.value == pytest.approx((0.2 - 0.2 + 0.2 - 0.1) / -0.7)
    assert told.n == 2
    assert operator_shares(first, first, "sufficiency", 2).value == pytest.approx(1)


def test_protocols_with_other_operators_change_nothing_else():
    paper = find_protocol("rpi-paper").metrics
    for name, operators in {"rpi-prompted": {"log_odds": "unk"}, "rpi-exchanged": {"log_odds": "delete"}}.items():
        for metric, found in find_protocol(name).metrics.items():
            other = "mask" if name == "rpi-exchanged" else paper[metric]["operator"]
            assert found == paper[metric] | {"operator": operators.get(metric, other)}


# -- words -----------------------------------------------------------------------------------------------------


def marks(tops):
    return Marks("a", "x", ["[CLS]", "a", " b", " c", " d", " e"], "positive", 0.9, tops, 5)


def test_top_words_and_what_two_share():
    assert highest([9, 1, 3, 3, 2, 0], [1, 2, 3, 4, 5]) == [2, 3, 4]
    one = marks({"x": [2, 3, 4], "y": [4, 2, 1]})
    assert one.words("y") == ["d", "b", "a"]
    assert shared([one], "x", "y").tolist() == [2]
    assert chance_shared([one]).tolist() == [9 / 5]
    frame = sharing_table([one], "x", ["x", "y"]).set_index("with")
    assert list(frame.index) == ["y", "(chance)"]
    assert frame.loc["y", "all shared"] == 0


def test_named_words_are_counted_by_kind():
    kinds = ("ranked", "hallucinated", "repeated", "unnamed")
    rows = [
        {"method": "self_ranking", "details": dict(zip(kinds, found, strict=True))}
        for found in ((3, 0, 1, 2), (1, 4, 0, 4))
    ]
    frame = named_words_table([*rows, {"method": "lime", "details": {}}]).set_index("words")
    assert frame["a text"].tolist() == [2, 2, 0.5, 3]
    assert frame.loc["hallucinated", "texts with any"] == 0.5
    assert set(frame["n"]) == {2}


# -- labelled sets ---------------------------------------------------------------------------------------------

TASK = Task(
    parts=(Part("train", "train.tsv", ""), Part("held-out", "test.tsv", "")),
    labels=("no", "yes"), source="", licence="", about="", words={"-lrb-": "("},
)  # fmt: skip


def test_a_text_of_a_later_part_is_left_out_of_the_earlier():
    lines = [f"text number {i}\t{i % 2}" for i in range(40)]
    contents = {
        "train.tsv": "\n".join(["text\tlabel", *lines, "A  -lrb-b\t1", ""]),
        "test.tsv": "text\tlabel\na (B\t0\n",
    }
    found = TASK.read(contents)
    assert [p.text for p in found if p.split == "held-out"] == ["a (B"]
    assert sorted(p.text for p in found if p.split != "held-out") == sorted(line.split("\t")[0] for line in lines)
    assert {p.split for p in found} == set(PARTS)
    assert all(p.gold == ("yes", "no")[int(p.text.split()[-1]) % 2 == 0] for p in found if p.split != "held-out")
    assert len({p.id for p in found}) == 41
    assert TASK.read(contents, ("held-out",)) == [p for p in found if p.split == "held-out"]


def test_an_unknown_class_is_refused():
    with pytest.raises(AttribookError, match="Line 2: the class '7'"):
        TASK.read({"train.tsv": "text\tlabel\nx\t7\n", "test.tsv": "text\tlabel\n"})


@pytest.mark.parametrize(("name", "classes"), [("sst2", 2), ("ag-news", 4), ("emotion", 6)])
def test_labelled_originals(originals, name, classes):
    whole, last = load_dataset(name), load_dataset(f"{name}-held-out")
    assert [p.text for p in whole if p.split == "held-out"] == [p.text for p in last]
    assert len({p.gold for p in whole}) == classes
    texts = {part: {" ".join(p.text.casefold().split()) for p in whole if p.split == part} for part in PARTS}
    assert not texts["train"] & (texts["validation"] | texts["held-out"])


def test_a_model_that_is_not_tuned_yet_says_how(monkeypatch, tmp_path):
    monkeypatch.setattr("attribook.models.names.home", lambda: tmp_path)
    with pytest.raises(AttribookError, match="attribook models train minilm-sst2"):
        load_model("minilm-sst2")
    (tmp_path / "trained" / "minilm-sst2").mkdir(parents=True)
    assert tuned_folder("minilm-sst2") == tmp_path / "trained" / "minilm-sst2"
    assert tuned_folder("minilm-rotten-tomatoes") is None
