"""Data sets: our own by structure, the papers' by hash and count."""

import dataclasses
import re
from collections import Counter

import pytest

from attribook.data.datasets import DATASETS, load_dataset
from attribook.data.prompts import Prompt, matches
from attribook.errors import AttribookError

OWN = [name for name, data in DATASETS.items() if data.own]


def is_whole_words(prompt, span):
    start, end = prompt.spans[span]
    inside, around = prompt.text[start:end], (" " + prompt.text)[start] + (prompt.text + " ")[end]
    return inside == inside.strip() != "" and not any(character.isalnum() for character in around)


def sentences(text):
    return re.split(r"(?<=[.?!]) ", text)


@pytest.mark.parametrize("name", OWN)
def test_own_sets_are_sound(name):
    prompts = load_dataset(name)
    assert len({p.id for p in prompts}) == len(prompts)
    assert len({p.text for p in prompts}) == len(prompts)
    assert all(prompt.text == " ".join(prompt.text.split()) for prompt in prompts)
    assert all(" " not in (prompt.gold or "") for prompt in prompts)


def test_our_reviews_are_half_positive():
    golds = [prompt.gold for prompt in load_dataset("reviews-mini")]
    assert len(golds) == DATASETS["reviews-mini"].rows
    assert golds.count("positive") == golds.count("negative") == len(golds) / 2


@pytest.mark.parametrize("name", ["longra-mini", "knowns-mini"])
def test_our_prompts_name_whole_words(name):
    prompts = load_dataset(name)
    assert len(prompts) >= 150
    assert len({p.group for p in prompts}) >= 8
    assert all(is_whole_words(prompt, "antecedent") for prompt in prompts)


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


def test_our_stories_hold_the_reason_once_and_in_every_place_alike():
    prompts = load_dataset("tellmewhy-mini")
    places = Counter()
    for prompt in prompts:
        *story, question = sentences(prompt.text)
        assert len(story) == 5
        assert question.startswith("Why ")
        assert question.endswith("?")
        assert 35 <= len(prompt.text.split()) <= 60
        assert is_whole_words(prompt, "antecedent")
        reason = prompt.text[slice(*prompt.spans["antecedent"])]
        assert prompt.text.count(reason) == 1
        places[next(place for place, sentence in enumerate(story) if reason in sentence)] += 1
    assert [places[place] for place in range(5)] == [len(prompts) / 5] * 5
    assert min(Counter(prompt.group for prompt in prompts).values()) >= 5


def test_our_biographies_are_two_sentences_about_different_people():
    prompts = load_dataset("wikibio-mini")
    people = [prompt.text.split(" (")[0] for prompt in prompts]
    assert len({word for name in people for word in name.split()}) == sum(len(name.split()) for name in people)
    for prompt in prompts:
        assert len(sentences(prompt.text)) == 2
        assert 25 <= len(prompt.text.split()) <= 45
        assert prompt.text.endswith(".")
    assert set(Counter(prompt.group for prompt in prompts).values()) == {4}


def test_open_prompts_have_no_answer():
    prompt = load_dataset("wikibio-mini")[0]
    assert prompt.gold is None
    with pytest.raises(AttribookError, match="keep='all'"):
        _ = prompt.answer
    assert Prompt("a", "text", "gold", "g").answer == "gold"


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


# Rows, and how the first prompt begins and ends.
OPEN = {
    "tellmewhy": (464, "Matt and Sarah were pregnant.", "Why were Matt and Sarah pregnant?"),
    "wikibio": (238, "Sir John Russell Reynolds, 1st Baronet (", "Henry Revell Reynolds."),
    "wikibio-gpt3": (119, "John Russell Reynolds (1820", "Trinity College, Cambridge."),
    "reagent-tellmewhy": (20, "Jay took a trip", "Why did He go ?"),
    "reagent-wikitext": (22, "Bowman Creek is", "Wyoming County "),
}


@pytest.mark.parametrize("name", list(OPEN))
def test_original_open_prompts(originals, name):
    rows, begins, ends = OPEN[name]
    prompts = load_dataset(name)
    assert len({p.id for p in prompts}) == len({p.text for p in prompts}) == rows
    assert prompts[0].text.startswith(begins)
    assert prompts[0].text.endswith(ends)
    assert all(p.gold is None and not p.spans for p in prompts)


def test_original_groups(originals):
    answerable = Counter(p.group for p in load_dataset("tellmewhy"))
    assert answerable == {"answerable": 307, "not answerable": 157}
    by_person = {p.id: p.text for p in load_dataset("wikibio")}
    judged = load_dataset("wikibio-gpt3")
    assert all(by_person[p.id] != p.text for p in judged)
    assert Counter(p.group for p in judged) == {"accurate": 25, "minor_inaccurate": 58, "major_inaccurate": 36}


def test_released_lines_are_taken_as_they_stand(originals):
    assert sum("\t" in p.text for p in load_dataset("reagent-tellmewhy")) == 4
    assert sum(p.text.endswith(" ") for p in load_dataset("reagent-wikitext")) == 17
    assert [p.id for p in load_dataset("reagent-tellmewhy")] == [str(number) for number in range(20)]


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
    (tmp_path / "longra" / "longra_573.jsonl").write_text("{}\n", encoding="utf-8")
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
    with pytest.raises(AttribookError, match="empty"):
        Prompt("a", "text", "", "g")
    with pytest.raises(AttribookError, match="outside"):
        Prompt("a", "text", "gold", "g", {"antecedent": (2, 9)})
