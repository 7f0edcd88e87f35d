"""Networks so simple that attributions and metrics are known by a formula: linear, a product, one planted token.

Each is a classifier of two classes whose second logit is f of the embeddings and whose first is 0: the explained
logit is f, the probability its logistic function.
"""

from types import SimpleNamespace

import pytest
import torch
from conftest import seeded
from torch import nn

from attribook.attribution.registry import METHODS
from attribook.metrics.conventions import CONVENTIONS
from attribook.metrics.registry import METRICS
from attribook.models.classifier import SequenceClassifier
from attribook.models.load import load_model

TEXT = "my word of the city was with it"
PLANTED, HEIGHT = "city", 4.0
ZEROED = {"output": "logit", "baseline": "zero"}
EXACT = 1e-6  # kernel_shap and lime solve least squares; the others are exact to 1e-12


class Toy(nn.Module):
    """f of the embeddings `(B, T, D)` as a network: logits 0 and f."""

    def __init__(self, like, function):
        super().__init__()
        self.config, self.function = like.config, function
        self.words = nn.Embedding.from_pretrained(like.get_input_embeddings().weight.clone())

    @property
    def device(self):
        return self.words.weight.device

    def get_input_embeddings(self):
        return self.words

    def forward(self, input_ids=None, inputs_embeds=None):
        embeds = self.words(input_ids) if inputs_embeds is None else inputs_embeds
        value = self.function(embeds)  # (B,)
        return SimpleNamespace(logits=torch.stack([torch.zeros_like(value), value], dim=1))


def toy(function, change=None):
    """The explained model and the encoding of the text, class 1 explained."""
    tiny = load_model("tiny-bert", dtype="float64")
    network = Toy(tiny.network, function)
    if change:
        change(network.words.weight.data, tiny.tokenizer)
    model = SequenceClassifier(network, tiny.tokenizer, name="toy")
    return model, model.encode(TEXT, target=model.labels[1])


def scores(name, model, encoding, **options):
    return METHODS[name](model, encoding, generator=seeded(), **options).scores


PATHS = {"integrated_gradients": {"steps": 4}, "gradient_shap": {"samples": 3},
         "sequential_integrated_gradients": {"steps": 4}}  # fmt: skip
REMOVALS = {"occlusion": {}, "kernel_shap": {"samples": 2**11}, "lime": {"alpha": 1e-9, "kernel": "flat"}}


@pytest.mark.parametrize("name", ["input_x_gradient", *PATHS, *REMOVALS])
def test_linear(name):
    weights = torch.randn(64, 32, generator=seeded(1), dtype=torch.float64)
    model, encoding = toy(lambda embeds: (embeds * weights[: embeds.shape[1]]).sum((1, 2)))
    own = {"output": "logit", "operator": "zero"} if name in REMOVALS else {"output": "logit"}
    own |= ZEROED if name in PATHS else {}
    found = scores(name, model, encoding, **own, **{**PATHS, **REMOVALS}.get(name, {}))
    expected = (encoding.embeds * weights[: len(encoding)]).sum(-1)
    here = encoding.attributable
    torch.testing.assert_close(found[here], expected[here], atol=EXACT, rtol=0)


@pytest.mark.parametrize(
    ("name", "share", "options"),
    [
        ("input_x_gradient", 1.0, {"output": "logit"}),  # counts what both do together twice
        ("occlusion", 1.0, {"output": "logit", "operator": "zero"}),
        ("sequential_integrated_gradients", 1.0, {**ZEROED, "steps": 4}),
        ("integrated_gradients", 0.5, {**ZEROED, "steps": 4}),  # along the diagonal both get half
        ("kernel_shap", 0.5, {"output": "logit", "operator": "zero", "samples": 2**11}),  # and so by Shapley
    ],
)
def test_product(name, share, options):
    one, two = torch.randn(2, 32, generator=seeded(2), dtype=torch.float64)
    first, second = 2, 5
    model, encoding = toy(lambda embeds: (embeds[:, first] @ one) * (embeds[:, second] @ two))
    expected = torch.zeros(len(encoding), dtype=torch.float64)
    expected[[first, second]] = share * (encoding.embeds[first] @ one) * (encoding.embeds[second] @ two)
    torch.testing.assert_close(scores(name, model, encoding, **options), expected, atol=EXACT, rtol=0)


@pytest.fixture
def planted():
    """f = HEIGHT where the planted word stands anywhere, else 0: only its embedding has a first component."""

    def change(weight, tokenizer):
        weight[:, 0] = 0
        weight[tokenizer.convert_tokens_to_ids(PLANTED), 0] = 1

    model, encoding = toy(lambda embeds: HEIGHT * embeds[:, :, 0].amax(dim=1), change)
    (place,) = [number for number, token in enumerate(encoding.tokens) if token.strip() == PLANTED]
    return model, encoding, place


@pytest.mark.parametrize("operator", ["delete", "mask", "zero"])
def test_planted_token_by_occlusion(planted, operator):
    model, encoding, place = planted
    found = scores("occlusion", model, encoding, output="logit", operator=operator)
    torch.testing.assert_close(found, HEIGHT * torch.eye(len(encoding), dtype=torch.float64)[place])


@pytest.mark.parametrize("name", ["kernel_shap", "lime", "integrated_gradients", "gradient_shap", "reagent"])
def test_planted_token_is_first(planted, name):
    model, encoding, place = planted
    options = {"reagent": {"replacer": "uniform", "top_k": 0, "max_steps": 60}}
    found = scores(name, model, encoding, **options.get(name, {}))
    assert int(found.argmax()) == place


def test_metrics_of_the_planted_token(planted):
    """The top of a ranking that knows it, and of one that puts it last, by hand: p is 1 / (1 + e^-4) or 1 / 2."""
    model, encoding, place = planted
    right = torch.eye(len(encoding), dtype=torch.float64)[place]
    there, gone = torch.tensor(HEIGHT).double().sigmoid(), torch.tensor(0.5).double()
    known = {"sufficiency": (0.0, there - gone), "comprehensiveness": (there - gone, 0.0),
             "log_odds": ((gone / there).log(), 0.0), "aopc_sufficiency": (0.0, there - gone),
             "aopc_comprehensiveness": (there - gone, 0.0)}  # fmt: skip
    for name, expected in known.items():
        for ranking, value in zip((right, -right), expected, strict=True):
            found = METRICS[name](model, encoding, ranking, generator=seeded(), **CONVENTIONS["paper"][name])
            assert found.value == pytest.approx(float(value), abs=1e-12), name
    for order, expected in {"comprehensiveness": (1.0, 0.0), "sufficiency": (0.0, 1.0)}.items():
        for ranking, value in zip((right, -right), expected, strict=True):
            found = METRICS["naopc"](model, encoding, ranking, generator=seeded(), order=order, exact_up_to=12)
            assert found.value == pytest.approx(value, abs=1e-12), order
