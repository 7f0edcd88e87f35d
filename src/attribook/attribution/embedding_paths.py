"""What gradient methods share: where a path of embeddings begins, where it is visited, how products become scores."""

import numpy as np
import torch
from torch import Tensor

from attribook.attribution.occlusion import NOTHING, mask_id
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


def baseline_embeds(model: Explained, encoding: Encoding, baseline: str, specials: str) -> Tensor:
    """The path's start `(T, D)` at the tokens that move, the prompt's own embedding elsewhere.

    `baseline`: `zero`; the embedding of the `unk` or the `pad` token; or `mask`, which is the mask token where there is
    one, else the unknown, else the padding token. `specials` says whether special tokens stay (`keep`) or move with the
    others (`perturb`).
    Raises: AttribookError for another baseline, or a token that the tokenizer has not.
    """
    moves = encoding.movable(specials)[:, None]  # (T, 1)
    if baseline == "zero":
        return encoding.embeds.masked_fill(moves, 0.0)
    if baseline not in NOTHING:
        raise AttribookError(f"Unknown baseline {baseline!r}. Choose zero, mask, unk or pad.")
    token = mask_id(model) if baseline == "mask" else getattr(model.tokenizer, f"{baseline}_token_id")
    if token is None:
        raise AttribookError(f"The tokenizer of {model.name} has no {baseline} token. Use baseline=zero or mask.")
    return torch.where(moves, model.embed(torch.tensor([token])).cpu(), encoding.embeds)


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
