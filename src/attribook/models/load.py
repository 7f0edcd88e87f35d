"""From a name to an explained model: a registered name, a tiny random model, a folder, or a hub id.

`<causal model>+<template>` is a prompted classifier, as in `smollm2-135m+sentiment`.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers

from attribook.errors import AttribookError
from attribook.models.causal import CausalLM
from attribook.models.classifier import SequenceClassifier
from attribook.models.explained import Explained
from attribook.models.families import ENCODERS
from attribook.models.fetch import ensure, quiet_transformers
from attribook.models.files import check_readable, folder_fingerprint, model_files, tensors
from attribook.models.known import known_names, tiny_names
from attribook.models.names import MAY_LOAD, ModelName, known_fingerprint, tuned_folder, tuned_where_used
from attribook.models.prompted import PromptedClassifier
from attribook.models.registry import SOURCES
from attribook.models.soundness import in_one_line, refuse_what_reads_later_tokens, soundness
from attribook.models.tiny import tiny_model, weights_fingerprint
from attribook.paths import home

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


BUFFERS = ("position_ids", "masked_bias", "inv_freq", "attn.bias")  # constants that old checkpoints hold
FLOATS = ("F64", "F32", "F16", "BF16")
HUB_ID = "a hub id where the hub is within reach"
GOES_ON = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")  # ends of the names of models that write


def load_model(
    name: str, *, dtype: str = "float32", device: str = "", token_budget: int = 0, seed: int = 0
) -> Explained:
    """Load an explained model.

    `name` is a registered name, `tiny-<family>`, a folder with safetensors weights, or a hub id; a causal model's
    name with `+<template>` is a prompted classifier. `seed` matters for tiny models alone. `device` defaults to CUDA
    where there is one.
    Raises: AttribookError with the known names if nothing fits.
    """
    where = f"a folder with config.json, safetensors weights and a tokenizer that fit together, or {HUB_ID}"
    with in_one_line(f"Cannot load the model {name!r}", f"Known names: {', '.join(known_names())}; or give {where}."):
        return put_together(name, dtype, device, token_budget, seed)


def put_together(name: str, dtype: str, device: str, token_budget: int, seed: int) -> Explained:
    """The work of `load_model`, in which a damaged folder may raise anything."""
    if not MAY_LOAD.get():
        raise AttribookError("Nothing is loaded for a plan.")
    model = ModelName.parse(name)
    core, template = model.core, model.template
    network, tokenizer, fingerprint = weights(core, seed)
    _ = tokenizer.all_special_ids, tokenizer.unk_token_id  # damaged settings fail here, where their folder is named
    if not tokenizer.vocab_size:
        raise AttribookError(f"The tokenizer of {name} has no token. Save the model with its own tokenizer.")
    network = network.to(device or ("cuda" if torch.cuda.is_available() else "cpu"), getattr(torch, dtype))
    if not getattr(tokenizer, "is_fast", False):
        raise AttribookError(
            f"The tokenizer of {name} has no fast form, which the alignment of tokens and text needs. "
            "Save it with a tokenizer.json beside the weights."
        )
    if dtype != "float32":
        fingerprint += f"-{dtype}"
    classifies = is_head(type(network).__name__)
    if template is not None and classifies:
        raise AttribookError(f"{core} is a classifier already: leave out +{template.name}.")
    sound = soundness(network.eval(), causal=not classifies)
    refuse_what_reads_later_tokens(name, sound)
    if template is None:
        kind = SequenceClassifier if classifies else CausalLM
        return kind(network, tokenizer, name=name, fingerprint=fingerprint, token_budget=token_budget, sound=sound)
    return PromptedClassifier(
        network, tokenizer, template=template, name=name, token_budget=token_budget, sound=sound,
        fingerprint=f"{fingerprint}+{template.fingerprint}",
    )  # fmt: skip


def is_classifier(config: PreTrainedConfig) -> bool:
    """Whether weights of that config have a classification head."""
    return any(is_head(str(name)) for name in config.architectures or [])


def is_head(architecture: str) -> bool:
    """Whether the class of that name is a classifier."""
    return architecture.endswith("ForSequenceClassification")


def weights(name: str, seed: int) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, str]:
    """Network, tokenizer and the fingerprint that identifies the weights in a row's key."""
    if name in SOURCES:
        return *from_folder(str(ensure(name))), SOURCES[name].weights_sha256
    if name in tiny_names():
        network, tokenizer = tiny_model(name.removeprefix("tiny-"), seed=seed)
        return network, tokenizer, weights_fingerprint(network)
    if (folder := tuned_folder(name)) is not None:
        return *from_folder(str(folder)), folder_fingerprint(folder)
    if Path(name).is_dir():
        return *from_folder(name), folder_fingerprint(Path(name))
    refuse_what_no_hub_has(name)
    try:
        network, tokenizer = from_folder(name)
    except OSError as error:
        if "gated repo" in str(error).lower():  # as transformers says it, with or without a token
            raise AttribookError(
                f"{name} is gated. Accept its terms at https://huggingface.co/{name}, then type: hf auth login."
            ) from error
        raise
    revision = getattr(network.config, "_commit_hash", None)
    return network, tokenizer, f"hub:{name}@{revision}"


def from_folder(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Ordinary loading: safetensors only, no code from the folder or hub, every weight from the checkpoint."""
    if Path(name).is_dir():
        check_readable(Path(name))
    refuse_pickles(name)
    refuse_integers(name)
    safe = {"trust_remote_code": False}
    with quiet_transformers():
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **safe)
        config = transformers.AutoConfig.from_pretrained(name, **safe)
        refuse_what_is_not_read(name, config)
        kind = transformers.AutoModelForCausalLM
        if is_classifier(config):
            kind = transformers.AutoModelForSequenceClassification
        network, told = kind.from_pretrained(
            name, use_safetensors=True, dtype=torch.float32, attn_implementation=None, output_loading_info=True, **safe
        )
    if absent := sorted([*told["missing_keys"], *(str(each[0]) for each in told["mismatched_keys"])]):
        raise AttribookError(  # transformers draws them at random, another way in each process
            f"The weights of {name!r} lack {', '.join(absent[:3])}{' and more' * (len(absent) > 3)} for a "
            f"{type(network).__name__}, or have them in another shape. Save the whole model with save_pretrained."
        )
    if unread := sorted(key for key in told["unexpected_keys"] if not key.endswith(BUFFERS)):
        raise AttribookError(  # a shorter network, or half of one, would answer in the place of the whole
            f"{name!r} holds weights that a {type(network).__name__} of its config.json does not use: "
            f"{', '.join(unread[:3])}{' and more' * (len(unread) > 3)}. Correct config.json (layers, architectures), "
            "or save the model that is meant with save_pretrained."
        )
    return network, tokenizer


def refuse_pickles(name: str) -> None:
    """Raises: AttribookError for a folder whose weights are in pickle files alone."""
    folder = Path(name)
    pickles = sorted(path.name for path in folder.glob("*.bin")) if folder.is_dir() else []
    if pickles and not any(folder.glob("*.safetensors")):
        raise AttribookError(
            f"The weights in {name!r} are in a pickle file ({pickles[0]}), which can run code when it is read. Save "
            "the model as safetensors: save_pretrained does."
        )


def refuse_integers(name: str) -> None:
    """Raises: AttribookError for a folder with whole numbers among its weights, which would be loaded as numbers."""
    for path in sorted(Path(name).glob("*.safetensors")) if Path(name).is_dir() else []:
        kinds = tensors(path)
        if wrong := [key for key, kind in kinds.items() if kind not in FLOATS and not key.endswith(BUFFERS)]:
            raise AttribookError(
                f"{path} holds weights as {kinds[wrong[0]]} ({wrong[0]}): quantised weights are no weights without "
                "their scales. Save the model in float32 or bfloat16."
            )


def refuse_what_is_not_read(name: str, config: PreTrainedConfig) -> None:
    """Raises: AttribookError for weights that neither go on with a text, token by token, nor classify it."""
    held = [str(each) for each in config.architectures or []]
    if getattr(config, "quantization_config", None):
        raise AttribookError(
            f"The weights in {name!r} are quantised, and whether a score of theirs is right was never tested here. "
            "Save the model in float32 or bfloat16, without quantization_config."
        )
    one_way = config.model_type not in ENCODERS or getattr(config, "is_decoder", False)
    goes_on = one_way and (not held or any(each.endswith(GOES_ON) for each in held))
    if goes_on or is_classifier(config):
        return
    raise AttribookError(
        f"{name!r} holds a {', '.join(held) or config.model_type}, which neither predicts the next token nor "
        f"classifies a text. Give a model whose class ends in {', '.join(GOES_ON)} or ForSequenceClassification."
    )


def refuse_what_no_hub_has(name: str) -> None:
    """Raises: AttribookError for a path that is no folder or a misspelt known name, before a hub is asked in vain."""
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise AttribookError(f"There is no folder {name!r} with a model in it.")
    if "/" not in name and (near := difflib.get_close_matches(name, known_names(), n=1, cutoff=0.75)):
        raise AttribookError(
            f"Unknown model {name!r}. Did you mean {near[0]}? Known names: {', '.join(known_names())}."
        )


def told_apart(name: str, root: Path) -> str:
    """What changes when a name or a folder comes to mean other weights, without reading these.

    Names, sizes and times of a folder's files, relative folders being under `root`; a hub id stands for itself.
    """
    core = name if (root / name).is_dir() else name.rpartition("+")[0] or name
    if core in SOURCES:
        return f"{name}: {known_fingerprint(core)}"
    folder = home() / "trained" / core if tuned_where_used(core) else root / core
    stats = [(path.name, path.stat()) for path in (model_files(folder) if folder.is_dir() else [])]
    return f"{name}: {[(file, stat.st_size, stat.st_mtime_ns) for file, stat in stats]}"
