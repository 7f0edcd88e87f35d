"""Replacers that ask the explained model: its predictions from the left, alone or weighed by the text to the right."""

from collections.abc import Iterator

import torch
from torch import Tensor

from attribook.attribution.replacers.pools import Pool, Pooled, Replacer, Ways, ordinary_ids, weighted, without
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.engine import checked
from attribook.models.explained import Explained

HELD = 2**24  # log-probabilities held at a time, 128 MB in float64


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
