"""Attention weights as attributions: last layer, mean over layers, rollout.

All read the row of the position r whose state becomes the prediction: the last, or CLS for an encoder.

Attention needs the eager implementation, the only one that returns its weights; the model switches to it for
that one forward and back.
"""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=1, forwards="1")
def attention_last(
    model: Explained, encoding: Encoding, *, generator: Generator | None = None, scaling: str = "raw"
) -> Tensor:
    """Where the predicting position looks in the last layer, averaged over heads. Cheap, never negative, and no
    statement about the prediction: the same attention serves every target.

    Formula: a = mean_h A[L, h, r, :]; `scaling` `raw`, or `softmax` over tokens, as ReAGent's released code does.
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. `softmax` makes it nearly flat.
    Raises:  AttribookError for an unknown scaling.
    Source:  ReAGent, row "Attention Last"; released code: casszhao/ReAGent.
    Differs: ReAGent's released code takes a softmax over these weights, which are probabilities already (`scaling`
        `softmax`): nearly flat scores. Ours are raw.
    """
    del generator
    return scaled(head_mean(model, encoding)[-1, encoding.reads], scaling)


@method(version=1, forwards="1")
def attention_mean(
    model: Explained, encoding: Encoding, *, generator: Generator | None = None, scaling: str = "raw"
) -> Tensor:
    """Where the predicting position looks, averaged over heads and layers. Every layer counts alike, whatever it does
    with what it reads.

    Formula: a = mean_l mean_h A[l, h, r, :]; `scaling` `raw`, or `softmax` over tokens (ReAGent's released code).
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. `softmax` makes it nearly flat.
    Raises:  AttribookError for an unknown scaling.
    Source:  ReAGent, row "Attention" on LongRA; released code: casszhao/ReAGent.
    Differs: ReAGent's released code averages over layers on LongRA and takes a softmax of the average (`scaling`
        `softmax`): nearly flat scores. Ours is raw.
    """
    del generator
    return scaled(head_mean(model, encoding)[:, encoding.reads].mean(0), scaling)


@method(version=1, forwards="1")
def attention_rollout(
    model: Explained, encoding: Encoding, *, generator: Generator | None = None, scaling: str = "raw"
) -> Tensor:
    """Attention followed through all layers, with half of each step staying where it is. What a position reads in a
    late layer was mixed in the layers below; rollout multiplies these mixtures.

    Formula: R = (A_L + I)/2 ... (A_1 + I)/2 with A_l the head mean of layer l; a = R[r, :]; `scaling` as in
        `attention_mean`.
    Shapes:  (T,).
    Range:   0 to 1, sums to 1, higher is more important. `softmax` makes it nearly flat.
    Raises:  AttribookError for an unknown scaling.
    Source:  Abnar and Zuidema 2020, section 3; ReAGent, row "Attention Rollout".
    Differs: The paper gives every step half of the residual connection and so does ours. ReAGent's released code takes
        a softmax of the result (`scaling` `softmax`).
    """
    del generator
    maps = head_mean(model, encoding)  # (L, T, T)
    stay = torch.eye(len(encoding), dtype=maps.dtype)
    rollout = stay
    for layer in maps:
        rollout = (layer + stay) / 2 @ rollout
    return scaled(rollout[encoding.reads], scaling)


def head_mean(model: Explained, encoding: Encoding) -> Tensor:
    """Attention averaged over heads, `(L, T, T)` in float64; rows sum to 1."""
    return model.attentions(encoding).double().mean(dim=1)


def scaled(scores: Tensor, scaling: str) -> Tensor:
    """Raw scores, or their softmax over tokens."""
    if scaling == "raw":
        return scores
    if scaling == "softmax":
        return scores.softmax(0)
    raise AttribookError(f"Unknown scaling {scaling!r}. Choose raw or softmax.")
