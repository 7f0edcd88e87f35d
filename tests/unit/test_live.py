"""One prompt on the spot: answers are told apart by their ids, whatever their texts are."""

import pytest

from attribook.grid.live import explain_live
from attribook.models.causal import CausalLM


def test_answers_with_one_text_stay_two(monkeypatch):
    monkeypatch.setattr(CausalLM, "answer_text", lambda *_: "\ufffd")
    live = explain_live("tiny-gpt2", "In the city of my", ["random"])
    best = live.encoding.distribution.topk(5)
    assert [answer for answer, _, _ in live.candidates] == best.indices.tolist()
    assert [text for _, text, _ in live.candidates] == ["\ufffd"] * 5
    assert [probability for *_, probability in live.candidates] == pytest.approx(best.values.tolist())
