"""Alignment: position i belongs to token i, for every kind of tokenizer, BOS and split characters included."""

import pytest
import torch
from conftest import answer_logits

from attribook.attribution.registry import explain
from attribook.errors import AttribookError, AttribookWarning
from attribook.models.families import find_family
from attribook.models.load import load_model

PROMPT = "In the capital of Japan, I was staying: 東京 é"


def test_attributable_tokens_join_to_the_prompt(tiny):
    encoding = tiny.encode(PROMPT)
    texts = [t for t, keep in zip(encoding.tokens, encoding.attributable.tolist(), strict=True) if keep]
    assert "".join(texts) == PROMPT


def test_special_tokens_stand_where_the_table_of_families_says_and_are_not_attributable(tiny):
    encoding, family = tiny.encode(PROMPT), find_family(tiny.family)
    ends = [family.first is not None, family.last is not None]
    assert encoding.attributable.tolist().count(False) == sum(ends)
    assert [not encoding.attributable[0], not encoding.attributable[-1]] == ends


def test_a_special_token_at_the_end_of_a_text_is_no_part_of_the_word_before(smollm):
    tokens = smollm.encode("<|im_start|>user\nHi<|im_end|>").tokens
    assert tokens[-2:] == ["Hi", "<|im_end|>"]
    assert smollm.encode("Hi there ").tokens[-1] in (" there ", " ")  # a dropped space stays with the last word


@pytest.mark.parametrize("name", ["tiny-roberta", "tiny-bert"])
def test_special_tokens_written_in_a_text_count_as_special(name):
    model = load_model(name)
    encoding = model.encode(f"the {model.tokenizer.sep_token} king")
    assert encoding.attributable.tolist().count(False) == 3


@pytest.mark.parametrize("specials", ["keep", "perturb"])
def test_scores_behind_a_second_bos_are_not_shifted(family, specials):
    # Without each position the network is asked on its own, so a score one token late is seen.
    model = load_model(f"tiny-{family}", dtype="float64")
    row = find_family(model.family)
    first = model.tokenizer.cls_token if row.first == "cls" else model.tokenizer.bos_token
    encoding = model.encode(f"{first}the old king")
    specials_there = 1 + (row.first is not None)  # the one in the text, and the one that the tokenizer puts first
    assert encoding.tokens[:specials_there] == [first] * specials_there
    assert encoding.attributable.tolist()[: specials_there + 1] == [False] * specials_there + [True]
    ids, slow = encoding.ids.tolist(), []
    for i, own in enumerate(encoding.attributable.tolist()):
        without = torch.tensor([ids[:i] + ids[i + 1 :]])
        with torch.no_grad():
            drop = encoding.probability - answer_logits(model, input_ids=without).softmax(-1)[encoding.target]
        slow.append(float(drop) if own or specials == "perturb" else 0.0)
    found = explain(model, encoding, "occlusion", specials=specials).scores
    # RMS norms and rotary tables run in float32 inside transformers.
    torch.testing.assert_close(found, torch.tensor(slow, dtype=torch.float64), atol=1e-6, rtol=0)
    assert len({round(score, 7) for score in slow}) > 3  # else a shift would not be seen


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


def test_target_of_several_tokens_explains_the_first_and_says_so(causal):
    with pytest.warns(AttribookWarning, match="is 2 tokens; its first"):
        encoding = causal.encode("In the capital of", target=" theQ")
    assert encoding.target_text == " the"
    assert encoding.notes


def test_single_token_target(causal):
    assert causal.encode("In the capital of", target=" my").target_text == " my"


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_empty_prompt_is_refused(prompt):
    with pytest.raises(AttribookError, match="prompt is empty"):
        load_model("tiny-gpt2").encode(prompt)


def test_prompt_longer_than_the_window_is_refused(tiny):
    with pytest.raises(AttribookError, match="context window"):
        tiny.encode("Q " * 1100)


def test_embeddings_are_those_the_network_starts_from(tiny):
    encoding = tiny.encode(PROMPT)
    from_ids = tiny.network(input_ids=encoding.ids[None]).logits
    from_embeds = tiny.network(inputs_embeds=encoding.embeds[None]).logits
    torch.testing.assert_close(from_ids, from_embeds)


def test_same_seed_same_weights_and_another_seed_others():
    assert load_model("tiny-llama").fingerprint == load_model("tiny-llama").fingerprint
    assert load_model("tiny-llama").fingerprint != load_model("tiny-llama", seed=1).fingerprint
