"""Answerability: words, selections, rates and scores by hand, with a judge that follows a script."""

from dataclasses import replace

import pytest
import torch
from conftest import seeded

from attribook.errors import AttribookError
from attribook.metrics.answerability import (
    SELECTIONS,
    Answered,
    answerability,
    answered,
    gain,
    minimum_share,
    same_answer,
    selected,
    word_scores,
)
from attribook.metrics.judges import JudgeAnswer
from attribook.models.load import load_model

TEXT = "the capital of Japan, I was"  # six words


class Scripted:
    """Right if it sees all the words that it needs."""

    name = "scripted"

    def __init__(self, needs=(), says="Tokyo", candidates=None, status="ok"):
        self.needs, self.says, self.candidates, self.status = set(needs), says, candidates, status
        self.asked = []

    def ask(self, words, candidates=1):
        self.asked.append((tuple(words), candidates))
        if self.status != "ok":
            return JudgeAnswer("", status=self.status)
        return JudgeAnswer(self.says if self.needs <= set(words) else "Paris", self.candidates)


@pytest.fixture
def encoding():
    return load_model("tiny-llama").encode(TEXT)


def scores_of(encoding, by_word):
    """All of a word's score on its first token, and some on special tokens, which must not matter."""
    scores = (~encoding.attributable).double()
    word = -1
    for i, (token, attributable) in enumerate(zip(encoding.tokens, encoding.attributable.tolist(), strict=True)):
        if attributable and (token.startswith(" ") or word == -1):
            word += 1
            scores[i] = by_word[word]
    return scores


# -- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2", "tiny-bert"])
def test_words_have_the_sums_of_their_tokens(name):
    encoding = load_model(name).encode("the old friend's house: it is 東京\n")
    scores = torch.arange(1, len(encoding) + 1, dtype=torch.float64)
    words, sums = word_scores(encoding, scores)
    assert words == ["the", "old", "friend's", "house:", "it", "is", "東京"]
    assert float(sums.sum()) == float(scores[encoding.attributable].sum())  # special tokens count nowhere
    texts, expected = [], []
    for token, score, here in zip(encoding.tokens, scores.tolist(), encoding.attributable.tolist(), strict=True):
        if here and (token.startswith(" ") or not texts):
            texts.append("")
            expected.append(0.0)
        if here:
            texts[-1] += token.strip()
            expected[-1] += score
    assert texts == words
    assert sums.tolist() == expected


def test_tokens_without_letters_and_special_tokens_by_hand():
    model = load_model("tiny-gpt2")
    encoding = model.encode("a")
    tokens = ["\n", "a", "b", " ", "é", "", "</s>", "d", " ", "\n"]
    flags = torch.tensor([token != "</s>" for token in tokens])
    made = replace(encoding, tokens=tokens, attributable=flags)
    words, sums = word_scores(made, torch.tensor([1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512]))
    assert words == ["ab", "é", "d"]
    assert sums.tolist() == [1 + 2 + 4, 8 + 16 + 32, 128 + 256 + 512]
    made = replace(encoding, tokens=["a", "b", "</s>", "c d"], attributable=torch.tensor([True, True, False, True]))
    words, sums = word_scores(made, torch.tensor([1.0, 2, 4, 8]))
    assert (words, sums.tolist()) == (["ab", "c", "d"], [3, 8, 0])  # a token over two words belongs to the first


def test_bad_scores_and_texts_without_words(encoding):
    with pytest.raises(AttribookError, match="refuses NaN"):
        word_scores(encoding, torch.full((len(encoding),), float("nan")))
    with pytest.raises(AttribookError, match=r"\(3,\) scores for"):
        word_scores(encoding, torch.zeros(3))
    empty = replace(encoding, attributable=torch.zeros_like(encoding.attributable))
    with pytest.raises(AttribookError, match="no word"):
        word_scores(empty, torch.zeros(len(encoding)))


def test_selections_by_hand():
    scores = torch.tensor([0.1, 0.5, 0.1, -0.3, 0.4])
    assert selected("top", scores, 0.5) == [0, 1, 4]  # half of five, rounded up; of the two 0.1 the earlier
    assert selected("bottom", scores, 0.5) == [0, 2, 3]
    assert selected("first", scores, 0.5) == [0, 1, 2]
    assert selected("none", scores, 0.5) == []
    assert selected("top", scores, 0.01) == [1]
    assert selected("top", scores, 1.0) == [0, 1, 2, 3, 4]
    assert len(selected("top", torch.rand(100, generator=seeded()), 0.07)) == 7  # 0.07 * 100 > 7 in floating point
    drawn = [tuple(selected("random", scores, 0.5, seeded(s))) for s in range(60)]
    assert all(len(set(places)) == 3 and places == tuple(sorted(places)) for places in drawn)
    assert len(set(drawn)) == 10  # all subsets of three of five come up
    assert drawn[0] == tuple(selected("random", scores, 0.5, seeded(0)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("middle", 0.5), "Unknown selection 'middle'"),
        (("top", 0.0), "above 0 and at most 1"),
        (("top", 1.5), "above 0 and at most 1"),
        (("random", 0.5), "seeded torch.Generator"),
    ],
)
def test_bad_selections(given, message):
    with pytest.raises(AttribookError, match=message):
        selected(given[0], torch.ones(3), given[1])


# -- one prompt ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "wanted", "same"),
    [
        ("Tokyo", " Tokyo", True),
        ("tokyo.", "Tokyo", True),
        ("**Tokyo**, the capital", " Tokyo", True),
        ("Tokyoite", "Tokyo", False),
        ("Tok", "Tokyo", False),
        ("The answer is Tokyo", "Tokyo", False),
        ("New York City", "New York", True),
        ("New Jersey", "New York", False),
        ("", "Tokyo", False),
        ("", "", False),
        (",", ",", False),  # no word is no answer, rather than the beginning of all answers
        ("friend's", "friend’s", True),
    ],
)
def test_what_is_the_same_answer(answer, wanted, same):
    assert same_answer(answer, wanted) is same


def test_a_prompt_by_hand(encoding):
    # words: the .1, capital .3, of -.2, Japan, .4, I 0, was .2. Top half: capital, Japan, was: (.3+.4+.2)/1.0 = .9
    scores = scores_of(encoding, [0.1, 0.3, -0.2, 0.4, 0.0, 0.2])
    judge = Scripted(needs=["capital", "Japan,"])
    found = answered(judge, encoding, scores, wanted=" Tokyo")
    assert judge.asked == [(("capital", "Japan,", "was"), 1)]
    assert found.correct
    assert found.among is None
    assert found.mass == pytest.approx(0.9, abs=1e-12)
    bottom = answered(judge, encoding, scores, wanted=" Tokyo", which="bottom")
    assert bottom.kept == ("the", "of", "I")
    assert not bottom.correct
    assert bottom.mass == pytest.approx(0.1, abs=1e-12)
    none = answered(judge, encoding, scores, wanted=" Tokyo", which="none")
    assert (none.kept, none.correct, none.mass) == ((), False, 0.0)


def test_the_explained_target_is_wanted_by_default(encoding):
    judge = Scripted(says="king")
    scores = torch.ones(len(encoding))
    assert answered(judge, replace(encoding, target_text=" king"), scores).correct
    assert not answered(judge, replace(encoding, target_text=" queen"), scores).correct


def test_candidates(encoding):
    scores = torch.ones(len(encoding))
    judge = Scripted(says="Paris", candidates=("Paris", "Rome", "tokyo"))
    found = answered(judge, encoding, scores, wanted="Tokyo", candidates=5)
    assert (found.correct, found.among) == (False, True)
    assert judge.asked[-1][1] == 5
    assert answered(judge, encoding, scores, wanted="Berlin", candidates=5).among is False
    # What is the answer is among the candidates, even if a server's first token is a piece of it.
    assert answered(Scripted(says="Tokyo", candidates=("Tok",)), encoding, scores, wanted="Tokyo", candidates=5).among
    assert answered(Scripted(says="Tokyo"), encoding, scores, wanted="Tokyo", candidates=5).among is None


def test_failures_are_named_and_cost_no_question(encoding):
    judge = Scripted()
    assert answered(judge, encoding, -torch.ones(len(encoding)), wanted="Tokyo").status == "no positive score"
    assert answered(judge, encoding, torch.ones(len(encoding)), wanted=" ,").status == "the wanted answer has no word"
    assert not judge.asked
    broken = Scripted(status="malformed answer")
    found = answered(broken, encoding, torch.ones(len(encoding)), wanted="Tokyo")
    assert (found.status, found.correct) == ("malformed answer", False)


# -- many prompts ----------------------------------------------------------------------------------------------------


def test_rate_and_score_by_hand():
    items = [
        Answered(correct=True, among=True, mass=0.9),
        Answered(correct=False, among=True, mass=0.8),
        Answered(correct=True, among=True, mass=0.5),
        Answered(correct=False, among=False, mass=1.0),
        Answered(status="timeout"),
        Answered(status="timeout"),
        Answered(status="no positive score"),
    ]
    found = answerability(items)
    assert (found.rate, found.rate_among, found.n) == (0.5, 0.75, 4)
    assert found.score == pytest.approx(1.4 / 4)
    assert found.score_among == pytest.approx(2.2 / 4)
    assert found.failed == {"timeout": 2, "no positive score": 1}
    assert answerability([Answered(correct=True, mass=0.9), items[0]]).rate_among is None  # one judge did not tell
    with pytest.raises(AttribookError, match=r"No prompt was judged.*timeout"):
        answerability(items[4:])


def test_gain_over_random_is_paired():
    right, wrong, failed = Answered(correct=True), Answered(), Answered(status="timeout")
    assert gain([right, right, wrong, right, failed], [wrong, right, right, failed, wrong]) == (0.0, 3)
    assert gain([right, right], [wrong, right]) == (0.5, 2)
    with pytest.raises(AttribookError, match="2 prompts and 1 controls"):
        gain([right, right], [wrong])
    with pytest.raises(AttribookError, match="with and without"):
        gain([failed], [right])


def test_all_selections_can_be_judged(encoding):
    for which in SELECTIONS:
        found = answered(Scripted(), encoding, torch.ones(len(encoding)), which=which, wanted="a", generator=seeded())
        assert found.status == "ok"
        assert len(found.kept) == (0 if which == "none" else 3)


# -- minimum share ---------------------------------------------------------------------------------------------------


def test_minimum_share_by_hand(encoding):
    scores = scores_of(encoding, [0.1, 0.3, -0.2, 0.4, 0.0, 0.2])
    # Removed in turn: of, I, the, was, capital. "capital" is needed: right with two words, wrong with one.
    judge = Scripted(needs=["capital", "Japan,"])
    found = minimum_share(judge, encoding, scores, wanted="Tokyo")
    assert found.kept == ("capital", "Japan,")
    assert (found.share, found.asked, found.status) == (pytest.approx(2 / 6), 6, "ok")
    assert [len(words) for words, _ in judge.asked] == [6, 5, 4, 3, 2, 1]
    # The least important word is needed: one more question, and nothing can go.
    assert minimum_share(Scripted(needs=["of"]), encoding, scores, wanted="Tokyo").share == 1
    # One word is always left.
    assert minimum_share(Scripted(), encoding, scores, wanted="Tokyo").share == pytest.approx(1 / 6)
    never = minimum_share(Scripted(says="Rome"), encoding, scores, wanted="Tokyo")
    assert (never.status, never.asked) == ("not answerable with all words", 1)
    assert minimum_share(Scripted(status="timeout"), encoding, scores, wanted="Tokyo").status == "timeout"
    assert minimum_share(Scripted(), encoding, scores, wanted="...").status == "the wanted answer has no word"
