"""Tuning an encoder: merged weights are exact and the same everywhere, parts do not overlap, training is seeded."""

import hashlib
import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import seeded
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertModel

from attribook.archives import sha256
from attribook.data.datasets import load_dataset
from attribook.data.snippets import snippets, split
from attribook.errors import AttribookError
from attribook.models import fetch, tuning
from attribook.models.fetch import ensure, update_file
from attribook.models.low_rank import LowRank, attach, learned, merge, read_update, save_update, write_classifier
from attribook.models.recipes import RECIPES
from attribook.models.registry import BASES, SOURCES
from attribook.models.tiny import tiny_tokenizer
from attribook.models.tuning import Example, Tokenized, accuracy, batches, masked, targets, train, tune

NAME = "minilm-rotten-tomatoes"
LAYERS = ("query", "key", "value", "dense")
RECIPE = replace(RECIPES[NAME], rank=2, learning_rate=2e-2, epochs=6, batch_size=8)
PLACES = ("the city", "my old river", "a day in", "it", "home", "of the king")
WORDS = (("large", "positive"), ("small", "negative"))
RATINGS = {"negative": -2.0, "positive": 2.0}
EXAMPLES = [Example(f"{word} {place}", label, RATINGS[label]) for place in PLACES for word, label in WORDS]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A tiny random BERT encoder as its archive holds it."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = tiny_tokenizer(None)
    tokenizer.mask_token = tokenizer.unk_token  # it has none of its own
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                        num_attention_heads=4, max_position_embeddings=64, pad_token_id=2)  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = BertModel(config)
        for parameter in encoder.parameters():
            if parameter.dim() > 1:
                parameter.data.normal_(std=0.25)
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def update(base, tmp_path):
    """A random update of the tiny encoder."""
    network = BertForSequenceClassification.from_pretrained(base, num_labels=2)
    attach(network, LAYERS, 3, seeded())
    generator = seeded(1)
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data.normal_(std=0.2, generator=generator)
    save_update(learned(network), ["negative", "positive"], tmp_path / "update.safetensors")
    return tmp_path / "update.safetensors"


def test_merging_is_b_times_a_added_to_the_base():
    generator = seeded()
    weight, a, b = (torch.randn(*shape, generator=generator) for shape in ((5, 7), (3, 7), (5, 3)))
    found = merge({"layer.weight": weight}, {"layer.A": a, "layer.B": b, "classifier.bias": torch.ones(2)})
    expected = [
        [float(weight[i, j]) + sum(float(b[i, r]) * float(a[r, j]) for r in range(3)) for j in range(7)]
        for i in range(5)
    ]
    assert found["layer.weight"].dtype == torch.float32
    np.testing.assert_array_equal(found["layer.weight"].numpy(), np.array(expected).astype(np.float32))
    torch.testing.assert_close(found["layer.weight"], weight + b @ a)  # float32 products: its default tolerance
    assert found["classifier.bias"].tolist() == [1.0, 1.0]


def test_merging_by_hand():
    found = merge({"l.weight": torch.eye(2)}, {"l.A": torch.tensor([[1.0, 2.0]]), "l.B": torch.tensor([[3.0], [-1.0]])})
    assert found["l.weight"].tolist() == [[4.0, 6.0], [-1.0, -1.0]]


def test_merged_weights_have_known_bytes():
    """The digest was written down once: another machine, thread count or torch must find it too."""
    generator = np.random.Generator(np.random.PCG64(0))
    shapes = ((384, 96), (4, 96), (384, 4))
    weight, a, b = ((generator.integers(-(2**23), 2**23, shape) / 2**21).astype(np.float32) for shape in shapes)
    values = {"l.A": torch.from_numpy(a).half(), "l.B": torch.from_numpy(b).half()}
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found = merge({"l.weight": torch.from_numpy(weight)}, values)["l.weight"].numpy().tobytes()
            assert (
                hashlib.sha256(found).hexdigest() == "bdd47e90c3adc5aab359beb84aa9c5e05f1d2cad1c50da46ce7a82305e6e7c1c"
            )
    finally:
        torch.set_num_threads(threads)


def test_a_written_classifier_computes_what_the_tuned_network_computed(base, update, tmp_path):
    """Layers with their updates apart, and the folder with both merged, give the same logits."""
    write_classifier(base, update, tmp_path / "model")
    merged = BertForSequenceClassification.from_pretrained(tmp_path / "model", use_safetensors=True).eval()
    apart = BertForSequenceClassification.from_pretrained(base, num_labels=2).eval()
    attach(apart, LAYERS, 3, seeded())
    values, labels = read_update(update)
    for name, value in values.items():
        apart.get_parameter(name).data.copy_(value)
    ids = torch.tensor([[5, 9, 30, 41, 7]])
    torch.testing.assert_close(merged(ids).logits, apart(ids).logits, atol=1e-4, rtol=1e-4)  # float32
    assert merged.config.id2label == {0: "negative", 1: "positive"}
    assert merged.config.architectures == ["BertForSequenceClassification"]
    assert labels == ["negative", "positive"]
    tokenizer = json.loads((tmp_path / "model" / "tokenizer.json").read_text(encoding="utf-8"))
    assert tokenizer["truncation"] is tokenizer["padding"] is None
    write_classifier(base, update, tmp_path / "again")
    for path in (tmp_path / "model").iterdir():
        assert sha256(path) == sha256(tmp_path / "again" / path.name)


def test_an_update_starts_at_the_base_and_freezes_it():
    linear = nn.Linear(6, 4)
    layer, x = LowRank(linear, 2, seeded()), torch.randn(3, 6, generator=seeded(1))
    torch.testing.assert_close(layer(x), linear(x))
    assert [name for name, parameter in layer.named_parameters() if parameter.requires_grad] == ["A", "B"]


def test_updates_that_fit_nothing_are_refused(base):
    network = BertForSequenceClassification.from_pretrained(base, num_labels=2)
    with pytest.raises(AttribookError, match="ends in 'quary'"):
        attach(network, ("quary",), 2, seeded())
    a, b = torch.ones(2, 3), torch.ones(4, 2)
    with pytest.raises(AttribookError, match="does not fit"):
        merge({"other.weight": torch.ones(4, 3)}, {"l.A": a, "l.B": b})
    with pytest.raises(AttribookError, match="does not fit"):
        merge({"l.weight": torch.ones(4, 4)}, {"l.A": a, "l.B": b})
    with pytest.raises(AttribookError, match="not finite"):
        merge({"l.weight": torch.ones(4, 3)}, {"l.A": a * float("nan"), "l.B": b})


def test_a_damaged_update_is_refused(update, tmp_path, monkeypatch):
    whole = update.read_bytes()
    update.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AttribookError, match="is damaged"):
        read_update(update)
    save_file({"a": torch.ones(1)}, update)
    with pytest.raises(AttribookError, match="no update"):
        read_update(update)


def test_every_example_is_in_one_batch_and_the_seed_decides_which():
    data = [Tokenized(torch.zeros(1 + number % 13, dtype=torch.long), number) for number in range(203)]

    def numbers(seed):
        return [[row.label for row in batch] for batch in batches(data, 8, seeded(seed))]

    assert sorted(number for batch in numbers(0) for number in batch) == list(range(203))
    assert numbers(0) == numbers(0) != numbers(1)
    assert max(len({data[number].ids.numel() for number in batch}) for batch in numbers(0)) <= 3


def test_targets_by_hand():
    rows = [Tokenized(torch.zeros(3), 1, 2.0), Tokenized(torch.zeros(3), 0, -1.0)]
    hard = targets(rows, replace(RECIPE, slope=0.0))
    assert hard.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    soft = targets(rows, replace(RECIPE, slope=1.5))
    first, second = 1 / (1 + math.exp(-3)), 1 / (1 + math.exp(1.5))
    torch.testing.assert_close(soft, torch.tensor([[1 - first, first], [1 - second, second]]))


def test_a_share_of_the_tokens_is_masked_but_not_the_ends():
    row = Tokenized(torch.arange(1000), 1, 0.5)
    found = masked(row, 0.1, 5000, seeded())
    hit = found.ids == 5000
    assert 60 < int(hit.sum()) < 140  # four standard deviations are 38
    assert torch.equal(found.ids[~hit], row.ids[~hit])
    for seed in range(50):
        assert masked(row, 0.9, 5000, seeded(seed)).ids[[0, -1]].tolist() == [0, 999]
    assert masked(row, 0.0, 5000, seeded()) is row


def test_padding_changes_no_logits(base):
    network = BertForSequenceClassification.from_pretrained(base, num_labels=2).eval()
    rows = [Tokenized(torch.arange(5, 5 + length), 0) for length in (3, 9, 6)]
    together = tuning.logits(network, rows)
    alone = torch.cat([tuning.logits(network, [row]) for row in rows])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)  # float32


def test_training_is_seeded_and_learns(base, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "download", lambda _archive, scratch, _say: scratch)
    monkeypatch.setattr(tuning, "extract", lambda _archive, _members, scratch: copy_files(base, scratch))
    parts = {"train": EXAMPLES, "validation": EXAMPLES[:4], "held-out": EXAMPLES}
    found = [train(RECIPE, parts, tmp_path / name, lambda _: None) for name in ("one", "two")]
    assert found[0] == found[1]
    assert found[0]["held-out"] == accuracy(tmp_path / "one", EXAMPLES) == 1.0
    for name in ("update.safetensors", "model.safetensors", "training.json"):
        assert sha256(tmp_path / "one" / name) == sha256(tmp_path / "two" / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    with pytest.raises(AttribookError, match="is there already"):
        train(RECIPE, parts, tmp_path / "one", lambda _: None)
    other = tune(base, EXAMPLES, replace(RECIPE, seed=1, epochs=1), lambda _: None)
    one = load_file(tmp_path / "one" / "update.safetensors")
    assert not torch.equal(other["classifier.weight"], one["classifier.weight"])


def test_bad_training_is_refused_and_leaves_nothing(base, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "download", lambda _archive, scratch, _say: scratch)
    monkeypatch.setattr(tuning, "extract", lambda _archive, _members, scratch: copy_files(base, scratch))
    with pytest.raises(AttribookError, match="have labels"):
        train(RECIPE, {"train": [Example("a day", "neutral")]}, tmp_path / "out", lambda _: None)
    with pytest.raises(AttribookError, match="Set slope to 0"):
        train(RECIPE, {"train": [Example("a day", "positive")]}, tmp_path / "out", lambda _: None)
    with pytest.raises(AttribookError, match="not finite"):
        train(replace(RECIPE, learning_rate=1e30), {"train": EXAMPLES}, tmp_path / "out", lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_after_training_is_one_line_and_leaves_nothing(base, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "download", lambda _archive, scratch, _say: scratch)
    monkeypatch.setattr(tuning, "extract", lambda _archive, _members, scratch: copy_files(base, scratch))

    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(tuning, "write_classifier", full)
    with pytest.raises(AttribookError, match="Is there room on the disk"):
        train(replace(RECIPE, epochs=1), {"train": EXAMPLES}, tmp_path / "out", lambda _: None)
    assert list(tmp_path.iterdir()) == []


def copy_files(source, target):
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def test_parts_depend_on_the_words_alone():
    assert split("A  Rare\tFilm. ") == split("a rare film.")
    texts = [f"snippet number {number}" for number in range(2000)]
    counts = Counter(split(text) for text in texts)
    assert counts.keys() == {"train", "validation", "held-out"}
    assert 150 < counts["held-out"] < 250  # a tenth; four standard deviations are 54
    assert 150 < counts["validation"] < 250
    assert [split(text) for text in texts] == [split(text) for text in reversed(texts)][::-1]
    assert [split(text, 1) for text in texts] != [split(text) for text in texts]


def test_snippets_are_labelled_by_the_sign_of_their_valence():
    content = "1\t2.2\tA  rare   film.\r\n2\t0.0\tSome film.\r\n3\t-0.1\tA poor film.\r\n"
    found = snippets(content)
    assert [(p.id, p.text, p.gold) for p in found] == [
        ("snippet-1", "A rare film.", "positive"), ("snippet-3", "A poor film.", "negative")
    ]  # fmt: skip
    with pytest.raises(AttribookError, match="outside of -4 to 4"):
        snippets("1\t22\tA film.")


def test_the_archives_snippets(real_snippets):
    parts = {}
    for prompt in real_snippets:
        parts.setdefault(prompt.split, []).append(prompt)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 8444, "validation": 1075, "held-out": 1049}
    texts = {part: {" ".join(p.text.casefold().split()) for p in rows} for part, rows in parts.items()}
    assert not texts["held-out"] & (texts["train"] | texts["validation"])
    assert not texts["validation"] & texts["train"]
    assert Counter(p.gold for p in real_snippets) == {"negative": 5326, "positive": 5242}


@pytest.fixture
def real_snippets():
    try:
        return load_dataset("rotten-tomatoes-snippets")
    except AttribookError as error:
        pytest.skip(f"needs the snippets, which could not be fetched (attribook data verify): {error}")


@pytest.fixture
def classifier():
    try:
        return ensure(NAME)
    except AttribookError as error:
        if "Could not fetch" not in str(error):
            raise
        pytest.skip(f"needs {NAME}, which could not be fetched (attribook models fetch {NAME}): {error}")


def test_a_changed_update_is_not_merged(tmp_path, monkeypatch):
    """Also where the archive is within reach: the cache stays as it was."""
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))
    content = bytearray(update_file(NAME).read_bytes())
    content[-1] ^= 1
    (tmp_path / "update.safetensors").write_bytes(content)
    monkeypatch.setattr(fetch, "update_file", lambda _name: tmp_path / "update.safetensors")
    monkeypatch.setattr(fetch, "download", lambda _archive, scratch, _say: scratch)
    monkeypatch.setattr(fetch, "extract", lambda archive, _members, _scratch: [archive])
    with pytest.raises(AttribookError, match=r"update\.safetensors has the SHA-256"):
        ensure(NAME, lambda _: None)
    left = [path.name for path in (tmp_path / "home" / "models").iterdir()]
    assert left == [".minilm-rotten-tomatoes.lock"], "nothing but what processes wait by"


def test_the_committed_update_is_the_registered_one():
    assert sha256(update_file(NAME)) == SOURCES[NAME].update_sha256
    assert update_file(NAME).stat().st_size < 400_000
    values, labels = read_update(update_file(NAME))
    assert tuple(labels) == RECIPES[NAME].labels
    assert {len(value) for name, value in values.items() if name.endswith(".A")} == {RECIPES[NAME].rank}
    assert SOURCES[NAME].archive == BASES[RECIPES[NAME].base].archive


def test_the_registered_classifier_on_all_held_out_snippets(classifier, real_snippets):
    """918 of 1,049 were right (87.5%) when it was registered; another machine's rounding may move a few."""
    assert sha256(classifier / "model.safetensors") == SOURCES[NAME].weights_sha256
    held_out = [Example(p.text, p.gold) for p in real_snippets if p.split == "held-out"]
    assert abs(accuracy(classifier, held_out) - 918 / 1049) <= 3 / 1049
