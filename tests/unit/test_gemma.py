"""Gemma 3 270M as it was converted: its predictions, its scaled embeddings, its sliding windows."""

import pytest
import torch

from attribook.models.edits import Delete
from attribook.models.explained import eager_attention
from attribook.models.known import model_folder
from attribook.models.load import load_model

NAME = "gemma-3-270m"
WINDOW = 512
PROMPT = "When my flight landed in Japan, I converted my currency. I was staying in the capital,"
# float32 sums in another order: logits differed by up to 2e-5 between eager attention and sdpa.
ORDER_OF_SUMS = 2e-4


@pytest.fixture(scope="module")
def gemma():
    """Never fetched by a test: whoever uses it accepts its terms."""
    if not model_folder(NAME).is_dir():
        pytest.skip(f"needs {NAME}, under terms of its own: attribook models fetch {NAME}")
    return load_model(NAME)


def long_prompt(model, length: int) -> str:
    """A text of so many tokens: `<bos>` and words of one token each."""
    words = PROMPT.replace(",", "").replace(".", "").split()
    text = " ".join((words * length)[: length - 1])
    assert len(model.tokenizer(text)["input_ids"]) == length
    return text


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("The capital of Japan is the city of", " Tokyo"),
        ("LeBron James plays the sport of", " basketball"),
    ],
)
def test_it_knows_plain_facts(gemma, prompt, answer):
    encoding = gemma.encode(prompt)
    assert encoding.target_text == answer
    assert encoding.tokens[0] == "<bos>"
    assert "".join(encoding.tokens[1:]) == prompt


def test_eager_and_sdpa_agree(gemma):
    assert gemma.network.config._attn_implementation == "sdpa"
    sdpa = gemma.encode(PROMPT)
    with eager_attention(gemma.network):
        eager = gemma.encode(PROMPT)
    torch.testing.assert_close(sdpa.logits, eager.logits, atol=ORDER_OF_SUMS, rtol=0)


def test_embeddings_are_scaled_once(gemma):
    ids = gemma.encode(PROMPT).ids
    embeds = gemma.embed(ids)
    table = gemma.network.get_input_embeddings().weight
    torch.testing.assert_close(embeds, table[ids] * table.shape[1] ** 0.5)
    with torch.no_grad():
        given = gemma.network(inputs_embeds=embeds[None]).logits
        named = gemma.network(input_ids=ids[None]).logits
    torch.testing.assert_close(given, named, atol=0, rtol=0)


@pytest.mark.parametrize("length", [24, WINDOW - 1, WINDOW, WINDOW + 8])
def test_prefix_reuse_changes_nothing_and_ends_where_the_window_slides(gemma, length):
    """A sliding layer keeps the last 511 keys: from 512 tokens on, the prompt is computed whole."""
    encoding = gemma.encode(long_prompt(gemma, length))
    assert (encoding.prefix is not None) == (length < WINDOW)
    keep = torch.ones(2, length, dtype=torch.bool)
    keep[0, 6], keep[1, length - 4] = False, False
    ours = gemma.read(encoding, Delete(keep), lambda logits: logits)  # (2, V)
    for row, mask in zip(ours, keep, strict=True):
        with torch.no_grad():
            expected = gemma.network(input_ids=encoding.ids[mask][None], use_cache=False).logits[0, -1]
        torch.testing.assert_close(row, expected, atol=ORDER_OF_SUMS, rtol=0)


def test_a_prompt_that_grows_past_the_window(gemma):
    encoding = gemma.encode(long_prompt(gemma, WINDOW - 2))
    written = gemma.generated(encoding, 4)
    ids = encoding.ids
    for token in written:
        with torch.no_grad():
            logits = gemma.network(input_ids=ids[None], use_cache=False).logits[0, -1]
        assert int(logits.argmax()) == token
        ids = torch.cat([ids, torch.tensor([token])])
    grown = gemma.extended(encoding, written)
    assert grown.ids.tolist() == ids.tolist()
    assert grown.prefix is None
