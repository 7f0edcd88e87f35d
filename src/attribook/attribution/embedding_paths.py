"""What gradient methods share: where a path of embeddings begins, where it is visited, how products become scores."""

import numpy as np
import torch
from torch import Tensor

from attribook.attribution.occlusion import mask_id
from attribook.errors import AttribookError
from attribook.models import Encoding, Explained


def baseline_embeds(model: Explained, encoding: Encoding, baseline: str, specials: str) -> Tensor:
    """The path's start `(T, D)`: `zero` or `mask` at the tokens that move, the prompt's own embedding elsewhere.

    `specials` says whether special tokens stay (`keep`) or move with the others (`perturb`).
    """
    moves = encoding.movable(specials)[:, None]  # (T, 1)
    if baseline == "zero":
        return encoding.embeds.masked_fill(moves, 0.0)
    if baseline == "mask":
        return torch.where(moves, model.embed(torch.tensor([mask_id(model)])).cpu(), encoding.embeds)
    raise AttribookError(f"Unknown baseline {baseline!r}. Choose zero or mask.")


def quadrature(rule: str, steps: int) -> tuple[Tensor, Tensor]:
    """Points and weights `(steps,)` on [0, 1]; the weights sum to 1."""
    if steps < 1:
        raise AttribookError(f"A path needs at least one step, not {steps}.")
    if rule == "gauss_legendre":
        points, weights = np.polynomial.legendre.leggauss(steps)
        return torch.from_numpy((points + 1) / 2), torch.from_numpy(weights / 2)
    if rule == "riemann":
        return (torch.arange(steps, dtype=torch.float64) + 0.5) / steps, torch.full((steps,), 1 / steps).double()
    raise AttribookError(f"Unknown rule {rule!r}. Choose gauss_legendre or riemann.")


def reduced(products: Tensor, reduction: str) -> Tensor:
    """From `(T, D)` to one score a token `(T,)`: the signed sum or the L2 norm over the embedding width."""
    if reduction == "sum":
        return products.double().sum(-1)
    if reduction == "l2":
        return products.double().norm(dim=-1)
    raise AttribookError(f"Unknown reduction {reduction!r}. Choose sum or l2.")
