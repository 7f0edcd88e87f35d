"""Low-rank updates of an encoder (Hu et al. 2022, LoRA): small enough to commit, merged to the same bytes anywhere.

Tuning differs in its last bits from machine to machine, and rows are keyed by the weights' hash. So what was learned
once is committed, and the explained model is the base plus that: every product of two float32 entries is exact in
float64, and the sum has a fixed order and no matrix product.
The paper scales its update by alpha / rank; here the scale is 1, so the learning rate alone sets the size.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from attribook.errors import AttribookError

HEAD = "classifier."
NOTE = "attribook"  # the one metadata entry of an update's file: several would be written in any order


class LowRank(nn.Module):
    """A frozen linear layer plus a learned update of low rank.

    Formula: x W^T + b + (x A^T) B^T
    Shapes:  x (..., D_in), A (R, D_in), B (D_out, R); returns (..., D_out). B starts at 0: training starts at the base.
    Source:  Hu et al. 2022, eq. 3, scale 1.
    """

    def __init__(self, linear: nn.Linear, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        width = linear.in_features
        self.A = nn.Parameter(torch.randn(rank, width, generator=generator) / math.sqrt(width))
        self.B = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        return self.linear(x) + (x @ self.A.T) @ self.B.T


def attach(network: nn.Module, layers: Sequence[str], rank: int, generator: torch.Generator) -> None:
    """Freeze a classifier but for its head, and give an update to each linear layer whose name ends in one of `layers`.

    Raises: AttribookError if a name fits no linear layer.
    """
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(HEAD))
    fits = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and name.endswith(tuple(layers)) and not name.startswith(HEAD)
    }
    for layer in layers:
        if not any(name.endswith(layer) for name in fits):
            raise AttribookError(f"No linear layer of the network has a name that ends in {layer!r}.")
    for name, linear in fits.items():
        parent, _, attribute = name.rpartition(".")
        setattr(network.get_submodule(parent), attribute, LowRank(linear, rank, generator))


def learned(network: nn.Module) -> dict[str, Tensor]:
    """What training moved: A and B of every updated layer, and the head, in float16 to halve the file."""
    return {
        name: parameter.detach().cpu().to(torch.float16).contiguous()
        for name, parameter in sorted(network.named_parameters())
        if parameter.requires_grad
    }


def save_update(update: Mapping[str, Tensor], labels: Sequence[str], path: Path) -> None:
    """Write an update with the labels of its head."""
    save_file(dict(update), path, metadata={NOTE: json.dumps({"labels": list(labels)})})


def read_update(path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """An update and the labels of its head. Raises: AttribookError if the file is none."""
    try:
        with safe_open(path, "pt") as file:
            labels = json.loads(file.metadata()[NOTE])["labels"]
        return load_file(path), labels
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise AttribookError(f"{path} is no update of an encoder, or is damaged: {error}") from error


def merge(base: Mapping[str, Tensor], update: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the classifier: the base's with the updates added, and the head. Same bytes on every machine.

    Formula: W + sum_r B[:, r] A[r, :], added in the order of r in float64, then rounded to float32
    Shapes:  W (D_out, D_in), A (R, D_in), B (D_out, R)
    Raises:  AttribookError if an update fits no weight of the base, or holds a NaN.
    """
    weights = dict(base)
    for name, values in update.items():
        if not bool(values.isfinite().all()):
            raise AttribookError(f"The update {name} is not finite.")
        layer, _, part = name.rpartition(".")
        if name.startswith(HEAD):
            weights[name] = values.to(torch.float32)
        elif part == "A":
            weights[f"{layer}.weight"] = _added(weights, f"{layer}.weight", values, update[f"{layer}.B"])
    return weights


def _added(weights: Mapping[str, Tensor], name: str, a: Tensor, b: Tensor) -> Tensor:
    """One weight plus the outer products of its update."""
    if name not in weights or weights[name].shape != (len(b), a.shape[1]) or b.shape[1] != len(a):
        raise AttribookError(f"The update of {name} does not fit the base.")
    total = weights[name].double()
    for column, row in zip(b.double().T, a.double(), strict=True):
        total = total + column[:, None] * row  # (D_out, D_in)
    return total.to(torch.float32)


def write_classifier(base: Path, update: Path, folder: Path) -> None:
    """An ordinary model folder from the files of a BERT encoder (in the folder `base`) and an update's file."""
    learned_values, labels = read_update(update)
    encoder = {
        f"bert.{name}": values
        for name, values in load_file(base / "model.safetensors").items()
        if name != "embeddings.position_ids"  # a buffer of old versions
    }
    folder.mkdir()
    save_file(merge(encoder, learned_values), folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config |= {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": "single_label_classification",
    }
    # The encoder's tokenizer cuts and pads to 128 tokens: an explained text is neither cut in silence nor padded.
    tokenizer = json.loads((base / "tokenizer.json").read_text(encoding="utf-8")) | {
        "truncation": None,
        "padding": None,
    }
    settings = json.loads((base / "tokenizer_config.json").read_text(encoding="utf-8"))
    for name, content in (("config", config), ("tokenizer", tokenizer), ("tokenizer_config", settings)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
