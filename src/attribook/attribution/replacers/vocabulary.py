"""Replacers that look at no context: any token of the vocabulary, or any of the same part of speech."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attribook.attribution.replacers.pools import Pool, Pooled, Replacer, Ways, ordinary_ids, without
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def uniform(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """Any token of the vocabulary."""
    ids = ordinary_ids(model)
    return Pooled(encoding.ids, [Pool(without(ids, token, ways)) for token in encoding.ids])


def part_of_speech(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """Any token with the same part of speech; a special token counts as one alone in its class."""
    classes = tagged(model.tokenizer, ordinary_ids(model))
    return Pooled(encoding.ids, [Pool(without(classes.get(int(t), t[None]), t, ways)) for t in encoding.ids])


@lru_cache(maxsize=4)
def tagged(tokenizer: PreTrainedTokenizerBase, ids: Tensor) -> dict[int, Tensor]:
    """The class of every token: the ids with its part of speech, each tagged alone, without spaces around it."""
    from textblob.en import parser  # here, because it takes seconds that other replacers need not wait for

    classes: dict[str, list[int]] = {}
    for token in ids.tolist():
        word = tokenizer.decode([token]).strip().removeprefix("##") or " "
        tag = parser.find_tags([word])[0][1] if word != " " else "space"
        classes.setdefault(tag, []).append(token)
    groups = [torch.tensor(group) for group in classes.values()]
    return {token: group for group in groups for token in group.tolist()}
