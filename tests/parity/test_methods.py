"""Every method against a slow re-implementation from its formula, in float64, and against captum where it has it."""

import captum.attr
import pytest
import torch
from conftest import FLOAT32_ATTENTION, PROMPT, READ, answer_logits, moving, nothing_id, seeded, target_probability

from attribook.attribution.embedding_paths import quadrature
from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.edits import Embed
from attribook.models.load import load_model

FORMULA = 1e-8  # float64: sums in another order differ by about 1e-15 of the terms, which are below 1e3
CAPTUM = 1e-5  # float32 on both sides


def probability(model, embeds, target):
    return answer_logits(model, inputs_embeds=embeds[None]).softmax(-1)[target]


@pytest.mark.parametrize("operator", ["delete", "mask", "zero"])
@pytest.mark.parametrize("output", ["probability", "logit", "log_probability"])
@pytest.mark.parametrize("specials", ["keep", "perturb"])
def test_occlusion_is_the_drop_without_each_token(exact, operator, output, specials):
    encoding = exact.encode(PROMPT)
    read = READ[output]
    with torch.no_grad():
        full = read(answer_logits(exact, input_ids=encoding.ids[None]))[encoding.target]
        slow = []
        for i in range(len(encoding)):
            if specials == "keep" and not encoding.attributable[i]:
                slow.append(torch.zeros((), dtype=torch.float64))
                continue
            ids, embeds = encoding.ids.tolist(), encoding.embeds.clone()
            if operator == "delete":
                given = {"input_ids": torch.tensor([ids[:i] + ids[i + 1 :]])}
            elif operator == "mask":
                given = {"input_ids": torch.tensor([[*ids[:i], nothing_id(exact), *ids[i + 1 :]]])}
            else:
                embeds[i] = 0
                given = {"inputs_embeds": embeds[None]}
            slow.append(full - read(answer_logits(exact, **given))[encoding.target])
    ours = explain(exact, encoding, "occlusion", operator=operator, output=output, specials=specials).scores
    torch.testing.assert_close(ours, torch.stack(slow), atol=FORMULA, rtol=0)


@pytest.mark.parametrize(("output", "reduction"), [("probability", "sum"), ("logit", "l2"), ("log_probability", "l2")])
def test_input_x_gradient_by_its_formula_and_by_finite_differences(exact, output, reduction):
    encoding = exact.encode(PROMPT)
    embeds = encoding.embeds.clone().requires_grad_()
    READ[output](answer_logits(exact, inputs_embeds=embeds[None]))[encoding.target].backward()
    products = encoding.embeds * embeds.grad
    slow = products.sum(-1) if reduction == "sum" else products.square().sum(-1).sqrt()
    ours = explain(exact, encoding, "input_x_gradient", output=output, reduction=reduction).scores
    torch.testing.assert_close(ours, slow, atol=FORMULA, rtol=0)
    if output == "probability":  # the derivative along a token's own embedding, without autograd
        # RMS norm runs in float32 inside transformers, so a small step would drown in its rounding: 1e-2 is
        # the step at which the differences seen are smallest, below 1e-5 on scores up to 0.05.
        # Layer norm (GPT-2, OPT, encoders) runs in float64.
        h = 1e-5 if exact.family in {"gpt2", "opt", "bert", "roberta", "distilbert"} else 1e-2
        for i in range(len(encoding)):
            step = torch.zeros_like(encoding.embeds)
            step[i] = h * encoding.embeds[i]
            with torch.no_grad():
                up, down = (probability(exact, encoding.embeds + s, encoding.target) for s in (step, -step))
            assert float(ours[i]) == pytest.approx(float(up - down) / (2 * h), abs=5e-5)


@pytest.mark.parametrize("rule", ["riemann", "gauss_legendre"])
@pytest.mark.parametrize(
    ("baseline", "specials", "output", "reduction"),
    [
        ("zero", "keep", "probability", "sum"),
        ("zero", "perturb", "log_probability", "l2"),
        ("mask", "keep", "logit", "sum"),
        ("unk", "keep", "probability", "l2"),
        ("pad", "perturb", "probability", "sum"),
    ],
)
def test_integrated_gradients_by_its_formula(exact, rule, baseline, specials, output, reduction):
    encoding = exact.encode(PROMPT)
    start = torch.zeros_like(encoding.embeds)
    if baseline != "zero":
        tokenizer = exact.tokenizer
        token = {"mask": nothing_id(exact), "unk": tokenizer.unk_token_id, "pad": tokenizer.pad_token_id}[baseline]
        start = exact.network.get_input_embeddings()(torch.tensor([token])).detach().expand_as(start)
    start = torch.where(moving(encoding, specials), start, encoding.embeds)
    total = torch.zeros_like(encoding.embeds)
    for t, w in zip(*quadrature(rule, 6), strict=True):
        point = (start + t * (encoding.embeds - start)).requires_grad_()
        READ[output](answer_logits(exact, inputs_embeds=point[None]))[encoding.target].backward()
        total += w * point.grad
    products = (encoding.embeds - start) * total
    slow = products.sum(-1) if reduction == "sum" else products.square().sum(-1).sqrt()
    options = {"steps": 6, "rule": rule, "baseline": baseline, "specials": specials} | {
        "output": output,
        "reduction": reduction,
    }
    ours = explain(exact, encoding, "integrated_gradients", **options).scores
    wide = exact.network.config.model_type == "gptj" and output != "probability"  # these outputs are not below 1
    torch.testing.assert_close(ours, slow, atol=FLOAT32_ATTENTION if wide else FORMULA, rtol=0)


def test_a_baseline_of_a_token_that_the_tokenizer_has_not_is_refused():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    model.tokenizer.pad_token = None
    with pytest.raises(AttribookError, match="has no pad token"):
        explain(model, encoding, "integrated_gradients", baseline="pad")


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
    nothing = exact.embed(torch.tensor([nothing_id(exact)])).expand_as(encoding.embeds)
    start = torch.where(moving(encoding, "keep"), nothing, encoding.embeds)
    change = encoding.probability - float(exact.outputs(encoding, Embed(start[None]))[0])
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
        "attention_last": means[-1][encoding.reads],
        "attention_mean": torch.stack([layer[encoding.reads] for layer in means]).mean(0),
        "attention_rollout": rollout[encoding.reads],
    }
    for name, raw in expected.items():
        torch.testing.assert_close(explain(exact, encoding, name).scores, raw, atol=FORMULA, rtol=0)
        softmaxed = explain(exact, encoding, name, scaling="softmax").scores
        torch.testing.assert_close(softmaxed, raw.softmax(0), atol=FORMULA, rtol=0)
        assert float(raw.sum()) == pytest.approx(1, abs=1e-6)  # transformers takes this softmax in float32


def test_against_captum(tiny):
    encoding = tiny.encode(PROMPT)
    embeds = encoding.embeds[None]

    forward = target_probability(tiny, encoding)
    ixg = captum.attr.InputXGradient(forward).attribute(embeds.clone().requires_grad_()).sum(-1)[0].detach()
    ig = captum.attr.IntegratedGradients(forward).attribute(embeds, n_steps=20, method="gausslegendre").sum(-1)[0]
    mask = torch.arange(len(encoding))[None, :, None].expand_as(embeds)
    with torch.no_grad():
        ablation = captum.attr.FeatureAblation(forward).attribute(embeds, feature_mask=mask)[0, :, 0]
    ours = {
        "input_x_gradient": (ixg, {}),
        "integrated_gradients": (ig, {"steps": 20, "specials": "perturb"}),
        "occlusion": (ablation, {"operator": "zero", "specials": "perturb"}),
    }
    for name, (theirs, options) in ours.items():
        found = explain(tiny, encoding, name, **options).scores
        torch.testing.assert_close(found, theirs.double(), atol=CAPTUM, rtol=1e-4)


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
