"""What is checked at load: ids and embeddings agree, no later token is read, every weight is used."""

import json

import pytest
import torch
import transformers
from conftest import seeded

from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.metrics.registry import METRICS
from attribook.models.edits import Embed
from attribook.models.load import load_model
from attribook.models.soundness import probe, refuse_what_reads_later_tokens, soundness
from attribook.models.tiny import tiny_model


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_every_family_is_sound(family, dtype):
    found = load_model(f"tiny-{family}", dtype=dtype).sound
    assert found.embeddings < 5e-6
    assert found.later in (None, 0.0)
    assert found.embeds


def test_the_default_model_is_sound(smollm):
    assert smollm.sound.embeddings < 1e-6
    assert smollm.sound.later == 0.0


class TwoTables(torch.nn.Module):
    """A layer that adds something of its own for each token id, as Gemma 3n's layers do; embeddings alone lack it."""

    def __init__(self, network):
        super().__init__()
        self.network, self.table = network, torch.nn.Embedding(network.config.vocab_size, network.config.hidden_size)

    def forward(self, input_ids=None, inputs_embeds=None, **given):
        if input_ids is not None:
            inputs_embeds = self.network.get_input_embeddings()(input_ids) + 0.05 * self.table(input_ids)
        return self.network(inputs_embeds=inputs_embeds, **given)

    def __getattr__(self, name):
        return super().__getattr__(name) if name in ("network", "table") else getattr(self.network, name)


@pytest.fixture
def two_tables():
    torch.manual_seed(0)
    model = load_model("tiny-llama")
    network = TwoTables(model.network).eval()
    model.network = model.engine.network = network
    model.sound = soundness(network, causal=True)
    return model


def test_what_moves_embeddings_is_refused_where_they_are_not_all_of_a_token(two_tables):
    assert two_tables.sound.embeddings > 1e-3
    assert two_tables.sound.later == 0.0
    encoding = two_tables.encode("In the old city of my")
    with pytest.raises(AttribookError, match="another answer for the embeddings"):
        two_tables.outputs(encoding, Embed(encoding.embeds[None]))
    for method in ("integrated_gradients", "gradient_shap", "deeplift", "input_x_gradient", "noiser"):
        with pytest.raises(AttribookError, match="Use a method that changes tokens: occlusion or reagent"):
            explain(two_tables, encoding, method, generator=seeded())
    with pytest.raises(AttribookError, match="another answer for the embeddings"):
        METRICS["soft_nc"](two_tables, encoding, torch.ones(len(encoding)), generator=seeded())
    assert explain(two_tables, encoding, "occlusion").scores.abs().sum() > 0


def test_a_network_that_reads_later_tokens_is_refused():
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.2,
    )
    network = transformers.BertLMHeadModel(config).eval()  # not a decoder: every token sees every other
    found = soundness(network, causal=True)
    assert found.later > 1e-3
    with pytest.raises(AttribookError, match="mine is no next-token predictor"):
        refuse_what_reads_later_tokens("mine", found)


def saved(folder, family="llama"):
    network, tokenizer = tiny_model(family, seed=0)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_weights_that_the_network_does_not_use_are_refused(tmp_path):
    folder = saved(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}), encoding="utf-8")
    with pytest.raises(AttribookError, match=r"holds weights .* does not use: model\.layers\.1\."):
        load_model(str(folder))


def test_the_probe_has_different_plain_tokens():
    for family in ("gpt2", "bert"):
        network, tokenizer = tiny_model(family, seed=0)
        ids = probe(network).tolist()
        assert len(set(ids)) == len(ids) > 4
        assert not set(ids) & {tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.bos_token_id}
