"""Data sets: our own by structure, the papers' by hash and count."""

import dataclasses

import pytest

from attribook.data import DATASETS, Prompt, load_dataset, matches
from attribook.errors import AttribookError

OWN = [name for name, data in DATASETS.items() if data.own]


@pytest.mark.parametrize("name", OWN)
def test_own_sets_are_sound(name):
    prompts = load_dataset(name)
    assert len({p.id for p in prompts}) == len(prompts)
    assert len({p.text for p in prompts}) == len(prompts)
    assert all(prompt.text == prompt.text.strip() and " " not in prompt.gold for prompt in prompts)


def test_our_reviews_are_half_positive():
    golds = [prompt.gold for prompt in load_dataset("reviews-mini")]
    assert len(golds) == DATASETS["reviews-mini"].rows
    assert golds.count("positive") == golds.count("negative") == len(golds) / 2


@pytest.mark.parametrize("name", ["longra-mini", "knowns-mini"])
def test_our_prompts_name_whole_words(name):
    prompts = load_dataset(name)
    assert len(prompts) >= 150
    assert len({p.group for p in prompts}) >= 8
    for prompt in prompts:
        start, end = prompt.spans["antecedent"]
        word = prompt.text[start:end]
        assert word
        around = (" " + prompt.text)[start] + (prompt.text + " ")[end]
        assert not any(character.isalnum() for character in around), "an antecedent is whole words"


def test_longra_mini_has_each_prompt_with_and_without_its_distractor():
    for prompt in load_dataset("longra-mini"):
        start, end = prompt.spans["distractor"]
        assert prompt.text[start] == "("
        assert prompt.text[end - 1] == ")"
        assert prompt.plain == prompt.text[:start] + prompt.text[end + 1 :]
        distractor = prompt.text[start:end].lower()
        first, last = prompt.spans["antecedent"]
        assert prompt.text[first:last].lower() not in distractor.replace("(", " ").split()
        assert last <= start


@pytest.mark.parametrize(("name", "rows"), [("longra", 573), ("knowns", 1209)])
def test_original_sets(originals, name, rows):
    prompts = load_dataset(name)
    assert len(prompts) == rows
    spanned = [p for p in prompts if "antecedent" in p.spans]
    assert len(spanned) > 0.95 * rows
    if name == "longra":
        first = prompts[0]
        assert first.text[slice(*first.spans["antecedent"])] == "Greece"
        assert first.text[slice(*first.spans["distractor"])].startswith("(I had")
        assert first.gold == "Athens"


def test_original_sets_without_their_folder_say_how_to_bring_them(monkeypatch, tmp_path):
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    with pytest.raises(AttribookError, match=r"\$ATTRIBOOK_DATA"):
        load_dataset("longra")
    monkeypatch.setenv("ATTRIBOOK_DATA", str(tmp_path))
    with pytest.raises(AttribookError, match="is missing"):
        load_dataset("longra")


def test_an_edited_original_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTRIBOOK_DATA", str(tmp_path))
    (tmp_path / "longra").mkdir()
    (tmp_path / "longra" / "longra_573.jsonl").write_text("{}\n")
    with pytest.raises(AttribookError, match="not the registered file"):
        load_dataset("longra")


def test_a_wrong_number_of_rows_is_refused(monkeypatch):
    monkeypatch.setitem(DATASETS, "longra-mini", dataclasses.replace(DATASETS["longra-mini"], rows=7))
    with pytest.raises(AttribookError, match="expected 7"):
        load_dataset("longra-mini")


@pytest.mark.parametrize(
    ("gold", "predicted", "right"),
    [("Tokyo", " Tokyo", True), ("Tokyo", " Tok", True), ("Tokyo", " ", False), ("Tokyo", " tokyo", False),
     ("Tokyo", " Tokyos", False), ("Tokyo", "", False)],
)  # fmt: skip
def test_matching_rule(gold, predicted, right):
    assert matches(gold, predicted) is right


def test_prompts_refuse_nonsense():
    with pytest.raises(AttribookError, match="empty"):
        Prompt("a", " ", "gold", "g")
    with pytest.raises(AttribookError, match="outside"):
        Prompt("a", "text", "gold", "g", {"antecedent": (2, 9)})
