"""A masked language model: not explained, but asked what may stand at blanks of a text. And two vocabularies, matched.

B texts, V' the vocabulary of the masked language model, V that of the explained model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers
from tokenizers import decoders, models
from torch import Tensor

from attribook.errors import AttribookError
from attribook.models.engine import Engine, checked
from attribook.models.fetch import quiet_transformers
from attribook.models.files import check_readable
from attribook.models.soundness import in_one_line

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class MaskedLM:
    """A network that predicts the token at a mask from both sides, and its tokenizer."""

    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str

    @torch.no_grad()
    def blanks(self, texts: list[str], engine: Engine) -> Iterator[Tensor]:
        """Log-probabilities `(n, V')` at the n masks of every text, in their order.

        The engine's counter counts the forwards, its budget splits them.
        Raises: AttribookError for a text too long for the network.
        """
        encoded = [self.tokenizer(text)["input_ids"] for text in texts]
        width = max(map(len, encoded), default=1)
        if width > self.tokenizer.model_max_length:
            raise AttribookError(
                f"The prompt has {width} tokens of {self.name}, whose window holds {self.tokenizer.model_max_length}. "
                "Shorten it."
            )
        size = max(1, engine.token_budget // width)
        for start in range(0, len(texts), size):
            batch = self.tokenizer.pad({"input_ids": encoded[start : start + size]}, return_tensors="pt")
            logits = checked(self.network(**batch.to(self.network.device)).logits)  # (b, T', V')
            engine._count(rows=len(logits), tokens=batch["input_ids"].numel())
            for row, ids in zip(logits, batch["input_ids"], strict=True):
                yield row[ids == self.tokenizer.mask_token_id].double().log_softmax(-1).cpu()

    @torch.no_grad()
    def last(self, ids: list[int], engine: Engine) -> Tensor:
        """Logits `(V',)` at the last of the given tokens, as they are."""
        logits = checked(self.network(input_ids=torch.tensor([ids], device=self.network.device)).logits)
        engine._count(rows=1, tokens=len(ids))
        return logits[0, -1].cpu()


@lru_cache(maxsize=2)
def load_masked_lm(name: str) -> MaskedLM:
    """A masked language model from a folder or the hub: safetensors only, no code from there."""
    if not name:
        raise AttribookError(
            "This replacer needs a masked language model. Give masked_lm=FOLDER or, where the hub is within reach, "
            "masked_lm=FacebookAI/roberta-base."
        )
    if Path(name).is_dir():
        check_readable(Path(name))
    with in_one_line(f"Cannot load the masked language model {name!r}"), quiet_transformers():
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        network = transformers.AutoModelForMaskedLM.from_pretrained(
            name, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    if tokenizer.mask_token_id is None or not tokenizer.is_fast:
        raise AttribookError(f"The tokenizer of {name} has no mask token or no fast form, so it cannot fill blanks.")
    return MaskedLM(network.eval().requires_grad_(False), tokenizer, name)


# -- from one vocabulary to another ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by their text and whether they are marked: as following a space, in WordPiece as beginning a word."""

    ids: dict[tuple[bool, str], int]
    wordpiece: bool

    def marked(self, spaced: bool, begins: bool) -> bool:
        """Whether a token at a place is marked, if a space stands before it, or if it begins a word."""
        return begins if self.wordpiece else spaced


@lru_cache(maxsize=8)
def vocabulary(tokenizer: PreTrainedTokenizerBase) -> Vocabulary:
    """Every token that is a text of its own: no special tokens, no parts of characters, no spaces alone."""
    core = tokenizer.backend_tokenizer
    wordpiece = isinstance(core.model, models.WordPiece)
    bytewise = isinstance(core.decoder, decoders.ByteLevel)
    special = set(tokenizer.all_special_ids)
    ids: dict[tuple[bool, str], int] = {}
    for piece, token in tokenizer.get_vocab().items():
        if wordpiece:
            marked, text = not piece.startswith("##"), piece.removeprefix("##")
        else:
            text = tokenizer.convert_tokens_to_string([piece]) if bytewise else piece.replace("▁", " ")
            marked, text = text.startswith(" "), text.removeprefix(" ")
        if token not in special and text.strip() and "\ufffd" not in text:
            ids.setdefault((marked, text), token)
    return Vocabulary(ids, wordpiece)


@lru_cache(maxsize=16)
def matched(
    source: PreTrainedTokenizerBase, target: PreTrainedTokenizerBase, spaced: bool, begins: bool
) -> tuple[Tensor, Tensor]:
    """Ids `(C,)` of both vocabularies with the same text, for a place after a space or not, at a word's begin or not.

    One token for one token, so that a replacement keeps the length of the prompt.
    """
    ours, theirs = vocabulary(source), vocabulary(target)
    mark, other = ours.marked(spaced, begins), theirs.marked(spaced, begins)
    pairs = [
        (token, theirs.ids[other, text])
        for (marked, text), token in ours.ids.items()
        if marked == mark and (other, text) in theirs.ids
    ]
    table = torch.tensor(sorted(pairs), dtype=torch.long).view(-1, 2)  # (C, 2)
    return table[:, 0], table[:, 1]
