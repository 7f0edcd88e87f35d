"""Tune an encoder on a labelled data set by low-rank updates, seeded.

The network stays in evaluation mode: without dropout the only randomness is the passed generator's. Batches hold texts
of similar length, so little is padding. A recipe is chosen on the validation part; held-out texts are for the result.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers
from torch import Tensor, nn

from attribook.archives import Say, download, extract
from attribook.errors import AttribookError
from attribook.models.fetch import quiet_transformers
from attribook.models.files import saving
from attribook.models.low_rank import HEAD, attach, learned, save_update, write_classifier
from attribook.models.recipes import Recipe
from attribook.models.registry import BASES

if TYPE_CHECKING:
    from transformers import PreTrainedModel

POOL = 50  # batches that are sorted by length together


@dataclass(frozen=True)
class Example:
    """A text with its label, and what raters gave it: below 0 for the first label, above 0 for the second."""

    text: str
    label: str
    rating: float | None = None


Examples = Sequence[Example]


@dataclass(frozen=True)
class Tokenized:
    """One example as the network reads it."""

    ids: Tensor  # (T,)
    label: int
    rating: float | None = None


def train(recipe: Recipe, parts: Mapping[str, Examples], folder: Path, say: Say) -> dict[str, float]:
    """Tune on `parts["train"]` and write a model folder; returns the accuracies on the other parts.

    Beside the model, the folder holds `update.safetensors` (what was learned) and `training.json`. It appears in one
    step.
    Raises: AttribookError if the folder is there already, or the encoder cannot be fetched.
    """
    if folder.exists():
        raise AttribookError(f"{folder} is there already. Remove it, or name another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        base, made = Path(scratch), Path(scratch) / "made"
        extract(download(BASES[recipe.base].archive, base, say), BASES[recipe.base].members, base)
        update = tune(base, parts["train"], recipe, say)
        with saving(made):
            save_update(update, recipe.labels, base / "update.safetensors")
            write_classifier(base, base / "update.safetensors", made)
            os.replace(base / "update.safetensors", made / "update.safetensors")
        found = {part: accuracy(made, examples) for part, examples in parts.items() if part != "train"}
        items = {part: len(examples) for part, examples in parts.items()}
        record = {"recipe": asdict(recipe), "items": items, "accuracy": found}
        with saving(folder):
            (made / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            os.replace(made, folder)
    return found


def tune(base: Path, examples: Examples, recipe: Recipe, say: Say) -> dict[str, Tensor]:
    """What is learned from `examples` over the encoder in the folder `base`. Same seed and machine, same values."""
    generator = torch.Generator().manual_seed(recipe.seed)
    with quiet_transformers():
        network = transformers.AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=len(recipe.labels), use_safetensors=True, dtype=torch.float32
        ).eval()
    head = network.get_parameter(f"{HEAD}weight")
    with torch.no_grad():
        head.normal_(std=network.config.initializer_range, generator=generator)
        network.get_parameter(f"{HEAD}bias").zero_()
    attach(network, recipe.layers, recipe.rank, generator)
    data = tokenized(base, examples, recipe.labels)
    mask = transformers.AutoTokenizer.from_pretrained(base).mask_token_id
    if mask is None and recipe.masked:
        raise AttribookError("The encoder's tokenizer has no mask token. Set the recipe's share of masked tokens to 0.")
    descend(network, data, recipe, mask, generator, say)
    return learned(network)


def descend(
    network: PreTrainedModel,
    data: Sequence[Tokenized],
    recipe: Recipe,
    mask: int,
    generator: torch.Generator,
    say: Say,
) -> None:
    """AdamW on the cross entropy; the learning rate rises over the warm-up and then falls to 0, both linearly."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=0.0)
    steps = recipe.epochs * math.ceil(len(data) / recipe.batch_size)
    warm = max(1, round(recipe.warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    done, total = 0, 0.0
    for _ in range(recipe.epochs):
        for batch in batches(data, recipe.batch_size, generator):
            seen = [masked(row, recipe.masked, mask, generator) for row in batch]
            loss = nn.functional.cross_entropy(logits(network, seen), targets(batch, recipe))
            if not math.isfinite(loss.item()):
                raise AttribookError(f"The loss of step {done} is not finite. Lower the recipe's learning rate.")
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, recipe.clip)
            optimizer.step()
            schedule.step()
            done, total = done + 1, total + loss.item()
            if done % POOL == 0 or done == steps:
                say(f"step {done} of {steps}, mean loss of the last steps {total / ((done - 1) % POOL + 1):.3f}")
                total = 0.0


def targets(batch: Sequence[Tokenized], recipe: Recipe) -> Tensor:
    """Probabilities `(B, classes)` to be learned. Raises: AttribookError if ratings are needed and there are none."""
    if not recipe.slope:
        labels = torch.tensor([row.label for row in batch])
        return nn.functional.one_hot(labels, len(recipe.labels)).float()
    if len(recipe.labels) != 2 or any(row.rating is None for row in batch):
        raise AttribookError("A recipe with a slope needs two labels and a rating for every example. Set slope to 0.")
    second = torch.tensor([row.rating for row in batch]).mul(recipe.slope).sigmoid()  # (B,)
    return torch.stack([1 - second, second], dim=1)  # (B, 2)


def masked(row: Tokenized, share: float, mask: int, generator: torch.Generator) -> Tokenized:
    """The example with the mask token for a random share of its tokens, the first and last (CLS, SEP) apart."""
    if not share:
        return row
    hit = torch.rand(len(row.ids), generator=generator) < share
    hit[[0, -1]] = False
    return replace(row, ids=row.ids.masked_fill(hit, mask))


def batches(data: Sequence[Tokenized], size: int, generator: torch.Generator) -> Iterator[list[Tokenized]]:
    """Every example once: shuffled, sorted by length within a pool, and the batches shuffled again."""
    order = torch.randperm(len(data), generator=generator).tolist()
    sliced = []
    for start in range(0, len(order), size * POOL):
        pool = sorted(order[start : start + size * POOL], key=lambda number: len(data[number].ids))
        sliced += [pool[i : i + size] for i in range(0, len(pool), size)]
    for number in torch.randperm(len(sliced), generator=generator).tolist():
        yield [data[i] for i in sliced[number]]


def logits(network: PreTrainedModel, batch: Sequence[Tokenized]) -> Tensor:
    """Logits (B, classes) of a padded batch."""
    ids = nn.utils.rnn.pad_sequence([row.ids for row in batch], batch_first=True)  # (B, T)
    lengths = torch.tensor([len(row.ids) for row in batch])
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()  # (B, T)
    values: Tensor = network(input_ids=ids, attention_mask=mask).logits
    return values


def tokenized(folder: Path, examples: Examples, labels: Sequence[str]) -> list[Tokenized]:
    """Examples as ids and numbers of labels. Raises: AttribookError for a label that is not one of `labels`."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if unknown := {example.label for example in examples} - set(labels):
        raise AttribookError(f"The examples have labels {sorted(unknown)}, the recipe has {list(labels)}.")
    rows = tokenizer([example.text for example in examples], padding=False, truncation=False)["input_ids"]
    numbers = {label: number for number, label in enumerate(labels)}
    return [
        Tokenized(torch.tensor(ids), numbers[example.label], example.rating)
        for ids, example in zip(rows, examples, strict=True)
    ]


def accuracy(folder: Path, examples: Examples, batch_size: int = 64) -> float:
    """Share of examples whose label the classifier in `folder` predicts."""
    with quiet_transformers():
        network = transformers.AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True).eval()
    names = [network.config.id2label[number] for number in range(network.config.num_labels)]
    data = sorted(tokenized(folder, examples, names), key=lambda row: len(row.ids))
    right = 0
    with torch.no_grad():
        for start in range(0, len(data), batch_size):
            batch = data[start : start + batch_size]
            right += int((logits(network, batch).argmax(-1) == torch.tensor([row.label for row in batch])).sum())
    return right / len(data)
