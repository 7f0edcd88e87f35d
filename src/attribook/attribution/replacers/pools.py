"""What every replacer takes and gives, and the replacers that draw each position's token from a pool of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from attribook.models.explained import Explained

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Replacer(Protocol):
    """Gives ids `(B, T)` for `chosen` `(B, T)` and uniform numbers `(B, T)`; counts the forwards it has cost."""

    forwards: int

    def __call__(self, chosen: Tensor, u: Tensor) -> Tensor:
        """The prompt's ids `(B, T)`, others where chosen."""


@dataclass(frozen=True)
class Ways:
    """Where tokens may be chosen `(T,)`, and the options; each replacer uses those that mean something to it."""

    places: Tensor
    pick: str
    original: str
    candidates: int
    masked_lm: str


@dataclass(frozen=True)
class Pool:
    """What may stand at one position: ids `(C,)` and their weights, summed up, `(C,)`; no weights: all alike."""

    ids: Tensor
    sums: Tensor | None = None

    def draw(self, u: Tensor) -> Tensor:
        """One id for each number `(B,)`: the first whose summed weight lies above it."""
        if self.sums is None:
            return self.ids[(u * len(self.ids)).long()]
        last = torch.searchsorted(self.sums, self.sums[-1:])  # the last with a weight: rounding must not pass it
        return self.ids[torch.searchsorted(self.sums, u * self.sums[-1], right=True).minimum(last)]


@dataclass
class Pooled:
    """A replacer whose positions are independent of each other and of what else is replaced."""

    ids: Tensor  # (T,)
    pools: list[Pool]  # T of them
    forwards: int = 0

    def __call__(self, chosen: Tensor, u: Tensor) -> Tensor:
        """See `Replacer`."""
        drawn = torch.stack([pool.draw(u[:, place]) for place, pool in enumerate(self.pools)], dim=1)  # (B, T)
        return torch.where(chosen, drawn, self.ids)


def weighted(ids: Tensor, weights: Tensor, pick: str) -> Pool:
    """A pool that draws by weights `(C,)`, or holds only the id with the largest."""
    return Pool(ids[weights.argmax()][None]) if pick == "argmax" else Pool(ids, weights.cumsum(0))


def without(ids: Tensor, token: Tensor, ways: Ways) -> Tensor:
    """The ids but the prompt's own token, if that is excluded and not the only one."""
    others = ids[ids != token] if ways.original == "excluded" else ids
    return others if len(others) else ids


def ordinary_ids(model: Explained) -> Tensor:
    """All ids of the vocabulary `(C,)` but those of special tokens, rising."""
    return ordinary(model.tokenizer, model.network.get_input_embeddings().weight.shape[0])


@lru_cache(maxsize=4)
def ordinary(tokenizer: PreTrainedTokenizerBase, embedded: int) -> Tensor:
    """The same below the number of embeddings: some tokenizers have tokens that their network has not."""
    excluded = set(tokenizer.all_special_ids)
    ids = sorted(token for token in tokenizer.get_vocab().values() if token < embedded)
    return torch.tensor([token for token in ids if token not in excluded])
