"""Where an encoder with a classification head keeps its parts: one line a family.

BERT, RoBERTa and DistilBERT compute the same function: layers that normalise after each residual sum, below a head of
two linear maps on CLS with an activation between them. They only name its parts differently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attribook.errors import AttribookError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Activation = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LayerParts:
    """Modules of one layer: x -> z = norm1(x + attention(x)) -> norm2(z + ffn_out(activation(ffn_in(z))))."""

    value: nn.Linear
    output: nn.Linear
    norm1: nn.LayerNorm
    ffn_in: nn.Linear
    activation: Activation
    ffn_out: nn.Linear
    norm2: nn.LayerNorm


@dataclass(frozen=True)
class EncoderParts:
    """The layers, and the head classifier(activation(dense(x_CLS)))."""

    layers: list[LayerParts]
    dense: nn.Linear
    activation: Activation
    classifier: nn.Linear


# in the order of LayerParts
BERT_LAYER = (
    "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
    "intermediate.dense", "intermediate.intermediate_act_fn", "output.dense", "output.LayerNorm",
)  # fmt: skip
DISTILBERT_LAYER = (
    "attention.v_lin", "attention.out_lin", "sa_layer_norm",
    "ffn.lin1", "ffn.activation", "ffn.lin2", "output_layer_norm",
)  # fmt: skip
# class -> where its layers are, the parts of one, and dense, activation and classifier of the head
ENCODERS: dict[str, tuple[str, tuple[str, ...], tuple[str, Activation, str]]] = {
    "BertForSequenceClassification": (
        "bert.encoder.layer", BERT_LAYER, ("bert.pooler.dense", torch.tanh, "classifier"),
    ),
    "RobertaForSequenceClassification": (
        "roberta.encoder.layer", BERT_LAYER, ("classifier.dense", torch.tanh, "classifier.out_proj"),
    ),
    "DistilBertForSequenceClassification": (
        "distilbert.transformer.layer", DISTILBERT_LAYER, ("pre_classifier", torch.relu, "classifier"),
    ),
}  # fmt: skip


def encoder_parts(network: PreTrainedModel) -> EncoderParts:
    """The parts of a network. Raises: AttribookError for a class that the table does not know."""
    name = type(network).__name__
    if name not in ENCODERS:
        raise AttribookError(
            f"This method takes the layers of an encoder apart and knows {', '.join(ENCODERS)}, not {name}. "
            "Use integrated_gradients, which needs gradients only."
        )
    layers, names, (dense, activation, classifier) = ENCODERS[name]
    return EncoderParts(
        layers=[layer_parts(layer, names) for layer in attrgetter(layers)(network)],
        dense=attrgetter(dense)(network),
        activation=activation,
        classifier=attrgetter(classifier)(network),
    )


def layer_parts(layer: nn.Module, names: tuple[str, ...]) -> LayerParts:
    """The parts of one layer, under those names."""
    found = {field.name: attrgetter(name)(layer) for field, name in zip(fields(LayerParts), names, strict=True)}
    return LayerParts(**found)
