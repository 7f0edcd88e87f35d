"""Labelled sets: what is left out of which part, and what the originals hold."""

import pytest

from attribook.data.datasets import load_dataset
from attribook.data.labelled import PARTS, Part, Task
from attribook.errors import AttribookError
from attribook.models.load import load_model
from attribook.models.names import tuned_folder

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
