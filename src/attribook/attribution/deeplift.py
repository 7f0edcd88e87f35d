"""DeepLIFT with the rescale rule, through captum's DeepLift, on the activation modules of a transformer."""

from collections.abc import Callable

from torch import Generator, Tensor, nn

from attribook.attribution.base import method
from attribook.attribution.embedding_paths import baseline_embeds, reduced
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained, target_reader


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
    from attribook.attribution.rescale_rule import DeepLift, Lift, lifted  # captum and networks take seconds to import

    del generator
    if rescale not in ("activations", "captum"):
        raise AttribookError(f"Unknown rescale {rescale!r}. Choose activations or captum.")
    start = baseline_embeds(model, encoding, baseline, specials)  # (T, D)
    target = Target(model, target_reader(encoding.target, output))
    # An encoder's head sees one row for each text; elsewhere so few rows would be a part of the tokens.
    rows = {2 * len(encoding), 2} if model.kind == "sequence_classifier" else {2 * len(encoding)}
    lift = Lift(target, rows) if rescale == "activations" else DeepLift(target)
    model.require_embeddings()
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


def layers(model: Explained) -> int:
    """Transformer layers of the network."""
    return int(model.network.config.get_text_config().num_hidden_layers)
