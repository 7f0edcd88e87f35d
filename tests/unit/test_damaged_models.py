"""Model folders that are damaged, at random and by hand: one line that names the file, never a traceback."""

import json
import random
import shutil
import struct

import pytest

from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.load import load_model
from attribook.models.tiny import tiny_model

FAMILIES = ("gpt2", "llama", "bert")
STRANGE = (0, -1, 1, 2, 7, 0.5, 1e308, 2**31, True, None, "", "x", "../x", "\ud800", [], {}, [[]], {"a": None})
PROMPT = "In the old city of my"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One whole folder of each family; the second one's weights are in several files with an index."""
    made = {}
    for family in FAMILIES:
        network, tokenizer = tiny_model(family)
        made[family] = tmp_path_factory.mktemp(family)
        network.save_pretrained(made[family], max_shard_size="20KB" if family == "llama" else "1GB")
        tokenizer.save_pretrained(made[family])
    return made


def copied(folder, place):
    shutil.rmtree(place, ignore_errors=True)
    return shutil.copytree(folder, place)


def places(value, path=()):
    """Every place in a JSON value; of long lists and mappings the first few."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs)[:40]:
        yield from places(inner, (*path, key))


def changed(value, chance):
    """A JSON value with one place deleted, or holding something strange."""
    *above, last = path = chance.choice(list(places(value)))[:] or (None,)
    if path == (None,):
        return chance.choice(STRANGE)
    holder = value
    for key in above:
        holder = holder[key]
    if chance.random() < 0.3:
        del holder[last]
    else:
        holder[last] = chance.choice(STRANGE)
    return value


def damage(folder, chance):
    """Change one file of a folder: JSON by its structure or its bytes, weights in their header or their length."""
    path = chance.choice(sorted(folder.iterdir()))
    content = path.read_bytes()
    kind = chance.random()
    if kind < 0.1:
        path.unlink()
    elif kind < 0.2:
        path.write_bytes(content[: chance.randrange(len(content))])
    elif kind < 0.35:
        spoilt = bytearray(content)
        # The first bytes of weights are their header: among the numbers behind it, every byte makes another model.
        for _ in range(chance.randint(1, 4)):
            spoilt[chance.randrange(min(len(spoilt), 2000))] = chance.randrange(256)
        path.write_bytes(spoilt)
    elif path.suffix == ".json":
        path.write_text(json.dumps(changed(json.loads(content), chance)), encoding="utf-8")
    elif path.suffix == ".safetensors":
        (length,) = struct.unpack("<Q", content[:8])
        header = json.dumps(changed(json.loads(content[8 : 8 + length]), chance)).encode()
        path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])


def attempt(folder):
    """Load and explain. Returns the message of our own error, or None; raises any other."""
    try:
        model = load_model(str(folder))
        explain(model, model.encode(PROMPT), "occlusion")
    except AttribookError as error:
        return str(error)
    return None


def fuzz(folders, place, numbers):
    messages = []
    for number in numbers:
        chance = random.Random(number)
        folder = copied(folders[chance.choice(FAMILIES)], place)
        damage(folder, chance)
        try:
            messages.append(attempt(folder))
        except BaseException as error:
            raise AssertionError(f"mutation {number} ended in {type(error).__name__}: {error}") from error
    return messages


def test_a_hundred_damaged_folders_end_in_our_own_errors(folders, tmp_path):
    messages = fuzz(folders, tmp_path / "model", range(100))
    assert sum(message is not None for message in messages) > 50
    assert all(message is None or len(message) < 1500 for message in messages)


@pytest.mark.slow
def test_four_thousand_damaged_folders_end_in_our_own_errors(folders, tmp_path):
    fuzz(folders, tmp_path / "model", range(100, 4100))
