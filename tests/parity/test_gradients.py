"""GradientSHAP, DeepLIFT and sequential integrated gradients against their formulas, written again, and captum."""

import captum.attr
import numpy as np
import pytest
import torch
from captum.attr._core import deep_lift
from conftest import FLOAT32_ATTENTION, PROMPT, READ, answer_logits, moving, nothing_id, seeded, target_probability
from torch import nn
from transformers import MixtralConfig, MixtralForCausalLM

from attribook.attribution.embedding_paths import quadrature
from attribook.attribution.names import FACTS, identified
from attribook.attribution.registry import explain, find_method
from attribook.attribution.rescale_rule import ACTIVATIONS, Lift, lifted
from attribook.errors import AttribookError
from attribook.models.causal import CausalLM
from attribook.models.edits import Embed
from attribook.models.load import load_model
from attribook.models.tiny import TOKENS, tiny_tokenizer

FORMULA = 1e-8  # float64: sums in another order differ by about 1e-15 of the terms, which are below 1e3
CAPTUM = 1e-5  # float32 on both sides


def tolerance(model):
    return FLOAT32_ATTENTION if model.network.config.model_type == "gptj" else FORMULA


def value(model, embeds, target, output):
    return READ[output](answer_logits(model, inputs_embeds=embeds[None]))[target]


def gradient(model, embeds, target, output):
    leaf = embeds.detach().clone().requires_grad_()
    value(model, leaf, target, output).backward()
    return leaf.grad


def start_of(model, encoding, baseline, specials="keep"):
    table = model.network.get_input_embeddings()
    nothing = torch.zeros_like(encoding.embeds)
    if baseline == "mask":
        nothing = table(torch.tensor([nothing_id(model)])).detach().expand_as(encoding.embeds)
    return torch.where(moving(encoding, specials), nothing, encoding.embeds)


# -- gradient_shap -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("baseline", "stdev", "specials"), [("zero", 0.0, "keep"), ("mask", 0.3, "perturb")])
@pytest.mark.parametrize(("output", "reduction"), [("probability", "sum"), ("logit", "l2")])
def test_gradient_shap_by_its_formula(exact, baseline, stdev, specials, output, reduction):
    encoding, generator = exact.encode(PROMPT), seeded(3)
    start = start_of(exact, encoding, baseline, specials)
    total = torch.zeros_like(encoding.embeds)
    alphas = [float(torch.rand((), generator=generator, dtype=torch.float64)) for _ in range(5)]
    for alpha in alphas:
        noisy = encoding.embeds
        if stdev:
            noisy = noisy + stdev * torch.randn(start.shape, generator=generator, dtype=torch.float64)
        total += (noisy - start) * gradient(exact, start + alpha * (noisy - start), encoding.target, output) / 5
    slow = total.sum(-1) if reduction == "sum" else total.square().sum(-1).sqrt()
    options = {"samples": 5, "stdev": stdev, "baseline": baseline, "specials": specials} | {
        "output": output,
        "reduction": reduction,
    }
    found = explain(exact, encoding, "gradient_shap", generator=seeded(3), **options)
    torch.testing.assert_close(found.scores, slow, atol=tolerance(exact), rtol=0)
    with torch.no_grad():
        ends = [value(exact, x, encoding.target, output) for x in (encoding.embeds, start)]
    gap = float(ends[0] - ends[1] - total.sum())
    assert found.details["completeness_gap"] == pytest.approx(gap, abs=tolerance(exact))


def test_gradient_shap_against_captum_with_the_same_points(tiny, monkeypatch):
    encoding = tiny.encode(PROMPT)
    embeds = encoding.embeds[None]
    alphas = torch.rand(6, generator=seeded(1), dtype=torch.float64).numpy()

    def given(low, high, size):
        assert (low, high, size) == (0.0, 1.0, 6)
        return alphas

    monkeypatch.setattr(np.random, "uniform", given)  # captum draws its points here
    theirs = captum.attr.GradientShap(target_probability(tiny, encoding)).attribute(
        embeds, torch.zeros_like(embeds), n_samples=6, stdevs=0.0
    )
    ours = explain(tiny, encoding, "gradient_shap", generator=seeded(1), samples=6, specials="perturb").scores
    torch.testing.assert_close(ours, theirs[0].sum(-1).detach().double(), atol=CAPTUM, rtol=1e-4)


def test_noise_is_the_generators_alone_and_the_same_for_every_batch_size():
    scores = []
    for budget, other in ((1, 1), (100, 2), (10**6, 3)):
        torch.manual_seed(other)
        model = load_model("tiny-gpt2", token_budget=budget)
        found = explain(model, model.encode(PROMPT), "gradient_shap", generator=seeded(), stdev=0.5, samples=7)
        scores.append(found.scores)
    torch.testing.assert_close(scores[0], scores[1], atol=CAPTUM, rtol=1e-4)
    torch.testing.assert_close(scores[0], scores[2], atol=CAPTUM, rtol=1e-4)
    still = explain(model, model.encode(PROMPT), "gradient_shap", generator=seeded(), samples=7).scores
    assert float((scores[0] - still).abs().max()) > 1e-3


# -- integrated gradients until they have converged ----------------------------------------------------------------


def slow_gap(model, encoding, steps):
    """What the scores with that many steps lack of the whole change, in float64, and that change."""
    points, weights = np.polynomial.legendre.leggauss(steps)
    start = encoding.embeds * ~encoding.attributable[:, None]
    way, total = encoding.embeds - start, 0.0
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        total += weight * float((way * gradient(model, start + point * way, encoding.target, "probability")).sum())
    with torch.no_grad():
        ends = [value(model, x, encoding.target, "probability") for x in (encoding.embeds, start)]
    change = float(ends[0] - ends[1])
    return change - total, change


def test_steps_are_doubled_until_the_gap_is_small():
    model = load_model("tiny-gpt2", dtype="float64")
    encoding = model.encode(PROMPT)
    gaps = {steps: slow_gap(model, encoding, steps) for steps in (1, 2, 4, 8, 16, 32, 64, 128, 256)}
    share = 0.01
    small = {steps: abs(gap) <= share * abs(change) for steps, (gap, change) in gaps.items()}
    last = next(steps for steps in gaps if steps > 1 and small[steps] and small[steps // 2])
    assert last > 2
    found = explain(model, encoding, "integrated_gradients", steps=1, tolerance=share)
    assert found.converged is True
    assert found.details["last_steps"] == last
    assert found.details["steps"] == 2 * last - 1 == found.cost.backwards == found.cost.forwards - 1
    assert found.details["completeness_gap"] == pytest.approx(gaps[last][0], abs=1e-9)
    fixed = explain(model, encoding, "integrated_gradients", steps=last)
    assert found.scores.equal(fixed.scores)
    assert fixed.converged is None
    assert set(fixed.details) == {"completeness_gap"}


def test_a_gap_that_is_small_once_by_chance_is_no_convergence(monkeypatch):
    """The gaps that product_maker-00 of knowns-mini has on SmolLM2: a jump beside the baseline."""
    model = load_model("tiny-llama")
    encoding = model.encode(PROMPT)
    start = encoding.embeds * ~encoding.attributable[:, None]
    change = model.output(encoding) - float(model.outputs(encoding, Embed(start[None]))[0])
    shares = {25: 1.28, 50: 0.009, 100: 0.24, 200: 0.03, 400: 0.01, 800: 0.0}

    def along(_model, _encoding, start, steps, *_):
        return torch.full(start.shape, change * (1 - shares[steps]) / start.numel(), dtype=torch.float64)

    monkeypatch.setattr("attribook.attribution.integrated_gradients.along", along)
    method = find_method("integrated_gradients")
    _, details, converged = method.function(model, encoding, steps=25, tolerance=0.05)
    assert (details["last_steps"], details["steps"], converged) == (400, 775, True)
    monkeypatch.setattr("attribook.attribution.integrated_gradients.MOST_STEPS", 200)
    _, details, converged = method.function(model, encoding, steps=25, tolerance=0.05)
    assert (details["last_steps"], converged) == (200, False)


def test_what_has_not_converged_is_not_said_to_have(monkeypatch):
    model = load_model("tiny-llama")
    encoding = model.encode(PROMPT)
    monkeypatch.setattr("attribook.attribution.integrated_gradients.MOST_STEPS", 2)
    found = explain(model, encoding, "integrated_gradients", steps=1, tolerance=1e-9)
    assert found.converged is False
    assert found.details["last_steps"] == 2
    for wrong in (-0.1, 1.0, float("nan")):
        with pytest.raises(AttribookError, match="tolerance is a share"):
            explain(model, encoding, "integrated_gradients", tolerance=wrong)


def test_fixed_steps_have_the_keys_that_they_had():
    options = FACTS["integrated_gradients"].resolve({"steps": 20})
    before = {name: value for name, value in options.items() if name != "tolerance"}
    facts = FACTS["integrated_gradients"]
    assert facts.keyed(options) == before
    assert facts.keyed(options | {"tolerance": 0.05}) == before | {"tolerance": 0.05}
    assert identified({"masked_lm": "FacebookAI/roberta-base"}) == {"masked_lm": "FacebookAI/roberta-base"}


# -- sequential_integrated_gradients -----------------------------------------------------------------------------


@pytest.mark.parametrize(("baseline", "specials"), [("zero", "keep"), ("mask", "perturb")])
@pytest.mark.parametrize(("output", "rule"), [("probability", "riemann"), ("log_probability", "gauss_legendre")])
def test_sequential_integrated_gradients_by_its_formula(exact, baseline, specials, output, rule):
    encoding = exact.encode(PROMPT)
    start = start_of(exact, encoding, baseline, specials)
    slow, gaps = [], []
    for i in range(len(encoding)):
        if specials == "keep" and not encoding.attributable[i]:
            slow.append(torch.zeros((), dtype=torch.float64))
            continue
        without = encoding.embeds.clone()
        without[i] = start[i]
        total = torch.zeros_like(start[i])
        for t, w in zip(*quadrature(rule, 3), strict=True):
            point = without + t * (encoding.embeds - without)
            total += w * gradient(exact, point, encoding.target, output)[i]
        slow.append(((encoding.embeds[i] - start[i]) * total).sum())
        with torch.no_grad():
            full, empty = (value(exact, x, encoding.target, output) for x in (encoding.embeds, without))
        gaps.append(abs(float(full - empty - slow[-1])))
    options = {"steps": 3, "rule": rule, "baseline": baseline, "specials": specials, "output": output}
    found = explain(exact, encoding, "sequential_integrated_gradients", **options)
    torch.testing.assert_close(found.scores, torch.stack(slow), atol=tolerance(exact), rtol=0)
    assert found.details["mean_abs_completeness_gap"] == pytest.approx(sum(gaps) / len(gaps), abs=tolerance(exact))


def test_sequential_integrated_gradients_are_complete_for_each_token(exact):
    # From the mask token: a zero embedding makes networks with an RMS norm jump, as for integrated gradients. The
    # gradient of a ReLU (in OPT, and in the head of DistilBERT) jumps: a rule with n points places a jump up to 1/n of
    # the path wrongly, and drops are up to 0.4 here. Elsewhere the largest error seen is 2.5e-5.
    near = 0.4 / 64 if exact.family in {"opt", "distilbert"} else 2e-4
    encoding = exact.encode(PROMPT)
    found = explain(exact, encoding, "sequential_integrated_gradients", steps=64)
    drops = explain(exact, encoding, "occlusion", operator="mask").scores
    torch.testing.assert_close(found.scores, drops, atol=near, rtol=0)
    assert float(drops.abs().max()) > 1e-2
    assert found.details["mean_abs_completeness_gap"] < near


def test_one_token_of_it_is_captums_integrated_gradients(tiny):
    encoding, i = tiny.encode(PROMPT), 4
    start = encoding.embeds.clone()
    start[i] = 0
    ig = captum.attr.IntegratedGradients(target_probability(tiny, encoding))
    theirs = ig.attribute(encoding.embeds[None], start[None], n_steps=20, method="gausslegendre")[0, i].sum()
    ours = explain(tiny, encoding, "sequential_integrated_gradients", steps=20, baseline="zero").scores[i]
    assert float(ours) == pytest.approx(float(theirs), abs=CAPTUM, rel=1e-4)


def test_gradients_behind_a_kept_prefix_are_those_of_the_whole(exact):
    encoding = exact.encode(PROMPT)
    embeds = encoding.embeds.repeat(3, 1, 1)
    embeds[:, 5:] += 0.1 * torch.randn(embeds[:, 5:].shape, generator=seeded(), dtype=embeds.dtype)
    whole, values = exact.gradients(encoding, embeds)
    before = exact.engine.counter.copy()
    rest, same = exact.gradients(encoding, embeds, start=5)
    # Norms, rotary tables and attention softmax of some families run in float32 inside transformers.
    torch.testing.assert_close(rest, whole[:, 5:], atol=1e-6, rtol=0)
    torch.testing.assert_close(same, values, atol=1e-6, rtol=0)
    kept = 5 if encoding.prefix is not None else 0
    assert (exact.engine.counter - before).tokens == 3 * (len(encoding) - kept)


# -- deeplift ----------------------------------------------------------------------------------------------------


class Secant(torch.autograd.Function):
    """An activation with its own values and, backwards, the slope between these and the baseline's."""

    @staticmethod
    def forward(ctx, x, y, x0, y0, tangent):
        same = x == x0  # as at a first token that stays: there is no way between, so the slope is the tangent's
        ctx.save_for_backward(torch.where(same, tangent, (y - y0) / (x - x0).masked_fill(same, 1.0)))
        return y.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0], None, None, None, None


def tangent(module, x):
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        return torch.autograd.grad(type(module).forward(module, leaf).sum(), leaf)[0]


def slow_deeplift(model, encoding, start, output):
    """Two runs: the baseline's, which records the activations; the prompt's, with secants in their place."""
    modules = [m for m in model.network.modules() if type(m) in ACTIVATIONS]
    recorded, hooks = {}, []
    for module in modules:
        hooks.append(module.register_forward_hook(lambda m, x, y: recorded.__setitem__(m, (x[0], y))))
    with torch.no_grad():
        value(model, start, encoding.target, output)
    for hook in hooks:
        hook.remove()

    def secant(module, inputs, output):
        return Secant.apply(inputs[0], output.detach(), *recorded[module], tangent(module, inputs[0]))

    hooks = [module.register_forward_hook(secant) for module in modules]
    try:
        grad = gradient(model, encoding.embeds, encoding.target, output)
    finally:
        for hook in hooks:
            hook.remove()
    return (encoding.embeds - start) * grad


@pytest.mark.parametrize(("baseline", "specials"), [("zero", "keep"), ("mask", "perturb")])
@pytest.mark.parametrize(("output", "reduction"), [("probability", "sum"), ("logit", "l2")])
def test_deeplift_by_its_formula(exact, baseline, specials, output, reduction):
    encoding = exact.encode(PROMPT)
    start = start_of(exact, encoding, baseline, specials)
    products = slow_deeplift(exact, encoding, start, output)
    slow = products.sum(-1) if reduction == "sum" else products.square().sum(-1).sqrt()
    found = explain(
        exact, encoding, "deeplift", baseline=baseline, specials=specials, output=output, reduction=reduction
    )
    torch.testing.assert_close(found.scores, slow, atol=tolerance(exact), rtol=0)
    with torch.no_grad():
        ends = [value(exact, x, encoding.target, output) for x in (encoding.embeds, start)]
    gap = float(ends[0] - ends[1] - products.sum())
    assert found.details == {"completeness_gap": pytest.approx(gap, abs=1e-6), "rescaled": rescaled(exact)}


def rescaled(model):
    return 3.0 if model.network.config.model_type == "bert" else 2.0  # BERT's pooler has a tanh module


def test_deeplift_reaches_the_activations(exact):
    encoding = exact.encode(PROMPT)
    plain = explain(exact, encoding, "input_x_gradient").scores * moving(encoding, "keep")[:, 0]
    ours = explain(exact, encoding, "deeplift").scores
    assert float((ours - plain).abs().max()) > 1e-3 * float(plain.abs().max())
    # As released, captum knows the activations of OPT and of BERT's pooler; elsewhere it gives
    # (input - baseline) x gradient.
    released = explain(exact, encoding, "deeplift", rescale="captum")
    if exact.network.config.model_type == "opt":
        torch.testing.assert_close(released.scores, ours, atol=FORMULA, rtol=0)
        assert released.details["rescaled"] == 2
    elif exact.network.config.model_type == "bert":
        assert released.details["rescaled"] == 1  # the tanh of the pooler
    else:
        torch.testing.assert_close(released.scores, plain, atol=FORMULA, rtol=0)
        assert released.details["rescaled"] == 0


class Direct(nn.Module):
    def __init__(self, model, encoding):
        super().__init__()
        self.network, self.probability = model.network, target_probability(model, encoding)

    def forward(self, x):
        return self.probability(x)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("rescale", ["captum", "activations"])
def test_deeplift_against_captum(tiny, monkeypatch, rescale):
    encoding = tiny.encode(PROMPT)
    if rescale == "activations":
        for kind in ACTIVATIONS:
            monkeypatch.setitem(deep_lift.SUPPORTED_NON_LINEAR, kind, deep_lift.nonlinear)
    start = start_of(tiny, encoding, "mask")[None]
    theirs = captum.attr.DeepLift(Direct(tiny, encoding)).attribute(encoding.embeds[None], start)[0]
    ours = explain(tiny, encoding, "deeplift", rescale=rescale, baseline="mask").scores
    torch.testing.assert_close(ours, theirs.sum(-1).detach().double(), atol=CAPTUM, rtol=1e-4)


def small_net(activation):
    """y = 3 g(x1 - x2) - g(2 x2 - 1)."""
    net = nn.Sequential(nn.Linear(2, 2), activation, nn.Linear(2, 1, bias=False), nn.Flatten(0)).double()
    net[0].weight.data = torch.tensor([[1.0, -1.0], [0.0, 2.0]]).double()
    net[0].bias.data = torch.tensor([0.0, -1.0]).double()
    net[2].weight.data = torch.tensor([[3.0, -1.0]]).double()
    return net


def test_deeplift_by_hand():
    # From (0, 2) to (3, 1): the first unit goes from -2 to 2, its ReLU from 0 to 2, slope 1/2; the second from 3 to 1,
    # slope 1. Contributions 3 * (3 / 2) and -1 * (-3 / 2 - 2), which add up to y(3, 1) - y(0, 2) = 5 - -3.
    inputs, origin = torch.tensor([[3.0, 1.0]]).double(), torch.tensor([[0.0, 2.0]]).double()
    found, rescaled = lifted(Lift(small_net(nn.ReLU()), rows={2}), inputs, origin, enough=1)
    assert found.tolist() == [[4.5, 3.5]]
    assert rescaled == 1
    # SiLU, which captum does not know: slopes are those between the two ends, and the sum is complete.
    net = small_net(nn.SiLU())
    found, _ = lifted(Lift(net, rows={2}), inputs, origin, enough=1)
    silu = nn.functional.silu(torch.tensor([2.0, -2.0, 1.0, 3.0]).double())
    first, second = (silu[0] - silu[1]) / 4, (silu[2] - silu[3]) / -2
    torch.testing.assert_close(found[0], torch.stack([9 * first, 3 * first + 2 * second]), atol=1e-12, rtol=0)
    assert float(found.sum()) == pytest.approx(float((net(inputs) - net(origin)).detach()), abs=1e-12)


LAST = {"bert": "classifier", "roberta": "classifier.out_proj", "distilbert": "classifier"}


def hooks_and_names(network):
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [(sorted(vars(module)), [len(vars(module)[kind]) for kind in kinds]) for module in network.modules()]


@pytest.mark.parametrize("rescale", ["captum", "activations"])
@pytest.mark.parametrize("failure", ["none", "forward", "backward"])
def test_deeplift_leaves_the_network_as_it_was(tiny, monkeypatch, failure, rescale):
    encoding = tiny.encode(PROMPT)
    embeds = encoding.embeds.clone()
    before, names = tiny.network(inputs_embeds=embeds[None]).logits, hooks_and_names(tiny.network)
    if failure == "none":
        explain(tiny, encoding, "deeplift", rescale=rescale)
    else:
        if failure == "forward":
            head = tiny.network.get_output_embeddings()
            if head is None:
                head, shape = tiny.network.get_submodule(LAST[tiny.family]), (2, 2)
            else:
                shape = (2, 1, 9999)
            monkeypatch.setattr(head, "forward", lambda x: torch.full(shape, float("nan")))
            error = pytest.raises(AttribookError, match="NaN logits")
        else:
            monkeypatch.setattr(torch.autograd, "grad", lambda *args, **more: 1 / 0)
            error = pytest.raises(ZeroDivisionError)
        with error:
            explain(tiny, encoding, "deeplift", rescale=rescale)
    monkeypatch.undo()
    assert hooks_and_names(tiny.network) == names
    assert torch.equal(tiny.network(inputs_embeds=embeds[None]).logits, before)
    assert torch.equal(encoding.embeds, embeds)
    assert not encoding.embeds.requires_grad


def test_deeplift_refuses_what_it_cannot_follow():
    model = load_model("tiny-llama")
    encoding = model.encode(PROMPT)
    for layer in model.network.model.layers:
        del layer.mlp.act_fn
        layer.mlp.act_fn = nn.functional.silu
    with pytest.raises(AttribookError, match=r"found 0 activation modules .* 2 layers.*integrated_gradients"):
        explain(model, encoding, "deeplift")
    assert explain(model, encoding, "deeplift", rescale="captum").details["rescaled"] == 0

    act = nn.ReLU()
    twice = nn.Sequential(nn.Linear(2, 2), act, nn.Linear(2, 2), act, nn.Linear(2, 1), nn.Flatten(0))
    with pytest.raises(AttribookError, match=r"ReLU that the network uses twice.*integrated_gradients"):
        lifted(Lift(twice, rows={2}), torch.ones(1, 2), torch.zeros(1, 2), enough=1)
    assert not hasattr(act, "input")

    tokenizer = tiny_tokenizer(None)
    config = MixtralConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=4, max_position_embeddings=256, **TOKENS,
    )  # fmt: skip
    torch.manual_seed(0)
    experts = CausalLM(MixtralForCausalLM(config), tokenizer, name="tiny-mixtral")
    encoding, names = experts.encode(PROMPT), hooks_and_names(experts.network)
    with pytest.raises(AttribookError, match=r"integrated_gradients"):
        explain(experts, encoding, "deeplift")
    assert hooks_and_names(experts.network) == names


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gradient_shap", {"samples": 0}),
        ("gradient_shap", {"stdev": -1.0}),
        ("gradient_shap", {"stdev": float("nan")}),
        ("gradient_shap", {"baseline": "grey"}),
        ("deeplift", {"rescale": "all"}),
        ("deeplift", {"reduction": "max"}),
        ("deeplift", {"output": "odds"}),
        ("sequential_integrated_gradients", {"steps": 0}),
        ("sequential_integrated_gradients", {"rule": "simpson"}),
    ],
)
def test_wrong_options_say_what_to_choose(name, options):
    model = load_model("tiny-gpt2")
    with pytest.raises(AttribookError, match=r"[Cc]hoose|at least one"):
        explain(model, model.encode(PROMPT), name, generator=seeded(), **options)


def test_gradient_shap_needs_a_generator():
    model = load_model("tiny-gpt2")
    with pytest.raises(AttribookError, match="Generator"):
        explain(model, model.encode(PROMPT), "gradient_shap")
