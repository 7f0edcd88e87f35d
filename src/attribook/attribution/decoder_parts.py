"""Where a pre-norm decoder keeps the parts that a decomposition opens, and what they did in one forward.

A new family of the same build (norm, attention, residual; norm, MLP, residual; a final norm) is one row in `PARTS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
import transformers
from torch import Tensor, nn

from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


@dataclass(frozen=True)
class Parts:
    """Names of modules: two from the top of the network, the others from the top of a layer."""

    layers: str
    final_norm: str
    attention_norm: str
    values: str  # the projection whose last columns are the values; the only ones, or fused behind queries and keys
    attention_out: str
    mlp_out: str

    @property
    def in_layer(self) -> tuple[str, str, str, str]:
        """The four names within a layer, in the order in which they run."""
        return self.attention_norm, self.values, self.attention_out, self.mlp_out


LLAMA = Parts(
    "model.layers", "model.norm", "input_layernorm", "self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj"
)  # fmt: skip
PARTS: Mapping[str, Parts] = {
    "gpt2": Parts("transformer.h", "transformer.ln_f", "ln_1", "attn.c_attn", "attn.c_proj", "mlp.c_proj"),
    "opt": Parts(
        "model.decoder.layers", "model.decoder.final_layer_norm", "self_attn_layer_norm", "self_attn.v_proj",
        "self_attn.out_proj", "fc2",
    ),
    "llama": LLAMA,
    "mistral": LLAMA,
    "qwen2": LLAMA,
}  # fmt: skip
NORM_AFTER = "it normalises what a block gives before adding it to the residual stream"
REFUSED: Mapping[str, str] = {
    "gemma2": NORM_AFTER,
    "gemma3": NORM_AFTER,
    "gemma3_text": NORM_AFTER,
    "gptj": "its attention and MLP stand side by side, so the MLP reads no state that the attention has mixed",
}


def parts_of(network: PreTrainedModel, method: str) -> Parts:
    """The family's row. Raises: AttribookError with the reason where the network is not built that way."""
    config = network.config
    reason = REFUSED.get(config.model_type) or refused_opt(config)
    if reason is None and config.model_type not in PARTS:
        reason = f"where its projections and norms are is known for {', '.join(PARTS)} alone"
    if reason is not None:
        raise AttribookError(
            f"{method} cannot take a network of the family {config.model_type} apart: {reason}. Use "
            "integrated_gradients, which needs gradients only and whose scores sum to a change of the output, too."
        )
    return PARTS[config.model_type]


def refused_opt(config: PreTrainedConfig) -> str | None:
    """OPT-350m is built otherwise than the OPTs of all other sizes."""
    if config.model_type != "opt":
        return None
    if not config.do_layer_norm_before or config._remove_final_layer_norm:
        return "this OPT is post-norm, as OPT-350m: it normalises the residual stream itself and has no final norm"
    if config.word_embed_proj_dim != config.hidden_size:
        return "this OPT projects its embeddings and its last state, as OPT-350m"
    return None


@dataclass(frozen=True)
class Layer:
    """One layer in one forward, in float64 on the network's device."""

    states: Tensor  # (T, D) the residual stream that enters
    attended: Tensor  # (T, D) what attention adds to it, b_O included
    mlp: Tensor  # (D,) what the MLP adds at the last position
    maps: Tensor  # (H, T, T) attention weights
    carried: Tensor  # (H, T, D) value vectors after the output projection: what a weight of 1 would move
    constant: Tensor  # (H, D) the part of `carried` that no token changes: W_O (W_V beta + b_V), beta the norm's bias
    out_bias: Tensor  # (D,) b_O


@dataclass(frozen=True)
class Trace:
    """One forward of a prompt, kept for a decomposition layer by layer."""

    network: PreTrainedModel
    parts: Parts
    seen: Mapping[nn.Module, Tensor]  # (T, width) inputs of layers and final norm, outputs of the three projections
    maps: Tensor  # (L, H, T, T)

    def layers(self) -> Iterator[Layer]:
        """First to last, opened one at a time: together they would be many times the size of the states."""
        for layer, maps in zip(self.network.get_submodule(self.parts.layers), self.maps, strict=True):
            yield self._opened(layer, maps)

    def _opened(self, layer: nn.Module, maps: Tensor) -> Layer:
        norm, project, out, mlp = (layer.get_submodule(name) for name in self.parts.in_layer)
        states = self.seen[layer]
        heads, width = len(maps), in_out(out).shape[0] // len(maps)
        groups = getattr(self.network.config, "num_key_value_heads", heads)  # fewer than heads: each serves several
        weight = in_out(out).double().reshape(heads, width, -1)  # (H, width, D)

        def projected(values: Tensor) -> Tensor:
            values = values.double()[:, -groups * width :].reshape(-1, groups, width)  # (T, G, width)
            return values.repeat_interleave(heads // groups, dim=1).transpose(0, 1) @ weight  # (H, T, D)

        return Layer(
            states=states.double(),
            attended=self.seen[out].double(),
            mlp=self.seen[mlp][-1].double(),
            maps=maps.to(states.device, torch.float64),
            carried=projected(self.seen[project]),
            constant=projected(project(bias_of(norm, states[:1])))[:, 0],
            out_bias=bias_of(out, states[0]).double(),
        )

    def read(self, target: int) -> tuple[Tensor, Tensor]:
        """A vector `(D,)` and a constant `()`: the target's logit is vector . last state + constant.

        The final norm is taken at the scale that it has in this forward, which makes it a linear map.
        """
        norm = self.network.get_submodule(self.parts.final_norm)
        state = self.seen[norm][-1].double()
        row = self.network.get_output_embeddings().weight[target].double()
        vector = row if norm.weight is None else row * norm.weight.double()
        constant = row @ bias_of(norm, row).double()
        if isinstance(norm, nn.LayerNorm):  # an RMS norm does not take the mean off
            state, vector = state - state.mean(), vector - vector.mean()
        epsilon = norm.eps if isinstance(norm, nn.LayerNorm) else norm.variance_epsilon
        return vector / (state.square().mean() + epsilon).sqrt(), constant


def trace(model: Explained, encoding: Encoding, method: str) -> Trace:
    """Run the unchanged prompt once, with eager attention, and keep what a decomposition needs."""
    network = model.network
    parts = parts_of(network, method)
    layers = list(network.get_submodule(parts.layers))
    final = network.get_submodule(parts.final_norm)
    projections = [layer.get_submodule(name) for layer in layers for name in parts.in_layer[1:]]
    with recording([*layers, final], projections) as seen:
        maps = model.attentions(encoding)  # (L, H, T, T)
    return Trace(network, parts, seen, maps)


@contextmanager
def recording(inputs: list[nn.Module], outputs: list[nn.Module]) -> Iterator[dict[nn.Module, Tensor]]:
    """Keep what enters and what leaves these modules, `(T, width)`; the hooks go again, also after an error."""
    seen: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, state: Tensor) -> None:
        seen[module] = state.detach().reshape(-1, state.shape[-1])  # (T, width); OPT's MLP has no batch axis

    def before(module: nn.Module, args: tuple, kwargs: dict) -> None:
        keep(module, args[0] if args else kwargs["hidden_states"])

    def after(module: nn.Module, args: tuple, output: Tensor) -> None:
        keep(module, output)

    handles = [module.register_forward_pre_hook(before, with_kwargs=True) for module in inputs]
    handles += [module.register_forward_hook(after) for module in outputs]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def in_out(projection: nn.Module) -> Tensor:
    """Weight `(in, out)`: GPT-2's Conv1D keeps it that way, a linear layer the other way round."""
    weight = cast(Tensor, projection.weight)
    return weight if isinstance(projection, transformers.Conv1D) else weight.T


def bias_of(module: nn.Module, like: Tensor) -> Tensor:
    """The bias, zeros of the shape of `like` where there is none."""
    bias = getattr(module, "bias", None)
    return torch.zeros_like(like) if bias is None else bias.expand_as(like)
