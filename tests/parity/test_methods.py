"""Every method against a slow re-implementation from its formula, in float64, and against captum where it has it."""

import captum.attr
import pytest
import torch
from conftest import PROMPT, seeded

from attribook.attribution import METHODS, explain
from attribook.attribution.embedding_paths import quadrature
from attribook.errors import AttribookError
from attribook.models import Embed, load_model

FORMULA = 1e-8  # float64: sums in another order differ by about 1e-15 of the terms, which are below 1e3
CAPTUM = 1e-5  # float32 on both sides


def probability(network, embeds, target):
    return network(inputs_embeds=embeds[None]).logits[0, -1].softmax(-1)[target]


@pytest.mark.parametrize("operator", ["delete", "mask", "zero"])
@pytest.mark.parametrize("output", ["probability", "logit", "log_probability"])
def test_occlusion_is_the_drop_without_each_token(exact, operator, output):
    encoding = exact.encode(PROMPT)
    read = {
        "probability": lambda logits: logits.softmax(-1),
        "logit": lambda logits: logits,
        "log_probability": lambda logits: logits.log_softmax(-1),
    }[output]
    with torch.no_grad():
        full = read(exact.network(input_ids=encoding.ids[None]).logits[0, -1])[encoding.target]
        slow = []
        for i in range(len(encoding)):
            ids, embeds = encoding.ids.tolist(), encoding.embeds.clone()
            if operator == "delete":
                given = {"input_ids": torch.tensor([ids[:i] + ids[i + 1 :]])}
            elif operator == "mask":
                given = {"input_ids": torch.tensor([[*ids[:i], exact.tokenizer.unk_token_id, *ids[i + 1 :]]])}
            else:
                embeds[i] = 0
                given = {"inputs_embeds": embeds[None]}
            slow.append(full - read(exact.network(**given).logits[0, -1])[encoding.target])
    ours = explain(exact, encoding, "occlusion", operator=operator, output=output).scores
    torch.testing.assert_close(ours, torch.stack(slow), atol=FORMULA, rtol=0)


@pytest.mark.parametrize("reduction", ["sum", "l2"])
def test_input_x_gradient_by_its_formula_and_by_finite_differences(exact, reduction):
    encoding = exact.encode(PROMPT)
    embeds = encoding.embeds.clone().requires_grad_()
    probability(exact.network, embeds, encoding.target).backward()
    products = encoding.embeds * embeds.grad
    slow = products.sum(-1) if reduction == "sum" else products.square().sum(-1).sqrt()
    ours = explain(exact, encoding, "input_x_gradient", reduction=reduction).scores
    torch.testing.assert_close(ours, slow, atol=FORMULA, rtol=0)
    if reduction == "sum":  # the derivative along a token's own embedding, without autograd
        # RMS norm runs in float32 inside transformers, so a small step would drown in its rounding: 1e-2 is
        # the step at which the differences seen are smallest, below 1e-5 on scores up to 0.05.
        # Layer norm (GPT-2, OPT) runs in float64.
        h = 1e-5 if exact.network.config.model_type in {"gpt2", "opt"} else 1e-2
        for i in range(len(encoding)):
            step = torch.zeros_like(encoding.embeds)
            step[i] = h * encoding.embeds[i]
            with torch.no_grad():
                up, down = (probability(exact.network, encoding.embeds + s, encoding.target) for s in (step, -step))
            assert float(ours[i]) == pytest.approx(float(up - down) / (2 * h), abs=5e-5)


@pytest.mark.parametrize("rule", ["riemann", "gauss_legendre"])
@pytest.mark.parametrize("baseline", ["zero", "mask"])
def test_integrated_gradients_by_its_formula(exact, rule, baseline):
    encoding = exact.encode(PROMPT)
    unk = exact.network.get_input_embeddings()(torch.tensor([exact.tokenizer.unk_token_id])).detach()
    start = torch.zeros_like(encoding.embeds) if baseline == "zero" else unk.expand_as(encoding.embeds)
    total = torch.zeros_like(encoding.embeds)
    for t, w in zip(*quadrature(rule, 6), strict=True):
        point = (start + t * (encoding.embeds - start)).requires_grad_()
        probability(exact.network, point, encoding.target).backward()
        total += w * point.grad
    slow = ((encoding.embeds - start) * total).sum(-1)
    ours = explain(exact, encoding, "integrated_gradients", steps=6, rule=rule, baseline=baseline).scores
    torch.testing.assert_close(ours, slow, atol=FORMULA, rtol=0)


def test_quadrature_integrates_what_it_should():
    points, weights = quadrature("gauss_legendre", 3)  # exact up to degree 5
    assert float((weights * points**5).sum()) == pytest.approx(1 / 6, abs=1e-14)
    points, weights = quadrature("riemann", 4)
    assert points.tolist() == [0.125, 0.375, 0.625, 0.875]
    assert weights.tolist() == [0.25] * 4


def test_integrated_gradients_are_complete(exact):
    # From the mask token's embedding. From zero, networks that begin with an RMS norm jump within the first
    # thousandth of the path, and no rule with a usable number of steps sees that; the details report the gap.
    encoding = exact.encode(PROMPT)
    found = explain(exact, encoding, "integrated_gradients", steps=256, baseline="mask")
    unk = exact.embed(torch.tensor([exact.tokenizer.unk_token_id])).expand_as(encoding.embeds)
    change = encoding.probability - float(exact.outputs(encoding, Embed(unk[None]))[0])
    assert float(found.scores.sum()) == pytest.approx(change, abs=1e-3)
    assert found.details["completeness_gap"] == pytest.approx(change - float(found.scores.sum()), abs=1e-9)


def test_attention_methods_by_their_formulas(exact):
    encoding = exact.encode(PROMPT)
    before = exact.network.config._attn_implementation
    exact.network.set_attn_implementation("eager")
    with torch.no_grad():
        maps = exact.network(input_ids=encoding.ids[None], output_attentions=True).attentions
    exact.network.set_attn_implementation(before)
    means = [layer[0].mean(0) for layer in maps]
    rollout = torch.eye(len(encoding), dtype=torch.float64)
    for layer in means:
        rollout = (0.5 * layer + 0.5 * torch.eye(len(encoding), dtype=torch.float64)) @ rollout
    expected = {
        "attention_last": means[-1][-1],
        "attention_mean": torch.stack([layer[-1] for layer in means]).mean(0),
        "attention_rollout": rollout[-1],
    }
    for name, raw in expected.items():
        torch.testing.assert_close(explain(exact, encoding, name).scores, raw, atol=FORMULA, rtol=0)
        softmaxed = explain(exact, encoding, name, scaling="softmax").scores
        torch.testing.assert_close(softmaxed, raw.softmax(0), atol=FORMULA, rtol=0)
        assert float(raw.sum()) == pytest.approx(1, abs=1e-6)  # transformers takes this softmax in float32


def test_against_captum(tiny):
    encoding = tiny.encode(PROMPT)
    embeds = encoding.embeds[None]

    def forward(x):
        return tiny.network(inputs_embeds=x).logits[:, -1].softmax(-1)[:, encoding.target]

    ixg = captum.attr.InputXGradient(forward).attribute(embeds.clone().requires_grad_()).sum(-1)[0].detach()
    ig = captum.attr.IntegratedGradients(forward).attribute(embeds, n_steps=20, method="gausslegendre").sum(-1)[0]
    mask = torch.arange(len(encoding))[None, :, None].expand_as(embeds)
    with torch.no_grad():
        ablation = captum.attr.FeatureAblation(forward).attribute(embeds, feature_mask=mask)[0, :, 0]
    ours = {
        "input_x_gradient": (ixg, {}),
        "integrated_gradients": (ig, {"steps": 20}),
        "occlusion": (ablation, {"operator": "zero"}),
    }
    for name, (theirs, options) in ours.items():
        found = explain(tiny, encoding, name, **options).scores
        torch.testing.assert_close(found, theirs.double(), atol=CAPTUM, rtol=1e-4)


@pytest.mark.parametrize("name", list(METHODS))
def test_cost_formulas_hold(tiny, name):
    encoding = tiny.encode(PROMPT)
    found = explain(tiny, encoding, name, generator=seeded())
    assert (found.cost.forwards, found.cost.backwards) == METHODS[name].expected(encoding, found.options, found.details)


@pytest.mark.parametrize("name", list(METHODS))
def test_same_scores_whatever_the_batch_size(family, name):
    scores = []
    for budget in (1, 100, 10**6):
        model = load_model(f"tiny-{family}", token_budget=budget)
        encoding = model.encode(PROMPT)
        scores.append(explain(model, encoding, name, generator=seeded()).scores)
    torch.testing.assert_close(scores[0], scores[1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(scores[0], scores[2], atol=1e-5, rtol=1e-4)


def test_random_needs_a_generator_and_repeats_with_its_seed():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    first, again, other = (explain(model, encoding, "random", generator=seeded(s)).scores for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    with pytest.raises(AttribookError, match="Generator"):
        explain(model, encoding, "random")


def test_unknown_names_say_what_is_known():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    with pytest.raises(AttribookError, match="Did you mean occlusion"):
        explain(model, encoding, "oclusion")
    with pytest.raises(AttribookError, match=r"no option step\. Its options: steps=32"):
        explain(model, encoding, "integrated_gradients", step=3)
    for name, options in [
        ("occlusion", {"operator": "swap"}),
        ("occlusion", {"output": "odds"}),
        ("input_x_gradient", {"reduction": "max"}),
        ("integrated_gradients", {"rule": "simpson"}),
        ("integrated_gradients", {"baseline": "grey"}),
        ("integrated_gradients", {"steps": 0}),
        ("attention_mean", {"scaling": "log"}),
    ]:
        with pytest.raises(AttribookError, match=r"[Cc]hoose|at least one step"):
            explain(model, encoding, name, **options)
