"""RPI's departures, protocols, and the labelled sets: planted values, slow versions."""

import numpy as np
import pandas as pd
import pytest

from attribook.attribution.rpi import RELEASED
from attribook.data.datasets import load_dataset
from attribook.data.labelled import PARTS, Part, Task
from attribook.errors import AttribookError
from attribook.grid.protocols import find_protocol
from attribook.grid.settings import read_setting
from attribook.models.load import load_model
from attribook.models.names import tuned_folder
from attribook.papers.rpi.departures import ALL, CHANGES, LEAST, WRITTEN, departed, departure_table, departures_of
from attribook.papers.rpi.settings import released_setting
from attribook.statistics.picking import Pool


def pool(metric, values):
    """A pool of drawn maps with these values, items by letters."""
    return Pool({metric: pd.DataFrame(values, index=list("abcdef")[: len(values)], dtype=float)}, {}, own=False)


# -- departures ------------------------------------------------------------------------------------------------


def options(name):
    return read_setting(name)[1]


@pytest.mark.parametrize("change", [name for name in CHANGES if name not in (WRITTEN, ALL)])
def test_a_departure_changes_one_option_to_the_released_one(change):
    written, changed = options(departed(WRITTEN, steps=10)), options(departed(change, steps=10))
    (name,) = CHANGES[change][1]
    assert {key for key in written if written[key] != changed[key]} == {name}
    assert changed[name] == RELEASED[name]


def test_everything_at_once_is_what_was_released():
    method, found = read_setting(departed(ALL, steps=10))
    assert method.resolve(found) == method.resolve(read_setting(released_setting(steps=11))[1])


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


def test_protocols_with_other_operators_change_nothing_else():
    paper = find_protocol("rpi-paper").metrics
    for name, operators in {"rpi-prompted": {"log_odds": "unk"}, "rpi-exchanged": {"log_odds": "delete"}}.items():
        for metric, found in find_protocol(name).metrics.items():
            other = "mask" if name == "rpi-exchanged" else paper[metric]["operator"]
            assert found == paper[metric] | {"operator": operators.get(metric, other)}


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
