"""Attention weights as attributions: last layer, mean over layers, rollout. All read the last position's row.

Attention needs the eager implementation, the only one that returns its weights; the model switches to it for
that one forward and back.
"""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.errors import AttribookError
from attribook.models import CausalLM, Encoding


@method(version=1, forwards="1")
def attention_last(
    model: CausalLM, encoding: Encoding, *, generator: Generator | None = None, scaling: str = "raw"
) -> Tensor:
    """Where the last position looks in the last layer, averaged over heads.

    Formula: a = mean_h A[L, h, T, :]; `scaling` `raw`, or `softmax` over tokens, as ReAGent's released code does.
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. `softmax` makes it nearly flat.
    Raises:  AttribookError for an unknown scaling.
    Source:  spec of ReAGent, section 4, row "Attention Last".
    """
    del generator
    return scaled(head_mean(model, encoding)[-1, -1], scaling)


@method(version=1, forwards="1")
def attention_mean(
    model: CausalLM, encoding: Encoding, *, generator: Generator | None = None, scaling: str = "raw"
) -> Tensor:
    """Where the last position looks, averaged over heads and layers.

    Formula: a = mean_l mean_h A[l, h, T, :]; `scaling` `raw`, or `softmax` over tokens (ReAGent's released code).
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. `softmax` makes it nearly flat.
    Raises:  AttribookError for an unknown scaling.
    Source:  spec of ReAGent, section 4, row "Attention" on LongRA.
    """
    del generator
    return scaled(head_mean(model, encoding)[:, -1].mean(0), scaling)


@method(version=1, forwards="1")
def attention_rollout(
    model: CausalLM, encoding: Encoding, *, generator: Generator | None = None, scaling: str = "raw"
) -> Tensor:
    """Attention followed through all layers, with half of each step staying where it is.

    Formula: R = (A_L + I)/2 ... (A_1 + I)/2 with A_l the head mean of layer l; a = R[T, :]; `scaling` as in
        `attention_mean`.
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. `softmax` makes it nearly flat.
    Raises:  AttribookError for an unknown scaling.
    Source:  Abnar and Zuidema 2020, section 3; spec of ReAGent, section 4, row "Attention Rollout".
    """
    del generator
    maps = head_mean(model, encoding)  # (L, T, T)
    stay = torch.eye(len(encoding), dtype=maps.dtype)
    rollout = stay
    for layer in maps:
        rollout = (layer + stay) / 2 @ rollout
    return scaled(rollout[-1], scaling)


def head_mean(model: CausalLM, encoding: Encoding) -> Tensor:
    """Attention averaged over heads, `(L, T, T)` in float64; rows sum to 1."""
    return model.attentions(encoding).double().mean(dim=1)


def scaled(scores: Tensor, scaling: str) -> Tensor:
    """Raw scores, or their softmax over tokens."""
    if scaling == "raw":
        return scores
    if scaling == "softmax":
        return scores.softmax(0)
    raise AttribookError(f"Unknown scaling {scaling!r}. Choose raw or softmax.")
