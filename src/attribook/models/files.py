"""The files of a model folder that its answers depend on, all inside it, and the hashes that stand for them.

Weights are not all: a tokenizer whose words are in another order gives the same network other prompts.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from attribook.archives import sha256
from attribook.errors import AttribookError

WEIGHTS = "model.safetensors"
MANIFEST = "attribook-manifest.json"
# Nothing of these is read: documents, and weights in forms that are refused or left alone.
NOT_READ = {".md", ".pdf", ".png", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".gguf"}


@contextmanager
def saving(folder: Path) -> Iterator[None]:
    """Say in one line what stands in the way of a model folder: a full disk, above all.

    safetensors and tokenizers have errors of their own for it, the latter's a bare Exception. Raises: AttribookError.
    """
    try:
        yield
    except AttribookError:
        raise
    except Exception as error:
        if isinstance(error, (OSError, SafetensorError)) or "(os error" in str(error):
            raise AttribookError(f"Cannot write {folder}: {error}. Is there room on the disk?") from error
        raise


def model_files(folder: Path) -> list[Path]:
    """Everything of a folder that loading may read: its own files, shards that an index names, chat templates.

    Raises: AttribookError for a file that lies elsewhere, through a link or through `..` in an index: what changes
        there would change scores unseen. Links into the hub's own cache, which holds files by their hashes, may stay.
    """
    own = {path for path in folder.iterdir() if path.suffix not in NOT_READ and not path.name.startswith(".")}
    named = {folder / shard for index in folder.glob("*.index.json") for shard in shards(index)}
    templates = set(folder.glob("additional_chat_templates/*.jinja"))
    root = folder.resolve()
    roots = [root, root.parents[1] / "blobs"] if root.parent.name == "snapshots" else [root]
    for path in sorted(own | named | templates):
        if not any(path.resolve().is_relative_to(each) for each in roots):
            raise AttribookError(
                f"{path} lies outside of its model's folder, at {path.resolve()}. Copy the file into the folder."
            )
    return sorted(path for path in own | named | templates if path.is_file())


def shards(index: Path) -> set[str]:
    """Files that an index of weights names. Raises: AttribookError where it is damaged."""
    named = json_object(index).get("weight_map")
    if not isinstance(named, dict) or not all(isinstance(file, str) and "\0" not in file for file in named.values()):
        raise AttribookError(f"{index} names no files in its weight_map. Save the model again with save_pretrained.")
    return set(named.values())


def json_object(path: Path) -> dict[str, Any]:
    """A JSON file with names and values. Raises: AttribookError that names the file for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
        reason: object = "it holds no names and values"
    except (OSError, ValueError, RecursionError) as error:
        reason = error
    raise AttribookError(f"{path} is damaged: {reason}. Save the model again with save_pretrained.")


def check_readable(folder: Path) -> None:
    """Raises: AttribookError that names the first file of a model folder which cannot be read at all, or is missing."""
    files = model_files(folder)
    for path in files:
        if path.suffix == ".json":
            json_object(path)
        elif path.suffix == ".safetensors":
            tensors(path)
    for index in folder.glob("*.safetensors.index.json"):
        if absent := sorted(file for file in shards(index) if folder / file not in files):
            raise AttribookError(f"{folder / absent[0]} is missing, which {index.name} names. Copy it there.")


def tensors(path: Path) -> dict[str, str]:
    """Names and kinds of numbers of a file's weights. Raises: AttribookError that names the file if it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_slice(key).get_dtype() for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise AttribookError(f"{path} is damaged or incomplete: {error}. Copy or save the model again.") from error


def folder_fingerprint(folder: Path) -> str:
    """SHA-256 over the names and hashes of everything that is read of a folder: weights, config, tokenizer, templates.

    Of folders with nothing but safetensors and JSON it is what it was when only these were hashed.
    """
    pairs = (f"{path.relative_to(folder).as_posix()}:{sha256(path)};" for path in model_files(folder))
    return hashlib.sha256("".join(pairs).encode()).hexdigest()


def settings_digest(folder: Path) -> str:
    """SHA-256 over all that is read of a folder but its weights, and but the version of the library that wrote it."""
    whole = hashlib.sha256()
    for path in model_files(folder):
        if path.name not in (WEIGHTS, MANIFEST):
            content = path.read_bytes()
            if path.name in ("config.json", "generation_config.json"):
                settings = json_object(path)
                settings.pop("transformers_version", None)
                content = json.dumps(settings, sort_keys=True).encode()
            whole.update(f"{path.name}:{hashlib.sha256(content).hexdigest()};".encode())
    return whole.hexdigest()
