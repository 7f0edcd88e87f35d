"""The rescale rule of DeepLIFT on the activation modules of a transformer: captum's DeepLift, widened and checked."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from captum.attr import DeepLift
from captum.attr._core.deep_lift import nonlinear as rescale_rule
from torch import Tensor, nn
from transformers.activations import ACT2CLS

from attribook.errors import AttribookError

# Elementwise activations: all that transformers can name in a config, and three more of torch's. captum itself
# knows ReLU, Tanh, Sigmoid and the like, but none of the GELU and SiLU modules that nearly all language models have.
ACTIVATIONS: set[type[nn.Module]] = {nn.GELU, nn.ELU, nn.Softplus} | {
    entry[0] if isinstance(entry, tuple) else entry for entry in ACT2CLS.values()
}
INSTEAD = "Use integrated_gradients, which needs no hooks and comes from the same idea."


class Lift(DeepLift):
    """captum's DeepLift with the rescale rule on every elementwise activation module, and a check at each.

    captum reads the first half of what a module receives as the prompt's and the second as the baseline's, and
    keeps only the last call of a module. Where either would be wrong it must not go on.
    """

    def __init__(self, model: nn.Module, rows: set[int]) -> None:
        super().__init__(model)
        self.rows = rows

    def _is_non_linear(self, module: nn.Module) -> bool:
        return type(module) in ACTIVATIONS

    def _forward_pre_hook(self, module: nn.Module, inputs: Any) -> None:
        given = inputs[0] if isinstance(inputs, tuple) else inputs
        if hasattr(module, "input"):
            raise AttribookError(f"DeepLIFT cannot follow a {name_of(module)} that the network uses twice. {INSTEAD}")
        if given.shape[:-1].numel() not in self.rows:
            raise AttribookError(
                f"DeepLIFT cannot follow a {name_of(module)} that sees {given.shape[:-1].numel()} rows where prompt "
                f"and baseline have {max(self.rows)} tokens, as in a mixture of experts. {INSTEAD}"
            )
        super()._forward_pre_hook(module, inputs)

    def _backward_hook(self, module: nn.Module, grad_input: Tensor, grad_output: Tensor) -> Tensor:
        return rescale_rule(module, module.input, module.output, grad_input, grad_output, eps=self.eps)


def lifted(lift: DeepLift, inputs: Tensor, origin: Tensor, enough: int) -> tuple[Tensor, int]:
    """Contributions of the same shape as `inputs`, and how many modules had the rule.

    Raises: AttribookError if those would be fewer than `enough`; the modules are left as they were.
    """
    hooked = [module for module in lift.model.modules() if lift._can_register_hook(module)]
    if len(hooked) < enough:
        raise AttribookError(
            f"DeepLIFT found {len(hooked)} activation modules in a network of {enough} layers, so it would be mostly "
            f"a plain gradient: the others are functions, already hooked or of an unknown class. {INSTEAD}"
        )
    with left_alone(hooked), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*Setting forward, backward hooks", category=UserWarning)
        return lift.attribute(inputs.detach().clone().requires_grad_(), origin).detach(), len(hooked)


@contextmanager
def left_alone(modules: list[nn.Module]) -> Iterator[None]:
    """Take off what captum sets on modules and forgets when it fails; its hooks it removes itself."""
    try:
        yield
    finally:
        for module in modules:
            for name in ("input", "output", "input_ref"):
                vars(module).pop(name, None)


def name_of(module: nn.Module) -> str:
    """Class of a module, for messages."""
    return type(module).__name__
