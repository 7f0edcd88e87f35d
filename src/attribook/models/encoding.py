"""What the explained model is asked: one prompt as tokens, with its target and its named spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attribook.errors import AttribookError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KeysValues = list[tuple[Tensor, Tensor]]  # per layer, keys and values (1, heads, T, head width)


@dataclass(frozen=True, eq=False)
class Encoding:
    """One prompt as the model sees it, and the prediction that is explained.

    Position i of every tensor belongs to token i, special tokens included. Joining the texts of the
    attributable tokens gives the prompt back, special tokens that it spells out aside. C answers: the vocabulary,
    or the classes of a classifier.
    """

    text: str
    ids: Tensor  # (T,)
    tokens: list[str]  # text of each token; special tokens by name
    entries: list[str]  # of the vocabulary ("Ġhouse", "##ing"), as other tools name tokens
    attributable: Tensor  # (T,) bool; False for special tokens and for a template's
    template: Tensor  # (T,) bool; tokens of a template around the text, which nothing may change
    reads: int  # the position whose state becomes the prediction: the last, or 0 for CLS
    spans: Mapping[str, Tensor]  # name -> (T,) bool
    target: int  # number of the explained answer: a token's id, or a class
    target_text: str
    logits: Tensor  # (C,) float64, of the unchanged prompt
    distribution: Tensor  # (C,) float64, probabilities of the answers to the unchanged prompt
    embeds: Tensor  # (T, D) input embeddings
    notes: list[str] = field(default_factory=list)
    special_names: frozenset[str] = frozenset()  # special tokens of its tokenizer, by name
    prefix: KeysValues | None = field(default=None, repr=False)  # None where reuse would not be exact
    memo: dict[str, Tensor] = field(default_factory=dict, repr=False)  # distributions that metrics share

    @property
    def probability(self) -> float:
        """Probability of the target after the unchanged prompt."""
        return float(self.distribution[self.target])

    @property
    def lead(self) -> int:
        """How many tokens of a template come first."""
        return int(self.template.long().cumprod(0).sum())

    def movable(self, specials: str) -> Tensor:
        """Tokens `(T,)` that a method may take away or move: `keep` special tokens, or `perturb` them like others.

        A template's tokens never move. Raises: AttribookError for another word, or where no token is left.
        """
        if specials not in {"keep", "perturb"}:
            raise AttribookError(f"Unknown treatment {specials!r} of special tokens. Choose keep or perturb.")
        found = self.attributable if specials == "keep" else ~self.template
        if not bool(found.any()):
            raise AttribookError("The prompt holds nothing but special tokens. Give words, or specials='perturb'.")
        return found

    def __len__(self) -> int:
        return len(self.tokens)


def token_texts(
    text: str,
    tokenizer: PreTrainedTokenizerBase,
    ids: Tensor,
    offsets: Sequence[tuple[int, int]],
    special: Tensor,
) -> list[str]:
    """Text of each token, leading spaces included, so that the attributable ones join to the prompt.

    Where one character needs several tokens, the first has its text and the others the empty text. What follows the
    last token's characters (a space that the tokenizer drops) belongs to it, up to a special token in the text.
    """
    texts, end = [], 0
    last = max((i for i, is_special in enumerate(special.tolist()) if not is_special), default=-1)
    for i, (token, (_, stop), is_special) in enumerate(zip(ids.tolist(), offsets, special.tolist(), strict=True)):
        if i == last:
            stop = min((first for first, after in offsets[i + 1 :] if after > first), default=len(text))
        texts.append(tokenizer.convert_ids_to_tokens(token) if is_special else text[end:stop])
        end = max(end, stop)
    return texts


def following_ids(tokenizer: PreTrainedTokenizerBase, context: str, text: str) -> list[int]:
    """Ids of a text as it stands behind a context, never empty.

    Tokenised alone, a text can begin otherwise: SentencePiece puts a space before its first word. Where the context's
    last token and the text would become one token, the text is tokenised behind a line break instead.
    """
    for before in (context, "\n"):
        head = tokenizer(before, add_special_tokens=False)["input_ids"]
        whole = tokenizer(before + text, add_special_tokens=False)["input_ids"]
        if head and whole[: len(head)] == head and len(whole) > len(head):
            return list(whole[len(head) :])
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def overlap(text: str, offsets: Sequence[tuple[int, int]], start: int, end: int) -> Tensor:
    """Tokens `(T,)` whose text overlaps the characters [start, end); a token's leading spaces do not count."""
    inside = []
    for first, stop in offsets:
        first += len(text[first:stop]) - len(text[first:stop].lstrip())
        inside.append(first < end and stop > start and first < stop)
    return torch.tensor(inside)
