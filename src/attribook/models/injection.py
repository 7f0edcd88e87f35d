"""Attention weights put in from outside: what a path through attention needs.

The network's own code runs, no copy of it. Transformers lets an attention function be registered by name; ours computes
what the family's eager attention computes, except in one layer, where it takes the weights that it is given. Layers
below that one need not run again: their forward is replaced by one that hands on the state which the unchanged prompt
had there. Both are undone when the context ends, also by an exception.

Injected weights are neither masked nor normalised again: they may be negative, and rows need not sum to 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from attribook.errors import AttribookError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "attribook_injection"
Attend = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class AttentionLayer:
    """One layer of the unchanged prompt, and what is needed to run the network from it."""

    attention: nn.Module
    below: Sequence[nn.Module]  # the layers that need not run again
    state: Tensor  # (T, D) what enters the layer
    weights: Tensor  # (H, T, T) its attention; row i is what position i looks at


def injectable(network: PreTrainedModel) -> bool:
    """Whether the network's attention goes through transformers' attention interface."""
    return bool(network._supports_attention_backend)


@contextmanager
def attention_by(network: PreTrainedModel, attend: Attend) -> Iterator[None]:
    """Let `attend(eager, module, query, key, value, mask, **more)` compute all attention of the network."""

    def function(module: nn.Module, *given: Any, **more: Any) -> tuple[Tensor, Tensor]:
        eager = sys.modules[type(module).__module__].eager_attention_forward
        return attend(eager, module, *given, **more)

    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    before = network.config._attn_implementation
    AttentionInterface.register(NAME, function)
    AttentionMaskInterface.register(NAME, eager_mask)
    try:
        network.set_attn_implementation(NAME)
        yield
    finally:
        network.set_attn_implementation(before)
        for interface in (AttentionInterface, AttentionMaskInterface):
            interface._global_mapping.pop(NAME, None)  # there is no public way back


@contextmanager
def recording(network: PreTrainedModel, numbers: Sequence[int]) -> Iterator[list[AttentionLayer]]:
    """Keep state and weights of the layers of these numbers (0 the first) in the one forward that follows.

    The list is filled when the context ends. Raises: AttribookError if the forward was not as expected.
    """
    modules: list[nn.Module] = []  # attention modules, in the order in which they ran
    weights: dict[int, Tensor] = {}
    states: dict[nn.Module, Tensor] = {}

    def attend(eager: Attend, module: nn.Module, *given: Any, **more: Any) -> tuple[Tensor, Tensor]:
        output, found = eager(module, *given, **more)
        if len(modules) in numbers:
            weights[len(modules)] = found[0].detach()  # (H, T, T)
        modules.append(module)
        return output, found

    def enters(layer: nn.Module, args: tuple, kwargs: dict) -> None:
        states[layer] = (args[0] if args else kwargs["hidden_states"])[0].detach()  # (T, D)

    layers = layers_of(network)
    handles = [layers[number].register_forward_pre_hook(enters, with_kwargs=True) for number in numbers]
    found: list[AttentionLayer] = []
    try:
        with attention_by(network, attend):
            yield found
    finally:
        for handle in handles:
            handle.remove()
    if len(modules) != len(layers):
        raise AttribookError(
            f"{type(network).__name__} has {len(layers)} layers but ran attention {len(modules)} times, so it is not "
            "known which weights belong to which layer. Use integrated_gradients."
        )
    found += [AttentionLayer(modules[n], layers[:n], states[layers[n]], weights[n]) for n in numbers]


@contextmanager
def injected(network: PreTrainedModel, layer: AttentionLayer, weights: Tensor) -> Iterator[None]:
    """Run forwards of b rows with `weights` `(b, H, T, T)` in the layer, and nothing below it."""

    def attend(eager: Attend, module: nn.Module, *given: Any, **more: Any) -> tuple[Tensor, Tensor]:
        if module is not layer.attention:
            return eager(module, *given, **more)
        values = given[2]  # (b, G, T, width), G groups of heads that share their values
        values = values.repeat_interleave(weights.shape[1] // values.shape[1], dim=1)  # (b, H, T, width)
        return (weights @ values).transpose(1, 2).contiguous(), weights  # (b, T, H, width)

    with attention_by(network, attend), skipped(layer):
        yield


@contextmanager
def skipped(layer: AttentionLayer) -> Iterator[None]:
    """Let the layers below hand on the state of the unchanged prompt, for as many rows as there are."""

    def hand_on(hidden_states: Tensor, *given: Any, **more: Any) -> Tensor:
        return layer.state.expand(len(hidden_states), -1, -1)

    before = [vars(below).get("forward") for below in layer.below]  # a wrapper, if one was put there
    try:
        for below in layer.below:
            below.forward = hand_on
        yield
    finally:
        for below, forward in zip(layer.below, before, strict=True):
            if forward is None:
                vars(below).pop("forward", None)
            else:
                below.forward = forward


def layers_of(network: PreTrainedModel) -> list[nn.Module]:
    """The network's layers: the modules of the one numbered list that is as long as its config says.

    Raises: AttribookError where there is none or more than one.
    """
    count = network.config.get_text_config().num_hidden_layers
    lists = [
        module
        for name, module in network.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count and not re.search(r"\.\d+(\.|$)", name)
    ]
    if len(lists) != 1:
        raise AttribookError(
            f"It is not clear where {type(network).__name__} keeps its {count} layers. Use integrated_gradients."
        )
    return list(lists[0])


def layer_numbers(network: PreTrainedModel, wanted: str) -> list[int]:
    """From "-1" or "-1,-2" to numbers from 0; negative ones count from the last. Raises: AttribookError."""
    count = network.config.get_text_config().num_hidden_layers
    try:
        numbers = [int(part) for part in wanted.split(",")]
    except ValueError as error:
        raise AttribookError(f"Layers are numbers with commas between them, such as -1,-2, not {wanted!r}.") from error
    if wrong := [n for n in numbers if not -count <= n < count]:
        raise AttribookError(f"There is no layer {wrong[0]} among {count}. Choose from {-count} (first) to -1 (last).")
    found = [n % count for n in numbers]
    if len(set(found)) < len(found):
        raise AttribookError(f"The layers {wanted} name one layer twice. Name each once.")
    return found
