"""Alignment: position i belongs to token i, for every kind of tokenizer, BOS and split characters included."""

import pytest
import torch

from attribook.errors import AttribookError, AttribookWarning
from attribook.models import load_model

PROMPT = "In the capital of Japan, I was staying: 東京 é"


def test_attributable_tokens_join_to_the_prompt(tiny):
    encoding = tiny.encode(PROMPT)
    texts = [t for t, keep in zip(encoding.tokens, encoding.attributable.tolist(), strict=True) if keep]
    assert "".join(texts) == PROMPT


def test_bos_is_there_and_not_attributable(tiny, family):
    encoding = tiny.encode(PROMPT)
    has_bos = family in {"opt", "opt_prenorm", "llama", "gemma3", "mistral", "gemma2"}
    assert encoding.attributable.tolist().count(False) == has_bos
    assert bool(encoding.attributable[0]) is not has_bos


def test_double_bos_is_two_special_tokens():
    model = load_model("tiny-opt")
    encoding = model.encode("</s>the king")
    assert encoding.tokens[:2] == ["</s>", "</s>"]
    assert encoding.attributable.tolist()[:3] == [False, False, True]


def test_spans_are_the_tokens_of_their_words(tiny):
    start = PROMPT.index("Japan")
    encoding = tiny.encode(PROMPT, spans={"antecedent": (start, start + 5)})
    words = [t for t, inside in zip(encoding.tokens, encoding.spans["antecedent"].tolist(), strict=True) if inside]
    assert "".join(words).strip() == "Japan"


def test_target_is_the_most_probable_token(tiny):
    encoding = tiny.encode(PROMPT)
    assert encoding.target == int(encoding.distribution.argmax())
    assert encoding.probability == pytest.approx(float(encoding.distribution.max()))
    assert float(encoding.distribution.sum()) == pytest.approx(1)


def test_target_of_several_tokens_explains_the_first_and_says_so(tiny):
    with pytest.warns(AttribookWarning, match="is 2 tokens; its first"):
        encoding = tiny.encode("In the capital of", target=" theQ")
    assert encoding.target_text == " the"
    assert encoding.notes


def test_single_token_target(tiny):
    assert tiny.encode("In the capital of", target=" my").target_text == " my"


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_empty_prompt_is_refused(prompt):
    with pytest.raises(AttribookError, match="prompt is empty"):
        load_model("tiny-gpt2").encode(prompt)


def test_prompt_longer_than_the_window_is_refused(tiny):
    with pytest.raises(AttribookError, match="context window"):
        tiny.encode("Q" * 300)


def test_embeddings_are_those_the_network_starts_from(tiny):
    encoding = tiny.encode(PROMPT)
    from_ids = tiny.network(input_ids=encoding.ids[None]).logits
    from_embeds = tiny.network(inputs_embeds=encoding.embeds[None]).logits
    torch.testing.assert_close(from_ids, from_embeds)


def test_same_seed_same_weights_and_another_seed_others():
    assert load_model("tiny-llama").fingerprint == load_model("tiny-llama").fingerprint
    assert load_model("tiny-llama").fingerprint != load_model("tiny-llama", seed=1).fingerprint
