"""Replacers: other tokens for the tokens of a prompt, at the same positions.

A replacer is made for one prompt, `make_replacer`, and called with `chosen` `(B, T)`, True where a token is to be
replaced, and numbers `u` `(B, T)` uniform in [0, 1), one for each position: it returns ids `(B, T)`. It draws nothing
itself, so equal numbers give equal tokens. Special tokens are never put in. The number of tokens never changes.

    uniform          every token of the vocabulary alike
    part_of_speech   every token with the same part of speech alike; tokens are tagged alone (released code, there by
                     NLTK's tagger, here by the lexicon and suffix rules of TextBlob, whose data its package contains)
    left_to_right    the explained model's own prediction from the tokens to the left, in the unchanged prompt
    two_sided        its `candidates` most probable tokens from the left, each weighted by its probability and the
                     likelihood of the prompt's tokens to the right after it
    masked_lm        a masked language model, `masked_lm` its folder or hub id: all chosen tokens masked at once in the
                     text, filled from both sides (masked.py)
    prefix_argmax    the released code's RoBERTa sampler, as one version of it maps the answer: through text
    prefix_argmax_ids   the same, as another maps it: RoBERTa's number is used as a number of the explained model

`pick` says how a prediction becomes a token: drawn from it (`sample`), or its most probable token (`argmax`); the
first two always draw, the last two always take the most probable. `original`: the prompt's own token can be drawn
(`allowed`, as in the paper) or not (`excluded`). A token without a left context, the first, is drawn uniformly by
left_to_right and two_sided and kept by prefix_argmax, as in the released code.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attribook.attribution.masked import masked_lm, prefix_argmax, prefix_argmax_ids
from attribook.attribution.pools import Pool, Pooled, Replacer, Ways, ordinary_ids, weighted, without
from attribook.errors import AttribookError
from attribook.models import Encoding, Explained
from attribook.models.engine import checked

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HELD = 2**24  # log-probabilities held at a time, 128 MB in float64


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


# -- the explained model's own predictions ---------------------------------------------------------------------------


def left_to_right(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """The explained model's prediction from the left."""
    ids, left = ordinary_ids(model), left_predictions(model, encoding, ways)
    pools = [weighted(ids, row.exp(), ways.pick) for row in left]
    return Pooled(encoding.ids, [first_pool(ids, encoding, ways), *pools], forwards=min(1, len(left)))


def two_sided(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """The best tokens from the left, weighted by what stands to the right."""
    ids, left = ordinary_ids(model), left_predictions(model, encoding, ways)
    pools, cost = [first_pool(ids, encoding, ways)], min(1, len(left))
    for place, row in enumerate(left, start=1):
        if not ways.places[place]:
            pools.append(Pool(encoding.ids[place : place + 1]))
            continue
        prior, best = row.topk(min(ways.candidates, int(row.isfinite().sum())))  # (K,)
        rows = encoding.ids.repeat(len(best), 1)  # (K, T)
        rows[:, place] = ids[best]
        weights = (prior + right_likelihoods(model, rows, place)).softmax(0)
        pools.append(weighted(ids[best], weights, ways.pick))
        cost += len(best) * (place < len(encoding) - 1)
    return Pooled(encoding.ids, pools, forwards=cost)


def first_pool(ids: Tensor, encoding: Encoding, ways: Ways) -> Pool:
    """For the token that has nothing to its left."""
    return Pool(without(ids, encoding.ids[0], ways))


def left_predictions(model: Explained, encoding: Encoding, ways: Ways) -> Tensor:
    """Log-probabilities `(T - 1, C)` of the ordinary tokens at every position but the first, from the left."""
    if model.kind == "sequence_classifier":
        raise AttribookError(
            f"{model.name} is a classifier and predicts no tokens to replace others with. Choose replacer=uniform, "
            "part_of_speech or masked_lm. Use occlusion for a method that needs no replacements."
        )
    ids, context = ordinary_ids(model), encoding.ids[:-1]
    if not len(context):
        return torch.empty(0, len(ids), dtype=torch.float64)
    (rows,) = log_predictions(model, context[None])
    left = rows[0][:, ids]  # (T - 1, C)
    if ways.original == "excluded":
        left = left.masked_fill(ids == encoding.ids[1:, None], -torch.inf)
    return left


def right_likelihoods(model: Explained, rows: Tensor, place: int) -> Tensor:
    """Log-likelihood `(B,)` of the tokens to the right of a place in rows `(B, T)`, each given all before it."""
    after = rows[:, place + 1 :]  # (B, T - place - 1)
    if not after.shape[1]:
        return torch.zeros(len(rows), dtype=torch.float64)
    parts = [part[:, place:] for part in log_predictions(model, rows[:, :-1])]
    return torch.cat(parts).gather(2, after[:, :, None])[:, :, 0].sum(1)


@torch.no_grad()
def log_predictions(model: Explained, rows: Tensor) -> Iterator[Tensor]:
    """Log-probabilities of the next token after every position, `(b, T', V)` a batch, for ids `(B, T')`."""
    network, length = model.network, rows.shape[1]
    size = min(model.engine.token_budget, HELD // network.config.get_text_config().vocab_size) // length
    for part in rows.split(max(1, size)):
        logits = checked(network(input_ids=part.to(network.device), use_cache=False).logits)
        model.engine._count(rows=len(part), tokens=part.numel())
        yield logits.double().log_softmax(-1).cpu()


REPLACERS: dict[str, Callable[[Explained, Encoding, Ways], Replacer]] = {
    "uniform": uniform,
    "part_of_speech": part_of_speech,
    "left_to_right": left_to_right,
    "two_sided": two_sided,
    "masked_lm": masked_lm,
    "prefix_argmax": prefix_argmax,
    "prefix_argmax_ids": prefix_argmax_ids,
}


def make_replacer(
    name: str,
    model: Explained,
    encoding: Encoding,
    places: Tensor,
    *,
    pick: str = "sample",
    original: str = "allowed",
    candidates: int = 8,
    masked_lm: str = "",
) -> Replacer:
    """The replacer of that name for one prompt; only tokens at `places` `(T,)` will be chosen.

    Raises: AttribookError for unknown names, no candidates, no masked language model where one is needed, a model
        that predicts no tokens where its own predictions are wanted.
    """
    if name not in REPLACERS:
        near = difflib.get_close_matches(name, REPLACERS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AttribookError(f"Unknown replacer {name!r}.{hint} Choose one of: {', '.join(REPLACERS)}.")
    if pick not in ("sample", "argmax"):
        raise AttribookError(f"Unknown pick {pick!r} of a replacer. Choose sample or argmax.")
    if original not in ("allowed", "excluded"):
        raise AttribookError(f"Unknown treatment {original!r} of the original token. Choose allowed or excluded.")
    if candidates < 1:
        raise AttribookError(f"A two-sided replacer needs at least one candidate, not {candidates}.")
    return REPLACERS[name](model, encoding, Ways(places, pick, original, candidates, masked_lm))
