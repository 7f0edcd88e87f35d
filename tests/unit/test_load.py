"""What is read from a folder, and what is refused."""

import hashlib
import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from attribook.errors import AttribookError
from attribook.models.known import tiny_names
from attribook.models.load import load_model
from attribook.models.names import known_fingerprint
from attribook.models.tiny import tiny_model


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
    with pytest.raises(AttribookError, match=r"whole/model\.safetensors is damaged or incomplete"):
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


@pytest.fixture
def wordpiece(tmp_path):
    """A classifier whose tokenizer is read from `vocab.txt` alone."""
    folder = tmp_path / "wordpiece"
    _, tokenizer = tiny_model("bert")
    saved(folder, "bert")
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(settings | {"tokenizer_class": "BertTokenizer"}), encoding="utf-8"
    )
    return folder


def test_another_order_of_a_vocabulary_is_another_model(wordpiece):
    before, ids = known_fingerprint(str(wordpiece)), load_model(str(wordpiece)).encode("the old city").ids
    words = (wordpiece / "vocab.txt").read_text(encoding="utf-8").split("\n")
    one, other = words.index("old"), words.index("city")
    words[one], words[other] = words[other], words[one]
    (wordpiece / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    model = load_model(str(wordpiece))
    assert not model.encode("the old city").ids.equal(ids)
    assert before != known_fingerprint(str(wordpiece)) == model.fingerprint


OTHERS = ("vocab.txt", "merges.txt", "tokenizer.model", "chat_template.jinja", "generation_config.json",
          "preprocessor_config.json", "special_tokens_map.json", "additional_chat_templates/tool.jinja")  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_every_file_that_is_read_is_in_the_fingerprint(tmp_path, name):
    folder = saved(tmp_path)
    seen = [known_fingerprint(folder)]
    for content in ('{"a": 1}', '{"a": 2}'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
        seen.append(known_fingerprint(folder))
    assert len(set(seen)) == 3
    (tmp_path / "README.md").write_text("read by nobody", encoding="utf-8")
    assert known_fingerprint(folder) == seen[-1]


def test_fingerprints_of_weights_and_json_alone_are_what_they_were(tmp_path):
    saved(tmp_path)
    files = sorted(path for path in tmp_path.iterdir() if path.suffix in {".safetensors", ".json"})
    formula = "".join(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()};" for path in files)
    assert known_fingerprint(str(tmp_path)) == hashlib.sha256(formula.encode()).hexdigest()


def test_weights_in_a_folder_below_are_in_the_fingerprint_and_missing_ones_are_named(tmp_path):
    network, tokenizer = tiny_model("llama")
    network.save_pretrained(tmp_path, max_shard_size="20KB")
    tokenizer.save_pretrained(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    shard = sorted(tmp_path.glob("model-*.safetensors"))[0]
    below = tmp_path / "below" / shard.name
    below.parent.mkdir()
    shard.rename(below)
    index.write_text(index.read_text(encoding="utf-8").replace(shard.name, f"below/{shard.name}"), encoding="utf-8")
    before = known_fingerprint(str(tmp_path))
    assert load_model(str(tmp_path)).fingerprint == before
    weights = load_file(below)
    save_file({name: value + 1e-7 for name, value in weights.items()}, below, metadata={"format": "pt"})
    assert known_fingerprint(str(tmp_path)) != before
    below.unlink()
    with pytest.raises(AttribookError, match=rf"below/{shard.name} is missing, which model\.safetensors\.index\.json"):
        load_model(str(tmp_path))


def test_files_outside_of_the_folder_are_refused(tmp_path):
    folder, elsewhere = tmp_path / "model", tmp_path / "elsewhere.json"
    saved(folder)
    (folder / "tokenizer.json").rename(elsewhere)
    (folder / "tokenizer.json").symlink_to(elsewhere)
    for ask in (load_model, known_fingerprint):
        with pytest.raises(AttribookError, match=r"tokenizer\.json lies outside of its model's folder, at .*elsewhere"):
            ask(str(folder))
    (folder / "tokenizer.json").unlink()
    elsewhere.rename(folder / "tokenizer.json")
    index = {"weight_map": {"lm_head.weight": "../other.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(AttribookError, match=r"other\.safetensors lies outside"):
        load_model(str(folder))


def test_links_into_the_hubs_own_cache_are_followed(tmp_path):
    snapshot, blob = tmp_path / "snapshots" / "abc", tmp_path / "blobs" / "123"
    blob.parent.mkdir()
    saved(snapshot)
    before = known_fingerprint(str(snapshot))
    (snapshot / "config.json").rename(blob)
    (snapshot / "config.json").symlink_to(blob)
    assert known_fingerprint(str(snapshot)) == before == load_model(str(snapshot)).fingerprint


def test_the_tiny_tokenizers_are_those_of_the_stored_rows():
    """A tiny model is known by its weights. Its tokenizer is code: if this moves, `attribook check --profile smoke`."""
    whole = hashlib.sha256()
    for name in tiny_names():
        _, tokenizer = tiny_model(name.removeprefix("tiny-"))
        words = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
        ids = tokenizer("In the capital of Japan, I was staying: negative 東京 🥰\n  </s>")["input_ids"]
        whole.update(json.dumps([name, words, ids]).encode())
    assert whole.hexdigest() == "42a1f482dd3d2f77fd75cd96223d8a2c6a59e5c84a2c2d5893c708b84ae992e6"


def broken(folder, how):
    """A folder damaged in one way, and what the message names."""
    config, weights = folder / "config.json", folder / "model.safetensors"
    if how == "no tokenizer":
        for path in folder.glob("tokenizer*"):
            path.unlink()
        return "has no token. Save the model with its own tokenizer"
    if how == "a list":
        config.write_text("[]", encoding="utf-8")
        return r"config\.json is damaged: it holds no names and values"
    if how == "no heads":
        config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | {"n_head": 0}), encoding="utf-8")
        return "Cannot load the model .*: ZeroDivisionError"
    if how == "Latin-1":
        config.write_bytes(config.read_bytes().replace(b"gpt2", b"caf\xe9"))
        return r"config\.json is damaged: 'utf-8'"
    if how == "whole numbers":
        save_file({name: value.to(torch.int8) for name, value in load_file(weights).items()}, weights)
        return "holds weights as I8"
    if how == "half":
        weights.write_bytes(weights.read_bytes()[:5000])
        return r"model\.safetensors is damaged or incomplete"
    if how == "a GGUF file":
        weights.unlink()
        (folder / "model.gguf").write_bytes(b"GGUF\x03")
        return "Cannot load the model"
    weights.write_bytes(b"")
    return r"model\.safetensors is damaged or incomplete"


HOW = ("no tokenizer", "a list", "no heads", "Latin-1", "whole numbers", "half", "a GGUF file", "empty")


@pytest.mark.parametrize("how", HOW)
def test_damaged_folders_are_told_in_one_line_with_the_file(tmp_path, how):
    folder = saved(tmp_path, "gpt2")
    with pytest.raises(AttribookError, match=broken(tmp_path, how)):
        load_model(folder)


def test_a_prompt_that_is_too_long_is_told_by_us_alone(caplog, capsys):
    with pytest.raises(AttribookError, match=r"holds 1024\. Shorten the prompt"):
        load_model("tiny-gpt2").encode("the old city " * 600)
    assert "Token indices" not in caplog.text + capsys.readouterr().err


def test_a_gated_model_is_told_with_the_command_that_opens_it(monkeypatch):
    def refuse(*_given, **_named):
        raise OSError("You are trying to access a gated repo.\nMake sure to have access to it at https://somewhere")

    monkeypatch.setattr("attribook.models.load.from_folder", refuse)
    with pytest.raises(AttribookError, match=r"owner/name is gated. Accept its terms at .*hf auth login"):
        load_model("owner/name")


def test_other_failures_of_a_hub_keep_their_reason(monkeypatch):
    def refuse(*_given, **_named):
        raise OSError("no such name on the hub")

    monkeypatch.setattr("attribook.models.load.from_folder", refuse)
    with pytest.raises(AttribookError, match="no such name on the hub"):
        load_model("owner/name")
