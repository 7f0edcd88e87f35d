"""DeepLIFT with the rescale rule, through captum's DeepLift, on the activation modules of a transformer."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from captum.attr import DeepLift
from captum.attr._core.deep_lift import nonlinear as rescale_rule
from torch import Generator, Tensor, nn
from transformers.activations import ACT2CLS

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import baseline_embeds, reduced
from attribook.errors import AttribookError
from attribook.models import Encoding, Explained
from attribook.models.explained import target_reader

# Elementwise activations: all that transformers can name in a config, and three more of torch's. captum itself
# knows ReLU, Tanh, Sigmoid and the like, but none of the GELU and SiLU modules that nearly all language models have.
ACTIVATIONS: set[type[nn.Module]] = {nn.GELU, nn.ELU, nn.Softplus} | {
    entry[0] if isinstance(entry, tuple) else entry for entry in ACT2CLS.values()
}
INSTEAD = "Use integrated_gradients, which needs no hooks and comes from the same idea."


@method(version=2, forwards="2", backwards="2")
def deeplift(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    rescale: str = "activations",
    baseline: str = "zero",
    specials: str = "keep",
    output: str = "probability",
    reduction: str = "sum",
) -> tuple[Tensor, dict[str, float]]:
    r"""Input times gradient, with the slope of each activation function taken between a baseline and the prompt. Where
    an activation is saturated at the prompt, its slope there is 0, but the way to it was not.

    Formula: a_i = sum_d (E - E')_id * m_id. m is the gradient df/dE in which every activation function g at a
        hidden unit with input h has the slope (g(h) - g(h')) / (h - h') in place of g'(h) (the rescale rule); h' is
        the unit's input when the baseline E' is run. `rescale` says where: `activations`, on every elementwise
        activation module of the network (ReLU, GELU and SiLU in all their forms); `captum`, only where captum 0.9
        has the rule (ReLU in OPT; nothing in GPT-2, Llama, Qwen2 or Gemma, where it then is
        (E - E') * df/dE without saying so). Everything else has its plain gradient at the prompt: the softmax and
        the products of attention, layer norms, the gate product of SwiGLU and GeGLU, the softmax of `output`. So
        this is DeepLIFT of the feed-forward activations, not of the transformer, and completeness does not hold.
        `baseline` and `specials` as in `integrated_gradients`.
    Shapes:  (T,); 0 at tokens that stay.
    Range:   `sum` signed, in units of f; `l2` not negative. Higher is more important. The details give what
        is missing to f(E) - f(E') as `completeness_gap`, and the number of modules with the rule as `rescaled`.
    Raises:  AttribookError for unknown names, and under `activations` for a network that has fewer activation
        modules than layers, uses one twice, or runs one on a part of the tokens (mixtures of experts).
    Source:  Shrikumar et al. 2017, section 3.5.1 (rescale rule); Ancona et al. 2018, as a modified gradient.
        Inseq runs captum's DeepLift as it is (`rescale` = `captum`).
    Differs: The paper's rule covers every nonlinearity it knows; a transformer has products and softmaxes that it does
        not know, and every implementation takes their plain gradient. captum 0.9 has the rule for ReLU, tanh and the
        like, but for no GELU or SiLU, so on most language models its DeepLIFT is input times gradient and says nothing
        about it (`rescale` `captum`). Ours has the rule on every elementwise activation module.
    """
    del generator
    if rescale not in ("activations", "captum"):
        raise AttribookError(f"Unknown rescale {rescale!r}. Choose activations or captum.")
    start = baseline_embeds(model, encoding, baseline, specials)  # (T, D)
    target = Target(model, target_reader(encoding.target, output))
    # An encoder's head sees one row for each text; elsewhere so few rows would be a part of the tokens.
    rows = {2 * len(encoding), 2} if model.kind == "sequence_classifier" else {2 * len(encoding)}
    lift = Lift(target, rows) if rescale == "activations" else DeepLift(target)
    inputs, origin = (embeds[None].to(model.network.device) for embeds in (encoding.embeds, start))
    products, rescaled = lifted(lift, inputs, origin, enough=layers(model) if rescale == "activations" else 0)
    values = target.values.double().cpu()  # (2,), of the prompt and of the baseline
    gap = float(values[0] - values[1] - products.double().sum())
    return reduced(products[0].cpu(), reduction), {"completeness_gap": gap, "rescaled": float(rescaled)}


class Target(nn.Module):
    """The network as captum wants it: from embeddings `(B, T, D)` to the explained quantity `(B,)`."""

    values: Tensor  # (B,), as last computed

    def __init__(self, model: Explained, read: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self.engine, self.read = model.network, model.engine, read

    def forward(self, embeds: Tensor) -> Tensor:
        """One batch, forwarded now and differentiated once afterwards."""
        rows, length = embeds.shape[:2]
        self.engine._count(rows=rows, tokens=rows * length, backwards=rows)
        value = self.read(self.engine.logits(embeds)[0])
        self.values = value.detach()
        return value


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


def layers(model: Explained) -> int:
    """Transformer layers of the network."""
    return int(model.network.config.get_text_config().num_hidden_layers)


def name_of(module: nn.Module) -> str:
    """Class of a module, for messages."""
    return type(module).__name__
