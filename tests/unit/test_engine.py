"""The forward engine: the same numbers however the work is cut, and counters that tell what was done."""

import pytest
import torch
from conftest import answer_logits, seeded
from transformers.utils import ModelOutput

from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.edits import Delete, Embed, Replace, shared_prefix
from attribook.models.engine import batches
from attribook.models.explained import eager_attention
from attribook.models.load import load_model

PROMPT = "In the capital of Japan, I was staying at my old friend's house"
# float32 sums in another order: differences up to 3.4e-7 were seen on the tiny models (OPT).
ORDER_OF_SUMS = 1e-5


def edits_of(encoding):
    one = torch.eye(len(encoding), dtype=torch.bool)
    return {
        "delete": Delete(~one),
        "replace": Replace(encoding.ids.masked_fill(one, 5)),
        "embed": Embed(encoding.embeds.masked_fill(one[:, :, None], 0.0)),
    }


@pytest.mark.parametrize("kind", ["delete", "replace", "embed"])
def test_same_distribution_alone_batched_and_with_prefix_reuse(family, kind):
    model = load_model(f"tiny-{family}")
    encoding = model.encode(PROMPT)
    edits = edits_of(encoding)[kind]
    reused = model.distributions(encoding, edits)
    plain = load_model(f"tiny-{family}", token_budget=10**6)
    plain.engine.reuse_prefix = False
    whole = plain.distributions(plain.encode(PROMPT), edits)
    alone = load_model(f"tiny-{family}", token_budget=1)
    alone.engine.reuse_prefix = False
    single = alone.distributions(alone.encode(PROMPT), edits)
    torch.testing.assert_close(whole, reused, atol=ORDER_OF_SUMS, rtol=0)
    torch.testing.assert_close(whole, single, atol=ORDER_OF_SUMS, rtol=0)


def test_distributions_equal_the_networks_own_forward(tiny):
    encoding = tiny.encode(PROMPT)
    edits = Delete(~torch.eye(len(encoding), dtype=torch.bool))
    ours = tiny.distributions(encoding, edits)
    for i, row in enumerate(edits.keep):
        ids = encoding.ids[row][None]
        expected = answer_logits(tiny, input_ids=ids).double().softmax(-1)
        torch.testing.assert_close(ours[i], expected, atol=ORDER_OF_SUMS, rtol=0)


def test_eager_and_sdpa_agree(tiny):
    before = tiny.network.config._attn_implementation
    if before == "eager":
        pytest.skip("transformers has no sdpa for this family, so there is nothing to compare")
    sdpa = tiny.encode(PROMPT)
    with eager_attention(tiny.network):
        eager = tiny.encode(PROMPT)
    assert tiny.network.config._attn_implementation == before
    torch.testing.assert_close(sdpa.distribution, eager.distribution, atol=ORDER_OF_SUMS, rtol=0)


def test_attention_implementation_is_restored_after_an_error(tiny):
    before = tiny.network.config._attn_implementation
    with pytest.raises(RuntimeError, match="planted"), eager_attention(tiny.network):
        raise RuntimeError("planted")
    assert tiny.network.config._attn_implementation == before


def test_sliding_window_shorter_than_the_prompt_switches_reuse_off():
    model = load_model("tiny-gemma3")
    assert model.encode("In the city").prefix is not None
    long = model.encode("In the city of the king " * 6)
    assert len(long) > 24
    assert long.prefix is None


def test_counters_tell_what_was_run():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    before = model.engine.counter.copy()
    model.gradients(encoding, encoding.embeds.expand(3, -1, -1))
    spent = model.engine.counter - before
    assert (spent.forwards, spent.backwards, spent.tokens) == (3, 3, 3 * len(encoding))


def test_prefix_reuse_computes_fewer_tokens():
    model = load_model("tiny-gpt2")
    encoding = model.encode("the king of the old river is at home in the city " * 4)
    edits = Delete(~torch.eye(len(encoding), dtype=torch.bool))
    before = model.engine.counter.copy()
    model.distributions(encoding, edits)
    full = len(encoding) * (len(encoding) - 1)
    assert (model.engine.counter - before).tokens < 0.7 * full


def test_batches_hold_every_row_once_and_share_what_they_claim():
    shared = torch.tensor([0, 7, 3, 3, 9, 9, 9, 1, 0, 5])
    seen = []
    for rows, start in batches(shared, length=10, budget=20):
        assert bool((shared[rows] >= start).all())
        assert len(rows) * (10 - start) <= 20 or len(rows) == 1
        seen += rows.tolist()
    assert sorted(seen) == list(range(10))


def test_shared_prefix_by_hand():
    same = torch.tensor([[True, True, False, True], [False, True, True, True], [True, True, True, True]])
    assert shared_prefix(same).tolist() == [2, 0, 3]


def test_deleting_everything_is_refused():
    model = load_model("tiny-gpt2")
    encoding = model.encode("the")
    with pytest.raises(AttribookError, match="no token to predict from"):
        model.distributions(encoding, Delete(torch.zeros(1, len(encoding), dtype=torch.bool)))


def test_nan_logits_are_refused():
    model = load_model("tiny-llama")
    model.network.lm_head.weight.data[0, 0] = float("nan")
    with pytest.raises(AttribookError, match="NaN logits"):
        model.encode(PROMPT)


def test_progress_hears_of_every_row():
    model = load_model("tiny-gpt2", token_budget=64)
    encoding = model.encode(PROMPT)
    heard = []
    model.engine.on_progress = heard.append
    model.distributions(encoding, Delete(~torch.eye(len(encoding), dtype=torch.bool)))
    assert sum(heard) == len(encoding)
    assert len(heard) > 1


class Renamed(torch.nn.Module):
    """A network as of transformers 5.24: the cache has another name, and asking by the old one warns."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids=None, inputs_embeds=None, cache=None, **given):
        assert "past_key_values" not in given
        output = self.network(input_ids=input_ids, inputs_embeds=inputs_embeds, past_key_values=cache, **given)
        return ModelOutput(logits=output.logits, cache=output.past_key_values)

    def __getattr__(self, name):
        return super().__getattr__(name) if name == "network" else getattr(self.network, name)


def test_the_cache_is_asked_for_by_the_name_that_the_network_has():
    model, other = load_model("tiny-llama"), load_model("tiny-llama")
    other.network = other.engine.network = Renamed(other.network).eval()
    one, two = (each.encode("In the old city of my") for each in (model, other))
    assert two.prefix is not None
    assert one.logits.equal(two.logits)
    assert other.engine.greedy(two.ids, 5, set()) == model.engine.greedy(one.ids, 5, set())
    scores = [
        explain(each, encoding, "reagent", generator=seeded(), max_steps=3, runs=1).scores
        for each, encoding in ((model, one), (other, two))
    ]
    assert scores[0].equal(scores[1])
