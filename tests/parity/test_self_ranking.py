"""Self-ranking: what is read from an answer, how it becomes scores, and what the answer costs."""

import importlib
from dataclasses import replace

import pytest
import torch
from conftest import PROMPT

from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.load import load_model

ranking = importlib.import_module("attribook.attribution.self_ranking")  # the method hides the module of its name
THREE = ["Japan", "capital", "of"]


@pytest.mark.parametrize(
    "answer",
    [
        "Japan, capital, of",
        "Japan, capital, and of.",
        "JAPAN; Capital; of.",
        "1. Japan\n2. capital\n3. of",
        "1: Japan\n2: capital\n3: of",
        "(1) Japan\n\n(2) capital\n\n(3) of\n",
        "1. Japan 2. capital 3. of",
        "1. Japan, capital, of",
        "- Japan\n- capital\n- of",
        "Here are the words:\n\n- **Japan**: the country, and an island\n* *capital* (a city)\n• of - a word",
        "1. Japan - it is, well, the country\n2. capital: the city\n3. of = 0.1",
        "The most important words are: Japan, capital, of",
        "Ranking: Japan (1), capital (2), of (3)",
        "Japan: 0.9, capital: 0.5, of: 0.1",
        '["Japan", "capital", "of"]',
        "['Japan', 'capital', 'of']",
        '```json\n{"Japan": 0.9, "capital": 0.5, "of": 0.1}\n```',
        'The most important word is "Japan", then come “capital” and «of».',
        "Japan > capital > of",
        "Japan -> capital -> of",
        "Japan | capital | of",
        "「Japan」、「capital」、「of」",
        "Japan capital of",
        "Japan\\ncapital\\nof",
        "   Japan  ,\tcapital,\n of",
    ],
)
def test_lists_of_many_kinds_are_read(answer):
    found = [word for word in ranking.named_words(answer) if word not in ("json", "and")]
    assert [word.casefold() for word in found] == [word.casefold() for word in THREE]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", []),
        (" \n...\n--\n", []),
        ("the old friend, the house", ["the", "old", "friend", "the", "house"]),  # phrases name their words
        ("I think it is Japan", ["I", "think", "it", "is", "Japan"]),  # a sentence names all of its own
        ("friend's, U.S., 3.5, state-of-the-art", ["friend's", "U.S", "3.5", "state-of-the-art"]),
        ("1950, 3 dogs", ["1950", "3", "dogs"]),  # numbers in the text are words
        ("東京, Japan", ["東京", "Japan"]),
    ],
)
def test_what_is_a_named_word(answer, words):
    assert ranking.named_words(answer) == words


def test_scores_by_hand():
    words = ["the", "old", "King", "and", "the", "Queen’s"]
    scores, counts = ranking.scored(words, ["queen's", "dragon", "THE", "king", "king", "the", "the", "gold"])
    # queen's 6/6; the, first place, 5/6; king 4/6; the, second place, 3/6. "old" and "and" are not named.
    assert scores == pytest.approx([5 / 6, 0, 4 / 6, 0, 3 / 6, 1])
    assert counts == {"ranked": 4, "hallucinated": 2, "repeated": 2, "unnamed": 2}


def test_words_have_all_their_tokens_and_no_punctuation():
    model = load_model("tiny-llama")
    encoding = model.encode('In (the) "young" friend\'s house -- </s>it: 東京')
    words, places = ranking.words_of(encoding)
    assert words == ["In", "the", "young", "friend's", "house", "it", "東京"]
    texts = ["".join(encoding.tokens[i] for i in tokens).strip() for tokens in places]
    assert all(word in text for word, text in zip(words, texts, strict=True))
    flat = [i for tokens in places for i in tokens]
    assert len(set(flat)) == len(flat)
    assert bool(encoding.attributable[flat].all())
    signs = [i for i, token in enumerate(encoding.tokens) if token.strip() in {"(", ")", '"', ":", "--", "-"}]
    assert not set(signs) & set(flat)


def test_only_attributable_text_is_ranked():
    model = load_model("tiny-gpt2")
    encoding = model.encode("the old king and the queen")
    attributable = encoding.attributable.clone()
    attributable[[i for i, token in enumerate(encoding.tokens) if token.strip() == "old"]] = False
    words, _ = ranking.words_of(replace(encoding, attributable=attributable))
    assert words == ["the", "king", "and", "the", "queen"]


def answering(model, answer):
    model.engine.greedy = lambda ids, limit, stops: model.tokenizer(answer, add_special_tokens=False)["input_ids"]
    return model


def test_an_answer_becomes_scores():
    answer = "1. queen\n2. Old\n3. knight\n4. the"
    model = answering(load_model("tiny-gpt2"), answer)
    encoding = model.encode("the old queen, and the king")
    found = explain(model, encoding, "self_ranking")
    # "the" is named once, so its second place is not ranked. Some words are several tokens.
    expected = {"the": 4 / 6, " old": 5 / 6, " queen": 1, ",": 0, " and": 0, " the": 0, " king": 0}
    characters = [score for word, score in expected.items() for _ in word]
    scores = found.scores.tolist()
    by_character = [score for token, score in zip(encoding.tokens, scores, strict=True) for _ in token]
    assert by_character == pytest.approx(characters)
    generated = len(model.tokenizer(answer)["input_ids"])
    assert found.details == {
        "ranked": 3, "hallucinated": 1, "repeated": 0, "unnamed": 3, "generated": generated, "chat": 0,
    }  # fmt: skip


def test_a_token_in_two_words_has_the_higher_score():
    model = answering(load_model("tiny-gpt2"), "old, king")
    encoding = model.encode("the old king")
    tokens = ["the", " old king", *[""] * (len(encoding) - 2)]
    found = explain(model, replace(encoding, tokens=tokens), "self_ranking")
    assert found.scores.tolist()[:2] == [0, 1]


def test_a_list_without_a_word_of_the_text_scores_nothing():
    model = answering(load_model("tiny-gpt2"), "dragon, gold")
    found = explain(model, model.encode("the old king"), "self_ranking")
    assert found.scores.tolist() == [0] * len(found.scores)
    assert found.converged is False
    assert (found.details["ranked"], found.details["hallucinated"], found.details["unnamed"]) == (0, 2, 3)


def test_greedy_is_the_most_probable_token_again_and_again(causal):
    ids = causal.encode(PROMPT).ids
    slow = ids.tolist()
    with torch.no_grad():
        for _ in range(12):
            slow.append(int(causal.network(input_ids=torch.tensor([slow])).logits[0, -1].argmax()))
    slow = slow[len(ids) :]
    before = causal.engine.counter.copy()
    assert causal.engine.greedy(ids, 12, set()) == slow
    spent = causal.engine.counter - before
    assert (spent.forwards, spent.tokens) == (12, len(ids) + 11)
    stop = slow[5]
    assert causal.engine.greedy(ids, 12, {stop}) == slow[: slow.index(stop) + 1]


def test_forwards_are_generated_tokens_and_scores_repeat(causal):
    encoding = causal.encode(PROMPT)
    first, again = (explain(causal, encoding, "self_ranking", max_new_tokens=9) for _ in range(2))
    assert first.cost.forwards == first.details["generated"] <= 9
    assert torch.equal(first.scores, again.scores)


def test_chat_template_is_used_where_there_is_one():
    model = load_model("tiny-llama")
    encoding = model.encode("the old king")
    asked = []
    model.engine.greedy = lambda ids, limit, stops: asked.append(model.tokenizer.decode(ids)) or [4]
    with pytest.raises(AttribookError, match=r"no chat template.*asking=plain"):
        explain(model, encoding, "self_ranking", asking="chat")
    assert explain(model, encoding, "self_ranking").details["chat"] == 0
    model.tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %} [answer]"
    assert explain(model, encoding, "self_ranking").details["chat"] == 1
    assert explain(model, encoding, "self_ranking", asking="plain").details["chat"] == 0
    plain, chat, again = asked
    question = ranking.INSTRUCTION.format(text="the old king", prediction=encoding.target_text.strip())
    assert chat == f"[user] {question} [answer]"
    assert plain == again
    assert plain.endswith(question + ranking.CUE)


def test_stop_tokens_come_from_tokenizer_and_network():
    model = load_model("tiny-gpt2")
    model.network.generation_config.eos_token_id = [7, 9]
    assert ranking.stop_tokens(model) == {7, 9, model.tokenizer.eos_token_id}
    model.network.generation_config.eos_token_id = None
    assert ranking.stop_tokens(model) == {model.tokenizer.eos_token_id}


def test_the_answer_ends_at_the_context_window():
    model = load_model("tiny-llama")
    encoding = model.encode("the old king")
    room = []
    model.engine.greedy = lambda ids, limit, stops: room.append((len(ids), limit)) or [4]
    explain(model, encoding, "self_ranking", max_new_tokens=1000)
    assert sum(room[0]) == model.network.config.max_position_embeddings
    with pytest.raises(AttribookError, match=r"context window.*Shorten the prompt"):
        explain(model, model.encode("the old king " * 250), "self_ranking")


def test_nan_logits_are_an_error():
    model = load_model("tiny-gpt2")
    encoding = model.encode("the old king")
    model.network.lm_head.weight.data[0] = float("nan")
    with pytest.raises(AttribookError, match="NaN logits"):
        explain(model, encoding, "self_ranking")


def test_bad_input():
    model = load_model("tiny-gpt2")
    encoding = model.encode("the old king")
    with pytest.raises(AttribookError, match="Choose auto, chat or plain"):
        explain(model, encoding, "self_ranking", asking="kindly")
    with pytest.raises(AttribookError, match="at least 1, not 0"):
        explain(model, encoding, "self_ranking", max_new_tokens=0)
    with pytest.raises(AttribookError, match="has no word"):
        explain(model, model.encode("... -- !"), "self_ranking")
