"""What is read from a folder, and what is refused."""

import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from attribook.errors import AttribookError
from attribook.models.load import load_model
from attribook.models.names import known_fingerprint
from attribook.models.tiny import tiny_model, tiny_names


def saved(folder, name="llama", network=None):
    """A folder with a tiny model of that family, or another network with its tokenizer."""
    whole, tokenizer = tiny_model(name)
    (network(whole.config) if network else whole).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("name", [name.removeprefix("tiny-") for name in tiny_names()])
def test_a_whole_model_of_every_family_is_read(tmp_path, name):
    whole, _ = tiny_model(name)
    found = load_model(saved(tmp_path, name)).network.state_dict()
    assert all(found[key].equal(value.float()) for key, value in whole.state_dict().items())


def test_weights_that_are_missing_are_not_drawn_at_random(tmp_path):
    folder = saved(tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.0.mlp.up_proj.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(AttribookError, match=r"lack model\.layers\.0\.mlp\.up_proj\.weight for a LlamaForCausalLM"):
        load_model(folder)


def test_weights_of_another_shape_are_refused(tmp_path):
    folder = saved(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(
        json.dumps(config | {"intermediate_size": config["intermediate_size"] + 8}), encoding="utf-8"
    )
    with pytest.raises(AttribookError, match=r"lack|Cannot load"):
        load_model(folder)


@pytest.mark.parametrize("network", ["BertModel", "BertForMaskedLM", "BertForTokenClassification"])
def test_encoders_without_a_head_for_classes_are_refused(tmp_path, network):
    with pytest.raises(AttribookError, match=f"holds a {network}, which neither predicts the next token"):
        load_model(saved(tmp_path, "bert", getattr(transformers, network)))


@pytest.mark.parametrize("given", [{"num_labels": 1}, {"problem_type": "multi_label_classification"}])
def test_heads_that_choose_no_class_are_refused(tmp_path, given):
    whole, tokenizer = tiny_model("bert")
    for name, value in given.items():
        setattr(whole.config, name, value)
    type(whole)(whole.config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(AttribookError, match="does not choose one of several classes"):
        load_model(str(tmp_path))


def test_damaged_weights_pickles_and_foreign_tokenizers_are_refused(tmp_path):
    folder = saved(tmp_path / "whole")
    path = tmp_path / "whole" / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AttribookError, match="Cannot load the model"):
        load_model(folder)
    torch.save({}, tmp_path / "whole" / "pytorch_model.bin")
    path.unlink()
    with pytest.raises(AttribookError, match=r"pickle file \(pytorch_model\.bin\), which can run code"):
        load_model(folder)
    other = saved(tmp_path / "small")
    network, tokenizer = tiny_model("llama")
    network.resize_token_embeddings(40)
    network.save_pretrained(other)
    model = load_model(other)
    word = next(word for word, number in tokenizer.get_vocab().items() if number >= 40 and word.isalpha())
    with pytest.raises(AttribookError, match="the model knows 40 tokens"):
        model.encode(word)


def test_the_fingerprint_of_a_folder_follows_its_weights(tmp_path):
    folder = saved(tmp_path)
    before = known_fingerprint(folder)
    assert before == load_model(folder).fingerprint
    weights = load_file(tmp_path / "model.safetensors")
    name = next(iter(weights))
    save_file(weights | {name: weights[name] + 1e-7}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert known_fingerprint(folder) != before
    assert known_fingerprint(folder + "+sentiment").startswith(known_fingerprint(folder))
    assert known_fingerprint("tiny-llama") is None
