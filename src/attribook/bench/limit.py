"""The machine's limit: the least floating point operations of a method, and the rate of a matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from attribook.bench.agreement import wall_seconds
from attribook.bench.comparisons import PROBES, STEPS, VECTORS

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MATMUL_SIZE = 2048


def matmul_rate(device: torch.device) -> float:
    """Floating point operations a second of a square float32 product, the best of eight."""
    a, b = torch.rand(2, MATMUL_SIZE, MATMUL_SIZE, device=device)
    best = min(wall_seconds(lambda: (a @ b)[0, 0]) for _ in range(8))
    return 2 * MATMUL_SIZE**3 / best


def least(network: PreTrainedModel, method: str, length: int) -> tuple[int, int]:
    """Least tokens to compute and least floating point operations of a method on a prompt of `length` tokens.

    Occlusion needs the prompt once and, for edit i, the tokens from i on: what stands before them is shared.
    Integrated gradients needs, for each step, a forward and a backward for the input alone. As weights are
    frozen, the backward costs about one forward. (Its attention costs two, which is not counted, nor are the
    forwards of the completeness gap, which the scores do not need.) ReAGent needs the prompt once, and two edited
    prompts for each step of each run: the replaced one, and that of the stopping test. Noiser at a fixed scale needs
    what occlusion needs, with each edit once for each noise vector.
    """
    whole = forward_operations(network, length, length)
    if method in ("occlusion", "noiser"):
        edits = [length - i for i in range(length)] * (VECTORS if method == "noiser" else 1)
        return length + sum(edits), whole + sum(forward_operations(network, n, length) for n in edits)
    if method == "reagent":
        edited = 1 + 2 * PROBES["runs"] * PROBES["max_steps"]
        return edited * length, edited * whole
    return STEPS * length, STEPS * 2 * whole


def forward_operations(network: PreTrainedModel, computed: int, length: int) -> int:
    """Operations of the last `computed` of `length` positions and of one row of logits.

    Two for each weight that a token passes; two for each weight of the output head, once; and for attention
    2 * 2 * D_attn a layer for each position that a token sees, itself included: its score and its part of the
    value, over the width of all query heads. Norms, rotations and activations are not counted. That the last
    layer needs its last position alone is not used: with L layers the count is too high by less than 1 / L.
    """
    config = network.config.get_text_config()
    heads = config.num_attention_heads
    width = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
    seen = sum(range(length - computed + 1, length + 1))
    body, head = weights(network)
    return 2 * body * computed + 2 * head + 4 * width * config.num_hidden_layers * seen


def weights(network: PreTrainedModel) -> tuple[int, int]:
    """Numbers of weights: in matrices that every token passes, and in the output head. Tables are free."""
    head = network.get_output_embeddings().weight
    tables = [module.weight for module in network.modules() if isinstance(module, nn.Embedding)]
    outside = {id(table) for table in [head, *tables]}
    body = sum(p.numel() for p in network.parameters() if p.dim() == 2 and id(p) not in outside)
    return body, head.numel()
