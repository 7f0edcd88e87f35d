"""Controls: rankings that any method must beat, made from a method's own scores.

How sharp scores are moves soft metrics, whatever they point at, so a comparison with random scores alone proves
little. Each control keeps something of the scores `(T,)` and destroys the rest:

    permuted         keeps all values, so exactly the sharpness; destroys which token has which
    reversed         keeps all values; turns the order round
    random           keeps the sum of magnitudes; destroys values and order
    flat             keeps that sum; nothing is more important than anything else
    one_hot_random   keeps that sum, on a single random token: the sharpest scores there are

All take `(scores, *, generator, attributable)` and return new float64 scores `(T,)`. Tokens at which `attributable`
`(T,)` is False (special tokens) keep their scores; None means that every token takes part. If all scores are 0, the
kept sum is taken as 1. Same seed, same control. Raises: AttribookError for NaN or wrong shapes.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError

Control = Callable[..., Tensor]


def permuted(scores: Tensor, *, generator: Generator, attributable: Tensor | None = None) -> Tensor:
    """The scores' own values in random order: the sharpness-matched control.

    "The same sorted values, given to tokens in random order" and "the scores, permuted" are one thing: a uniformly
    random permutation of the values. So there is one function for both.
    """
    whole, here = checked(scores, attributable)
    whole[here] = whole[here][torch.randperm(int(here.sum()), generator=generator)]
    return whole


def reversed(scores: Tensor, *, generator: Generator, attributable: Tensor | None = None) -> Tensor:
    """The scores' own values with the order turned round: the highest token gets the lowest value, and so on.

    Tokens with equal scores are put in random order first, so that no place in the prompt is preferred.
    """
    whole, here = checked(scores, attributable)
    own = whole[here]
    shuffle = torch.randperm(len(own), generator=generator)
    order = shuffle[own[shuffle].argsort(stable=True)]  # tokens from the lowest score to the highest
    own[order] = own[order.flip(0)]
    whole[here] = own
    return whole


def random(scores: Tensor, *, generator: Generator, attributable: Tensor | None = None) -> Tensor:
    """Independent uniform scores, scaled to the scores' sum of magnitudes."""
    whole, here = checked(scores, attributable)
    drawn = torch.rand(int(here.sum()), generator=generator, dtype=torch.float64)
    whole[here] = drawn / drawn.sum() * mass(whole[here])
    return whole


def flat(scores: Tensor, *, generator: Generator, attributable: Tensor | None = None) -> Tensor:
    """The same score for every token, with the scores' sum of magnitudes. Draws nothing."""
    del generator
    whole, here = checked(scores, attributable)
    whole[here] = mass(whole[here]) / int(here.sum())
    return whole


def one_hot_random(scores: Tensor, *, generator: Generator, attributable: Tensor | None = None) -> Tensor:
    """The scores' sum of magnitudes on one random token, 0 elsewhere."""
    whole, here = checked(scores, attributable)
    places = here.nonzero()[:, 0]
    lucky = places[torch.randint(len(places), (), generator=generator)]
    total = mass(whole[here])
    whole[here] = 0.0
    whole[lucky] = total
    return whole


def checked(scores: Tensor, attributable: Tensor | None) -> tuple[Tensor, Tensor]:
    """A copy of the scores in float64 on the CPU, and which tokens take part."""
    whole = scores.detach().cpu().to(torch.float64, copy=True)
    here = torch.ones(len(whole), dtype=torch.bool) if attributable is None else attributable.cpu()
    if whole.dim() != 1 or here.shape != whole.shape or here.dtype != torch.bool:
        raise AttribookError(
            f"A control takes scores (T,) and a mask (T,) of booleans, not {tuple(scores.shape)} and "
            f"{tuple(here.shape)} of {here.dtype}."
        )
    if not bool(torch.isfinite(whole).all()):
        raise AttribookError("A control of NaN or infinite scores means nothing. Look at the method that gave them.")
    if not bool(here.any()):
        raise AttribookError("No token is attributable, so there is nothing to make a control of.")
    return whole, here


def mass(scores: Tensor) -> Tensor:
    """Sum of magnitudes, 1 where all are 0."""
    total = scores.abs().sum()
    return total if float(total) > 0 else torch.ones_like(total)


CONTROLS: dict[str, Control] = {
    "random": random,
    "flat": flat,
    "one_hot_random": one_hot_random,
    "reversed": reversed,
    "permuted": permuted,
}
