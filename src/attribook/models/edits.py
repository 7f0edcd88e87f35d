"""Edits: many changed copies of one prompt, told as what the engine needs to run them.

B copies, T prompt tokens, D embedding width. Every edit yields rows, grouped by their length, each with the
number of leading tokens it shares with the unchanged prompt: those need not be computed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from attribook.errors import AttribookError


@dataclass(frozen=True)
class RowGroup:
    """Rows of one length: their places in the edit, inputs `(B, T')` ids or `(B, T', D)` embeddings, shared prefix."""

    places: Tensor  # (B,)
    inputs: Tensor  # (B, T') long or (B, T', D) float
    shared: Tensor  # (B,) leading tokens equal to the prompt's, at most T' - 1


def shared_prefix(same: Tensor) -> Tensor:
    """Leading True entries of each row of `same` `(B, T)`, capped at T - 1: the last token is always computed."""
    leading = same.long().cumprod(dim=1).sum(dim=1)  # (B,)
    return leading.clamp(max=same.shape[1] - 1)


@dataclass(frozen=True)
class Replace:
    """Token replacements: `ids` `(B, T)`, one full prompt a row."""

    ids: Tensor

    def __len__(self) -> int:
        return self.ids.shape[0]

    def groups(self, prompt_ids: Tensor, prompt_embeds: Tensor) -> Iterator[RowGroup]:
        """All rows in one group."""
        del prompt_embeds
        yield RowGroup(torch.arange(len(self)), self.ids, shared_prefix(self.ids == prompt_ids))


@dataclass(frozen=True)
class Delete:
    """Deletions: `keep` `(B, T)`, True where a token stays; what follows moves up, positions included."""

    keep: Tensor

    def __len__(self) -> int:
        return self.keep.shape[0]

    def groups(self, prompt_ids: Tensor, prompt_embeds: Tensor) -> Iterator[RowGroup]:
        """One group for each number of kept tokens.

        Raises: AttribookError if a row keeps nothing, because an empty prompt predicts nothing.
        """
        del prompt_embeds
        kept = self.keep.sum(dim=1)  # (B,)
        if bool((kept == 0).any()):
            raise AttribookError(
                "A deletion would leave no token to predict from. Use the operator 'zero' or 'mask' "
                "for prompts this short."
            )
        for length in kept.unique().tolist():
            places = (kept == length).nonzero()[:, 0]
            rows = self.keep[places]  # (B', T)
            ids = prompt_ids.expand(len(places), -1)[rows].view(len(places), length)  # (B', T')
            yield RowGroup(places, ids, shared_prefix(rows).clamp(max=length - 1))


@dataclass(frozen=True)
class Embed:
    """Embedding edits: `embeds` `(B, T, D)`, in the space of the model's input embedding layer."""

    embeds: Tensor

    def __len__(self) -> int:
        return self.embeds.shape[0]

    def groups(self, prompt_ids: Tensor, prompt_embeds: Tensor) -> Iterator[RowGroup]:
        """All rows in one group."""
        del prompt_ids
        same = (self.embeds == prompt_embeds).all(dim=-1)  # (B, T)
        yield RowGroup(torch.arange(len(self)), self.embeds, shared_prefix(same))


Edits = Replace | Delete | Embed
