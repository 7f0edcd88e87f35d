"""From a name to an explained model: a registered name, a tiny random model, a folder, or a hub id."""

import difflib
import hashlib
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from attribook.errors import AttribookError
from attribook.models.causal import CausalLM
from attribook.models.fetch import ensure, model_folder, quiet_transformers, sha256
from attribook.models.registry import SOURCES
from attribook.models.tiny import tiny_model, tiny_names, weights_fingerprint


def load_model(
    name: str, *, dtype: str = "float32", device: str = "", token_budget: int = 0, seed: int = 0
) -> CausalLM:
    """Load an explained model.

    `name` is a registered name, `tiny-<family>`, a folder with safetensors weights, or a hub id; `seed` matters
    for tiny models alone. `device` defaults to CUDA where there is one.
    Raises: AttribookError with the known names if nothing fits.
    """
    network, tokenizer, fingerprint = weights(name, seed)
    network = network.to(device or ("cuda" if torch.cuda.is_available() else "cpu"), getattr(torch, dtype))
    if not getattr(tokenizer, "is_fast", False):
        raise AttribookError(
            f"The tokenizer of {name} has no fast form, which the alignment of tokens and text needs. "
            "Save it with a tokenizer.json beside the weights."
        )
    if dtype != "float32":
        fingerprint += f"-{dtype}"
    return CausalLM(network, tokenizer, name=name, fingerprint=fingerprint, token_budget=token_budget)


def weights(name: str, seed: int) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, str]:
    """Network, tokenizer and the fingerprint that identifies the weights in a row's key."""
    if name in SOURCES:
        return *from_folder(str(ensure(name))), SOURCES[name].weights_sha256
    if name in tiny_names():
        network, tokenizer = tiny_model(name.removeprefix("tiny-"), seed=seed)
        return network, tokenizer, weights_fingerprint(network)
    if Path(name).is_dir():
        return *from_folder(name), folder_fingerprint(Path(name))
    refuse_what_no_hub_has(name)
    network, tokenizer = from_folder(name)
    revision = getattr(network.config, "_commit_hash", None)
    return network, tokenizer, f"hub:{name}@{revision}"


def from_folder(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Ordinary loading: safetensors only, no code from the folder or hub."""
    safe = {"trust_remote_code": False}
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(name, **safe)
            network = AutoModelForCausalLM.from_pretrained(
                name, use_safetensors=True, dtype=torch.float32, attn_implementation=None, **safe
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise AttribookError(
            f"Cannot load the model {name!r}: {reason}\nKnown names: {', '.join(known_names())}; or give a folder "
            "with config.json, safetensors weights and a tokenizer, or a hub id where the hub is within reach."
        ) from error
    return network, tokenizer


def refuse_what_no_hub_has(name: str) -> None:
    """Raises: AttribookError for a path that is no folder or a misspelt known name, before a hub is asked in vain."""
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise AttribookError(f"There is no folder {name!r} with a model in it.")
    if "/" not in name and (near := difflib.get_close_matches(name, known_names(), n=1, cutoff=0.75)):
        raise AttribookError(
            f"Unknown model {name!r}. Did you mean {near[0]}? Known names: {', '.join(known_names())}."
        )


def folder_fingerprint(folder: Path) -> str:
    """SHA-256 over the names and hashes of a folder's weights, config and tokenizer."""
    files = sorted(p for p in folder.iterdir() if p.suffix in {".safetensors", ".json"})
    return hashlib.sha256("".join(f"{p.name}:{sha256(p)};" for p in files).encode()).hexdigest()


def known_names() -> list[str]:
    """Registered and tiny models."""
    return [*SOURCES, *tiny_names()]


def known_fingerprint(name: str) -> str | None:
    """A registered model's fingerprint, which needs no weights; None for other models."""
    return SOURCES[name].weights_sha256 if name in SOURCES else None


def status(name: str) -> str:
    """One word on a known model: built-in, fetched, or not fetched."""
    if name not in SOURCES:
        return "built-in"
    return "fetched" if model_folder(name).is_dir() else "not fetched"
