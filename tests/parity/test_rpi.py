"""RPI and its ablations against their formulas in plain loops, and the identities of what they are made of."""

import math

import pytest
import torch
from conftest import PROMPT, answer_logits, nothing_id, seeded
from transformers import AttentionInterface, AttentionMaskInterface

from attribook.attribution.candidates import candidate_maps
from attribook.attribution.diffusion import RandomPaths
from attribook.attribution.registry import METHODS, explain
from attribook.errors import AttribookError
from attribook.metrics.registry import METRICS
from attribook.metrics.selection import best, judged
from attribook.models.explained import eager_attention
from attribook.models.injection import NAME, injected, layer_numbers, layers_of
from attribook.models.load import load_model
from attribook.models.tiny import CLASSIFIERS, FAMILIES
from attribook.papers.rpi.protocols import RELEASED

FORMULA = 1e-8  # float64: sums in another order
FLOAT32_ATTENTION = 1e-6  # GPT-J computes attention in float32 whatever the weights are; rpi_ig and rpi_sig explain it
EAGER = [family for family in (*FAMILIES, *CLASSIFIERS) if family != "gptj"]
SHORT = "In the capital of Japan, I was staying at my old friend's house"
READ = {"probability": lambda x: x.softmax(-1), "logit": lambda x: x, "log_probability": lambda x: x.log_softmax(-1)}
DEFAULTS = {
    "trials": 3, "steps": 4, "points": "right", "timestep": "uniform", "horizon": 500, "noise": "deviation",
}  # fmt: skip


def double(family, **more):
    return load_model(f"tiny-{family}", dtype="float64", **more)


def eager_logits(model, encoding):
    with eager_attention(model.network), torch.no_grad():
        return answer_logits(model, input_ids=encoding.ids[None])


def with_weights(model, encoding, number, weights):
    """Logits `(C,)` with `weights` `(H, T, T)` in a layer, by a way of one's own: the layer's attention output is made
    from its value vectors by a hook on the module that makes it into states."""
    network, kind = model.network, model.network.config.model_type
    layer = layers_of(network)[number]
    value, out = {
        "bert": ("attention.self.value", "attention.output.dense"),
        "roberta": ("attention.self.value", "attention.output.dense"),
        "distilbert": ("attention.v_lin", "attention.out_lin"),
        "gpt2": ("attn.c_attn", "attn.c_proj"),
        "opt": ("self_attn.v_proj", "self_attn.out_proj"),
    }.get(kind, ("self_attn.v_proj", "self_attn.o_proj"))
    seen = {}

    def keep(module, args, output):
        heads, width = len(weights), layer.get_submodule(out).weight.shape[0 if kind == "gpt2" else 1] // len(weights)
        vectors = output[0].view(len(encoding), -1, width)  # (T, groups, width)
        groups = network.config.num_key_value_heads if hasattr(network.config, "num_key_value_heads") else heads
        seen["values"] = [vectors[:, vectors.shape[1] - groups + h * groups // heads] for h in range(heads)]

    def replace(module, args):
        mixed = [weights[h] @ seen["values"][h] for h in range(len(weights))]
        return (torch.cat(mixed, dim=-1)[None],)

    handles = [
        layer.get_submodule(value).register_forward_hook(keep),
        layer.get_submodule(out).register_forward_pre_hook(replace),
    ]
    try:
        with eager_attention(network):
            logits = answer_logits(model, input_ids=encoding.ids[None])
        return logits[model.answers] if model.kind == "prompted_classifier" else logits
    finally:
        for handle in handles:
            handle.remove()


def clean_attention(model, encoding, number):
    return model.attentions(encoding)[number]


# -- injection ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", EAGER)
def test_the_clean_attention_gives_the_clean_logits(family):
    model = double(family)
    encoding = model.encode(PROMPT)
    for number, layer in enumerate(model.attention_layers(encoding, "0,1", "rpi")):
        torch.testing.assert_close(layer.weights, clean_attention(model, encoding, number), atol=0, rtol=0)
        rows = encoding.embeds.expand(3, -1, -1)
        with injected(model.network, layer, layer.weights.expand(3, -1, -1, -1)), torch.no_grad():
            logits, _ = model.engine.logits(rows)
        torch.testing.assert_close(logits, eager_logits(model, encoding).expand(3, -1), atol=1e-12, rtol=0)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("family", EAGER)
def test_any_weights_do_what_they_should(family, number):
    """Unnormalised, signed, and above the diagonal: by a hook of its own, from the first layer up."""
    model = double(family)
    encoding = model.encode(SHORT)
    layer = model.attention_layers(encoding, str(number), "rpi")[0]
    weights = torch.randn(2, *layer.weights.shape, dtype=torch.float64, generator=seeded(5))
    with injected(model.network, layer, weights), torch.no_grad():
        logits, _ = model.engine.logits(encoding.embeds.expand(2, -1, -1))
    with torch.no_grad():
        slow = torch.stack([with_weights(model, encoding, number, one) for one in weights])
    torch.testing.assert_close(logits, slow, atol=1e-10, rtol=1e-10)
    assert float((logits[0] - logits[1]).abs().max()) > 1e-3


@pytest.mark.parametrize("family", EAGER)
def test_in_the_last_layer_only_the_row_that_is_read_matters(family):
    model = double(family)
    encoding = model.encode(PROMPT)
    first, last = model.attention_layers(encoding, "0,-1", "rpi")
    others = torch.arange(len(encoding)) != encoding.reads
    for layer, matters in ((last, False), (first, True)):
        grads, _ = model.attention_gradients(encoding, layer, layer.weights[None], "logit")
        assert float(grads[0, :, encoding.reads].abs().max()) > 0
        assert (float(grads[0][:, others].abs().max()) > 0) == matters


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_what_was_put_in_is_taken_out_again_also_after_an_error(family):
    model = load_model(f"tiny-{family}")
    encoding = model.encode(PROMPT)
    before = model.network(inputs_embeds=encoding.embeds[None]).logits
    forwards = [module.forward for module in layers_of(model.network)]
    hooks = [len(module._forward_pre_hooks) for module in model.network.modules()]
    layer = model.attention_layers(encoding, "-1", "rpi")[0]

    def undone():
        assert model.network.config._attn_implementation == "sdpa"
        assert NAME not in AttentionInterface().valid_keys()
        assert NAME not in AttentionMaskInterface().valid_keys()
        assert [module.forward for module in layers_of(model.network)] == forwards
        assert not any("forward" in vars(module) for module in model.network.modules())
        assert [len(module._forward_pre_hooks) for module in model.network.modules()] == hooks
        assert torch.equal(model.network(inputs_embeds=encoding.embeds[None]).logits, before)

    undone()
    explain(model, encoding, "rpi", generator=seeded(), trials=2, steps=2)
    undone()
    with pytest.raises(RuntimeError):
        model.attention_gradients(encoding, layer, layer.weights[None, :, :3, :3])
    undone()
    with injected(model.network, layer, layer.weights[None]):
        assert NAME in AttentionInterface().valid_keys()
        assert all("forward" in vars(below) for below in layer.below)
    undone()


def test_a_forward_that_was_wrapped_before_is_put_back():
    model = load_model("tiny-bert")
    encoding = model.encode(PROMPT)
    first = layers_of(model.network)[0]
    inner = first.forward
    calls = []

    def wrapper(*given, **more):
        calls.append(1)
        return inner(*given, **more)

    first.forward = wrapper
    explain(model, encoding, "rpi", generator=seeded(), trials=2, steps=2)
    assert vars(first)["forward"] is wrapper
    assert len(calls) == 1  # the layer below ran once, in the forward of the unchanged prompt


def test_layers_below_run_once_and_all_is_counted():
    model = load_model("tiny-bert", token_budget=100)
    encoding = model.encode(PROMPT)
    runs = [0, 0]
    for number, layer in enumerate(layers_of(model.network)):
        layer.attention.register_forward_hook(lambda *_, number=number: runs.__setitem__(number, runs[number] + 1))
    before = model.engine.counter.copy()
    explain(model, encoding, "rpi", generator=seeded(), trials=3, steps=5)
    spent = model.engine.counter - before
    assert (spent.forwards, spent.backwards, spent.tokens) == (16, 15, 16 * len(encoding))
    assert runs == [1, spent.batches]
    assert spent.batches > 2


def test_weights_stay_frozen():
    model = load_model("tiny-bert")
    explain(model, model.encode(PROMPT), "rpi", generator=seeded(), trials=2, steps=2)
    assert all(not p.requires_grad and p.grad is None for p in model.network.parameters())


def test_layer_numbers():
    network = load_model("tiny-bert").network
    assert layer_numbers(network, "-1") == [1]
    assert layer_numbers(network, "-1, 0") == [1, 0]
    for wrong in ("2", "-3", "last", "", "1,-1", "0.5"):
        with pytest.raises(AttribookError, match=r"[Ll]ayer"):
            layer_numbers(network, wrong)


# -- baselines ---------------------------------------------------------------------------------------------------


def test_the_schedule_by_its_definition():
    paths = RandomPaths(1, 1, "right", "uniform", 500, "deviation")
    alphas = paths.alpha_bar()
    product = 1.0
    for i in range(501):
        product *= 1 - (1e-4 + 0.0199 * i / 500)
        assert float(alphas[i]) == pytest.approx(product if i else 1.0, abs=1e-14)
    # What RPI's released code has at t = 500.
    assert float(alphas[500]) == pytest.approx(0.00628876, abs=5e-9)
    assert float(alphas[500].sqrt()) == pytest.approx(0.0793017, abs=5e-8)
    assert float((1 - alphas[500]).sqrt()) == pytest.approx(0.9968507, abs=5e-8)


@pytest.mark.parametrize("noise", ["deviation", "variance"])
def test_baselines_have_the_mean_and_the_deviation_that_they_should(noise):
    paths = RandomPaths(400, 1, "right", "50", 500, noise)
    drawn = torch.stack([signal * 0.3 + scale * eps for signal, scale, eps in paths.draws((100,), seeded())])
    alpha = float(paths.alpha_bar()[50])
    scale = 1 - alpha if noise == "variance" else math.sqrt(1 - alpha)
    # 40,000 draws: the mean's standard error is scale / 200, the deviation's about scale / 283.
    assert float(drawn.mean()) == pytest.approx(0.3 * math.sqrt(alpha), abs=4 * scale / 200)
    assert float(drawn.std()) == pytest.approx(scale, rel=4 / 283)


def test_timesteps_are_uniform_from_1_to_the_horizon():
    paths = RandomPaths(3000, 1, "right", "uniform", 3, "deviation")
    alphas = paths.alpha_bar().sqrt().tolist()
    drawn = [alphas.index(signal) for signal, _, _ in paths.draws((), seeded())]
    assert set(drawn) == {1, 2, 3}
    assert all(abs(drawn.count(t) - 1000) < 4 * math.sqrt(3000 * 2 / 9) for t in (1, 2, 3))


def test_points_of_the_path():
    assert RandomPaths(1, 4, "right", "uniform", 9, "deviation").fractions().tolist() == [0.25, 0.5, 0.75, 1.0]
    assert RandomPaths(1, 5, "both_ends", "uniform", 9, "deviation").fractions().tolist() == [0, 0.25, 0.5, 0.75, 1]
    paths = RandomPaths(3, 2, "right", "uniform", 9, "deviation")
    end, starts = torch.ones(1), [torch.zeros(1), torch.full((1,), 3.0), torch.full((1,), -1.0)]
    for size in (1, 4, 100):
        parts = list(paths.batches(end, iter(starts), size))
        assert all(len(trials) <= size for trials, _, _ in parts)
        assert torch.cat([trials for trials, _, _ in parts]).tolist() == [0, 0, 1, 1, 2, 2]
        assert torch.cat([start for _, start, _ in parts])[:, 0].tolist() == [0, 0, 3, 3, -1, -1]
        assert torch.cat([point for _, _, point in parts])[:, 0].tolist() == [0.5, 1, 2, 1, 0, 1]


# -- maps against the formula ------------------------------------------------------------------------------------


def slow_draws(paths, shape, generator):
    """sqrt(abar), scale and noise of each trial, from the generator alone."""
    for _ in range(paths["trials"]):
        t = int(torch.randint(1, paths["horizon"] + 1, (), generator=generator))
        t = t if paths["timestep"] == "uniform" else int(paths["timestep"])
        alpha = 1.0
        for i in range(t + 1):
            alpha *= 1 - (1e-4 + 0.0199 * i / paths["horizon"])
        scale = 1 - alpha if paths["noise"] == "variance" else math.sqrt(1 - alpha)
        yield math.sqrt(alpha), scale, torch.randn(shape, generator=generator, dtype=torch.float64)


def slow_points(paths):
    n = paths["steps"]
    return [j / (n - 1) for j in range(n)] if paths["points"] == "both_ends" else [j / n for j in range(1, n + 1)]


CASES = {
    "paper": {},
    "released": {
        "points": "both_ends", "timestep": "500", "noise": "variance", "noised": "text", "factor": "attention",
        "output": "logit",
    },
    "mixed": {"timestep": "20", "row": "mean", "output": "log_probability", "layers": "1,0"},
}  # fmt: skip


@pytest.mark.parametrize("method", ["rpi", "rpi_g"])
@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("family", [*EAGER, "llama+sentiment"])
def test_maps_by_their_formula(family, case, method):
    model = double(family)
    encoding = model.encode("the river" if "+" in family else SHORT)
    options = DEFAULTS | {"layers": "-1", "noised": "all", "factor": "difference", "output": "probability"}
    options |= {"row": "reads"} | CASES[case]
    generator, slow = seeded(3), []
    T = len(encoding)
    numbers = [int(part) % 2 for part in options["layers"].split(",")]
    seeds = [int(torch.randint(2**62, (), generator=generator)) for _ in numbers]
    for number, seed in zip(numbers, seeds, strict=True):
        a = clean_attention(model, encoding, number)
        for signal, scale, eps in slow_draws(options, a.shape, seeded(seed)):
            if options["noised"] == "text":
                eps = torch.where(encoding.template[None, :, None], a, eps)
            b = signal * a + scale * eps
            total = torch.zeros_like(a)
            for s in slow_points(options):
                v = (b + s * (a - b)).requires_grad_()
                value = READ[options["output"]](with_weights(model, encoding, number, v))[encoding.target]
                (g,) = torch.autograd.grad(value, v)
                total += (g * v if method == "rpi" else g).detach()
            product = (a if options["factor"] == "attention" else a - b) * total / options["steps"]
            heads = [product[h] for h in range(len(product))]
            mean = sum(heads) / len(heads)  # (T, T)
            slow.append(sum(mean[i] for i in range(T)) / T if options["row"] == "mean" else mean[encoding.reads])
    slow = torch.stack(slow)
    maps = candidate_maps(model, encoding, method, generator=seeded(3), **options)
    torch.testing.assert_close(maps, slow, atol=FORMULA, rtol=1e-7)
    for aggregate, expected in (("mean", slow.mean(0)), ("median", slow.quantile(0.5, dim=0))):
        found = explain(model, encoding, method, generator=seeded(3), aggregate=aggregate, **options)
        torch.testing.assert_close(found.scores, expected, atol=FORMULA, rtol=1e-7)
    deviation = float((slow - slow.mean(0)).square().mean().sqrt())
    assert found.details["map_deviation"] == pytest.approx(deviation, rel=1e-6, abs=FORMULA)
    # Noise on the text alone never reaches the last position's row of the last layer.
    assert (deviation > 1e-6) == ((family, case) != ("llama+sentiment", "released"))


@pytest.mark.parametrize("method", ["rpi_ig", "rpi_sig"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"points": "both_ends", "timestep": "500", "noise": "variance", "output": "logit"},
        {"baseline": "zero", "specials": "perturb", "timestep": "30", "output": "log_probability"},
    ],
)
def test_maps_through_embeddings_by_their_formula(exact, options, method):
    encoding = exact.encode("the old river is in the city")
    options = DEFAULTS | {"baseline": "mask", "specials": "keep", "output": "probability", "trials": 2} | options
    centre = torch.zeros_like(encoding.embeds)
    if options["baseline"] == "mask":
        row = exact.network.get_input_embeddings()(torch.tensor(nothing_id(exact))).detach()
        centre = row.expand_as(encoding.embeds)
    moves = [bool(a) or options["specials"] == "perturb" for a in encoding.attributable]

    def gradient(x):
        x = x.clone().requires_grad_()
        value = READ[options["output"]](answer_logits(exact, inputs_embeds=x[None]))[encoding.target]
        return torch.autograd.grad(value, x)[0]

    slow = []
    for signal, scale, eps in slow_draws(options, encoding.embeds.shape, seeded(3)):
        b = torch.stack(
            [signal * centre[i] + scale * eps[i] if moves[i] else encoding.embeds[i] for i in range(len(encoding))]
        )
        scores = torch.zeros(len(encoding), dtype=torch.float64)
        for s in slow_points(options):
            if method == "rpi_ig":
                scores += ((encoding.embeds - b) * gradient(b + s * (encoding.embeds - b))).sum(-1)
                continue
            for i in range(len(encoding)):
                x = encoding.embeds.clone()
                x[i] = b[i] + s * (x[i] - b[i])
                scores[i] += ((encoding.embeds[i] - b[i]) * gradient(x)[i]).sum()
        slow.append(scores / options["steps"])
    maps = candidate_maps(exact, encoding, method, generator=seeded(3), **options)
    tolerance = FLOAT32_ATTENTION if exact.network.config.model_type == "gptj" else FORMULA
    torch.testing.assert_close(maps, torch.stack(slow), atol=tolerance, rtol=tolerance)
    found = explain(exact, encoding, method, generator=seeded(3), **options)
    torch.testing.assert_close(found.scores, torch.stack(slow).mean(0), atol=tolerance, rtol=tolerance)


# -- identities --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["-1", "0"])
@pytest.mark.parametrize("family", EAGER)
def test_plain_integration_is_complete_as_the_steps_grow(family, layer):
    model = double(family)
    encoding = model.encode(SHORT)
    options = {"layers": layer, "trials": 1, "timestep": "40", "row": "mean", "output": "logit"}
    a = clean_attention(model, encoding, int(layer) % 2)
    generator = seeded(int(torch.randint(2**62, (), generator=seeded(1))))
    wanted = []
    for signal, scale, eps in slow_draws(DEFAULTS | options, a.shape, generator):
        with torch.no_grad():
            start = with_weights(model, encoding, int(layer) % 2, signal * a + scale * eps)[encoding.target]
        wanted.append(float(eager_logits(model, encoding)[encoding.target] - start))
    gaps = []
    for steps in (10, 80, 640):
        maps = candidate_maps(model, encoding, "rpi_g", generator=seeded(1), steps=steps, **options)
        sums = maps.sum(1) * a.shape[0] * a.shape[1]  # the maps are means over heads and rows
        gaps.append(max(abs(float(s) - w) for s, w in zip(sums, wanted, strict=True)))
    # The sum over right ends is off by about the integrand's change along the path over 2 n.
    assert gaps[2] < 0.05 * abs(wanted[0]), (gaps, wanted)
    assert gaps[2] < 0.3 * gaps[1] < 0.3 * gaps[0], gaps


def test_more_trials_begin_with_the_maps_of_fewer_and_more_layers_too():
    model = load_model("tiny-bert")
    encoding = model.encode(PROMPT)
    for method in ("rpi", "rpi_g", "rpi_ig", "rpi_sig"):
        few, many = (candidate_maps(model, encoding, method, generator=seeded(), trials=r, steps=2) for r in (2, 5))
        torch.testing.assert_close(many[:2], few, atol=1e-6, rtol=1e-5)
        assert float((many[2:] - many[0]).abs().max()) > 0
    one, two = (
        candidate_maps(model, encoding, "rpi", generator=seeded(), trials=r, steps=2, layers=layers)
        for r, layers in ((3, "-1"), (3, "-1,0"))
    )
    torch.testing.assert_close(two[:3], one, atol=1e-7, rtol=1e-5)
    assert two.shape == (6, len(encoding))
    fewer = candidate_maps(model, encoding, "rpi", generator=seeded(), trials=2, steps=2, layers="-1,0")
    torch.testing.assert_close(fewer[2:], two[3:5], atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("metric", ["aopc_sufficiency", "comprehensiveness", "log_odds", "aopc_comprehensiveness"])
def test_the_best_of_nested_pools_is_never_worse(metric):
    model = load_model("tiny-bert")
    encoding = model.encode(PROMPT)
    reached = []
    for trials in (1, 2, 4, 8):
        maps = candidate_maps(model, encoding, "rpi", generator=seeded(), trials=trials, steps=3)
        values = judged(model, encoding, maps, METRICS[metric])
        reached.append(float(values[best(values, metric)]))
    sign = -1 if metric in {"aopc_sufficiency", "log_odds"} else 1
    assert [sign * r for r in reached] == sorted(sign * r for r in reached)
    assert len(set(reached)) > 1


def test_noise_on_the_text_alone_leaves_prompted_maps_of_the_last_layer_equal():
    """The last position reads row T - 1 of the last layer, which stands in the template: all maps are the same."""
    model = double("llama+sentiment")
    encoding = model.encode("a slow river")
    options = dict(RELEASED) | {"trials": 3, "steps": 3}
    same = candidate_maps(model, encoding, "rpi", generator=seeded(), **(options | {"layers": "-1"}))
    torch.testing.assert_close(same, same[:1].expand_as(same), atol=1e-12, rtol=0)
    differ = candidate_maps(model, encoding, "rpi", generator=seeded(), **(options | {"layers": "-2"}))
    assert float((differ - differ[0]).abs().max()) > 1e-6


def test_the_seed_alone_decides_whatever_the_batch():
    found = []
    for budget, other in ((1, 1), (60, 2), (10**6, 3)):
        torch.manual_seed(other)
        model = load_model("tiny-llama", token_budget=budget)
        found.append(candidate_maps(model, model.encode(PROMPT), "rpi", generator=seeded(), trials=3, steps=3))
    for maps in found[1:]:
        torch.testing.assert_close(maps, found[0], atol=1e-6, rtol=1e-5)
    other = candidate_maps(model, model.encode(PROMPT), "rpi", generator=seeded(1), trials=3, steps=3)
    assert float((other - found[0]).abs().max()) > 1e-4


# -- bad input ---------------------------------------------------------------------------------------------------


def test_a_network_outside_the_attention_interface_is_refused():
    model = load_model("tiny-gptj")
    with pytest.raises(AttribookError, match=r"rpi_g cannot explain tiny-gptj.*interface.*integrated_gradients"):
        explain(model, model.encode(PROMPT), "rpi_g", generator=seeded())


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("rpi", {"trials": 0}), ("rpi", {"steps": 0}), ("rpi", {"points": "both_ends", "steps": 1}),
        ("rpi", {"points": "left"}), ("rpi", {"timestep": "0"}), ("rpi", {"timestep": "501"}),
        ("rpi", {"timestep": "late"}), ("rpi", {"noise": "none"}), ("rpi", {"noised": "rows"}),
        ("rpi", {"factor": "b"}), ("rpi", {"row": "first"}), ("rpi", {"output": "odds"}), ("rpi", {"layers": "7"}),
        ("rpi", {"aggregate": "best"}), ("rpi", {"horizon": 0}), ("rpi_g", {"factor": "b"}),
        ("rpi_ig", {"baseline": "grey"}), ("rpi_ig", {"specials": "drop"}), ("rpi_sig", {"timestep": "-1"}),
    ],
)  # fmt: skip
def test_wrong_options_say_what_to_choose(method, options):
    model = load_model("tiny-bert")
    small = {"trials": 1, "steps": 2} | options
    with pytest.raises(AttribookError, match=r"[Cc]hoose"):
        explain(model, model.encode(PROMPT), method, generator=seeded(), **small)


def test_candidates_are_asked_for_by_name():
    model = load_model("tiny-bert")
    encoding = model.encode(PROMPT)
    with pytest.raises(AttribookError, match="one map only"):
        candidate_maps(model, encoding, "occlusion", generator=seeded())
    with pytest.raises(AttribookError, match="no option"):
        candidate_maps(model, encoding, "rpi", generator=seeded(), draws=3)
    with pytest.raises(AttribookError, match="Generator"):
        explain(model, encoding, "rpi")
    assert set(RELEASED) < set(METHODS["rpi"].defaults)


def test_the_factor_as_written_turns_the_sign_on_average():
    """The mean of (a - b) v over noise, as the docstring says: negative where noise outweighs attention."""
    paths = RandomPaths(20_000, 1, "right", "300", 500, "deviation")
    a, s = torch.tensor([0.04, 0.9], dtype=torch.float64), 0.5
    c = float(paths.alpha_bar()[300].sqrt())
    d = math.sqrt(1 - c**2)
    b = torch.stack([signal * a + scale * eps for signal, scale, eps in paths.draws(a.shape, seeded())])
    products = (a - b) * (b + s * (a - b))  # (R, 2)
    expected = (1 - c) * (c + s * (1 - c)) * a**2 - (1 - s) * d**2
    error = products.std(0) / math.sqrt(len(products))
    assert bool(((products.mean(0) - expected).abs() < 4 * error).all())
    assert bool((expected < 0).all())
