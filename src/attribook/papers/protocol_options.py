"""Options that are switched alone on the page of protocols: those in which protocols of papers differ."""

from attribook.papers.rpi.protocols import RELEASED
from attribook.papers.rpi.settings import NO_DEFAULTS

# Settings of methods in which the protocols of ReAGent differ from ours, each compared with the plain method.
CHANGED = (
    "occlusion{operator=mask}",
    "input_x_gradient{reduction=l2}",
    "attention_last{scaling=softmax}",
    "attention_mean{scaling=softmax}",
    "attention_rollout{scaling=softmax}",
    "integrated_gradients{reduction=l2}",
    "integrated_gradients{baseline=mask}",
    "integrated_gradients{steps=50}",
)
SIGNED = ("occlusion", "input_x_gradient", "integrated_gradients")  # methods whose scores may lie below 0
# Options of RPI in which its released code differs from its text.
RPI_CHANGED = tuple(f"{name}={RELEASED[name]}" for name in ("steps", "layers", *NO_DEFAULTS))
# Options of the metrics that erase tokens. `empty` has an effect only where no token at all may be erased.
ERASURE_CHANGED = (
    "least=0", "divisor=bins_plus_one", "rounding=ceil", "operator=mask", "specials=perturb", "explained=target",
)  # fmt: skip
EMPTY = "least=0,empty=zero"
