"""Prompts of which only some tokens are kept: what LIME and kernel SHAP ask the model about.

n perturbed tokens, called players; B subsets of them, `keep` `(B, n)`; the other tokens of the prompt always stay.
"""

import torch
from torch import Tensor

from attribook.attribution.occlusion import keeping
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

# Edited embeddings held at a time, 256 MB in float32: a thousand rows of a long prompt would be gigabytes.
HELD = 2**26


def subset_outputs(
    model: Explained, encoding: Encoding, positions: Tensor, keep: Tensor, operator: str, output: str
) -> Tensor:
    """The target's output `(B,)` where only the kept players stand, in float64."""
    rows = torch.ones(len(keep), len(encoding), dtype=torch.bool)  # (B, T)
    rows[:, positions] = keep
    size = max(1, HELD // encoding.embeds.numel()) if operator == "zero" else len(rows)
    parts = (keeping(model, encoding, part, operator) for part in rows.split(size))
    return torch.cat([model.outputs(encoding, part, output) for part in parts])


def empties_prompt(encoding: Encoding, positions: Tensor, operator: str) -> bool:
    """Whether taking all players away leaves no token at all, from which nothing can be predicted."""
    return operator == "delete" and len(positions) == len(encoding)


def spread(scores: Tensor, encoding: Encoding, positions: Tensor) -> Tensor:
    """Scores of the players `(n,)` at their positions `(T,)`; 0 at tokens that were never perturbed."""
    whole = torch.zeros(len(encoding), dtype=torch.float64)
    whole[positions] = scores
    return whole
