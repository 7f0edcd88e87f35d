"""Noiser: its searches against fine grids and planted thresholds, its scores against plain loops in float64."""

import importlib
from math import log, sqrt
from types import SimpleNamespace

import pytest
import torch
from conftest import PROMPT, answer_logits, seeded

from attribook.attribution import noise_search as searching
from attribook.attribution.noise_search import Answer, Noised, bisected, largest, moves, noise_vectors, smallest
from attribook.attribution.occlusion import mask_id
from attribook.attribution.registry import METHODS, explain
from attribook.errors import AttribookError
from attribook.grid.protocols import find_protocol
from attribook.metrics.registry import METRICS as MEASURES
from attribook.metrics.soft import keep_probabilities
from attribook.models.edits import Embed
from attribook.models.load import load_model
from attribook.models.tiny import FAMILIES

noiser_module = importlib.import_module("attribook.attribution.noiser")  # the method hides the module of its name
flip_curves, flip_thresholds = noiser_module.flip_curves, noiser_module.flip_thresholds

FORMULA = 1e-8  # float64; sums in another order differ by about 1e-15 of the terms, which are below 1
FIVE = "the old day was my"
QUICK = {"vectors": 3, "steps": 8}


# -- searches, on planted thresholds ---------------------------------------------------------------------------------


class Planted(Noised):
    """Place i flips where `rule(i, scale)` says so; the prediction suffers the more, the nearer that is."""

    def __init__(self, rule, reads=0):
        encoding = SimpleNamespace(
            logits=torch.tensor([1.0, 0.0]), distribution=torch.tensor([0.9, 0.1]), probability=0.9, reads=reads
        )
        super().__init__(None, encoding, torch.zeros(1, 1))
        self.rule = rule

    def _computed(self, pairs):
        for place, scale in pairs:
            yield Answer(self.rule(place, scale), 0.5, 0.5)


def below(thresholds):
    return Planted(lambda place, scale: scale > thresholds[place])


def test_bisection_by_hand():
    # 16 cells: 0.3 lies in [4/16, 5/16), 0.7 in [11/16, 12/16), 0.05 in the first cell, and 2 is never reached.
    assert bisected(below([0.3, 0.7, 0.05, 2.0]), range(4), 16) == [4, 11, 0, 15]
    # Four steps each, and none is asked twice.
    planted = below([0.3, 0.7, 0.05, 2.0])
    bisected(planted, range(4), 16)
    assert len(planted.seen) == 4 * 4


@pytest.mark.parametrize("tokens", [1, 2, 7, 40])
@pytest.mark.parametrize("top", [1.3, 1.0, 0.05, 0.0005])
def test_shared_search_finds_the_extremes_of_separate_searches(tokens, top):
    for seed in range(25):
        thresholds = (top * torch.rand(tokens, generator=seeded(seed), dtype=torch.float64)).tolist()
        separate = bisected(below(thresholds), range(tokens), 1024)
        for reads in (0, tokens - 1):
            assert smallest(Planted(below(thresholds).rule, reads), range(tokens), 1024) == min(separate)
            assert largest(Planted(below(thresholds).rule, reads), range(tokens), 1024) == max(separate)


def test_a_flip_that_does_not_last_is_counted():
    # Place 1 flips only between 0.2 and 0.4: seen to flip at 0.3 and to hold at 0.5. Place 0 is monotone.
    planted = Planted(lambda place, scale: scale > 0.6 if place == 0 else 0.2 < scale < 0.4)
    planted.ask([0, 0, 1, 1, 1], [0.5, 0.7, 0.1, 0.3, 0.5])
    assert planted.not_monotone() == 1
    planted = Planted(lambda place, scale: scale > 0.6 if place == 0 else 0.2 < scale < 0.4)
    planted.ask([0, 0, 1, 1], [0.5, 0.7, 0.1, 0.3])
    assert planted.not_monotone() == 0


def test_share_of_curves_that_turn_back_by_hand():
    curves = [[False, False, True], [False, True, False], [True, False, False], [False, False, False]]
    assert noiser_module.not_monotone_share(torch.tensor(curves)) == 0.5


# -- searches, on models ---------------------------------------------------------------------------------------------


def turning_points(curve):
    """Every k for which scale k / cells holds and (k + 1) / cells flips; the curve begins at 1 / cells."""
    held = [True, *(not flip for flip in curve), False]  # no noise holds; beyond the grid, all is taken to flip
    return {k for k in range(len(held) - 1) if held[k] and not held[k + 1]}


def test_bisection_against_a_fine_grid(tiny):
    encoding = tiny.encode(FIVE)
    grid = [k / 64 for k in range(1, 64)]
    curves = flip_curves(tiny, encoding, generator=seeded(), scales=grid, vectors=4)
    found = flip_thresholds(tiny, encoding, generator=seeded(), vectors=4, steps=6)[encoding.attributable]
    for curve, threshold in zip(curves.tolist(), found.tolist(), strict=True):
        assert threshold * 64 in turning_points(curve)  # where flips are monotone there is one alone


def test_shared_search_is_the_extreme_of_separate_ones_on_models():
    monotone = 0
    for family in FAMILIES:
        model = load_model(f"tiny-{family}")
        encoding = model.encode(FIVE)
        for seed in range(3):
            given = {"vectors": 4, "steps": 6}
            grid = [k / 64 for k in range(1, 64)]
            curves = flip_curves(model, encoding, generator=seeded(seed), scales=grid, vectors=4).tolist()
            points = [turning_points(curve) for curve in curves]
            single = all(len(of_token) == 1 for of_token in points)
            monotone += single
            for bound, extreme in (("min", min), ("max", max)):
                found = explain(model, encoding, "noiser", generator=seeded(seed), bound=bound, **given).details
                assert found["scale"] * 64 in set.union(*points)
                if single:
                    assert found["scale"] * 64 == extreme(min(of_token) for of_token in points)
                    assert found["not_monotone"] == 0
    assert monotone >= 2 * len(FAMILIES), "too few prompts are monotone for this to say anything"


# -- scores ----------------------------------------------------------------------------------------------------------


def slow_noise(model, encoding, count, generator):
    """Standard normal numbers, times what the embedding layer multiplies its table by."""
    layer = model.network.get_input_embeddings()
    factor = float(getattr(layer, "embed_scale", 1.0))
    width = encoding.embeds.shape[1]
    return factor * torch.randn(count, width, generator=generator, dtype=torch.float64)


def slow_distribution(model, encoding, i, scale, eps):
    embeds = encoding.embeds.clone()
    embeds[i] += scale * eps
    with torch.no_grad():
        logits = answer_logits(model, inputs_embeds=embeds[None])
    return logits.double().softmax(-1)


def slow_flips(model, encoding, i, scale, noise, unchanged):
    full = encoding.distribution.argmax()
    found = [slow_distribution(model, encoding, i, scale, eps) for eps in noise]
    if unchanged == "every":
        return any(p.argmax() != full for p in found)
    return sum(found).argmax() != full


def slow_threshold(model, encoding, i, noise, steps, unchanged):
    low, high = 0.0, 1.0
    for _ in range(steps):
        middle = (low + high) / 2
        if slow_flips(model, encoding, i, middle, noise, unchanged):
            high = middle
        else:
            low = middle
    return low


def slow_scores(model, encoding, scales, noise):
    scores = torch.zeros(len(encoding), dtype=torch.float64)
    for i, scale in scales.items():
        for eps in noise:
            after = slow_distribution(model, encoding, i, scale, eps)[encoding.target]
            scores[i] += (encoding.distribution[encoding.target] - after) / len(noise)
    return scores


@pytest.mark.parametrize("specials", ["keep", "perturb"])
def test_scores_of_every_bound_are_those_of_plain_loops(exact, specials):
    encoding = exact.encode(FIVE)
    places = [i for i in range(len(encoding)) if specials == "perturb" or encoding.attributable[i]]
    generator = seeded(1)
    noise = slow_noise(exact, encoding, 3, generator)
    uniform = float(torch.rand((), generator=generator, dtype=torch.float64))
    own = {i: slow_threshold(exact, encoding, i, noise, 8, "mean") for i in places}
    width = encoding.embeds.shape[1]
    common = {
        "min": min(own.values()), "max": max(own.values()), "none": 1.0, "norm_2": 1 / sqrt(width),
        "norm_inf": 1 / sqrt(2 * log(width)), "random": uniform,
    }  # fmt: skip
    cases = {"per_token": own, **{bound: dict.fromkeys(places, scale) for bound, scale in common.items()}}
    assert set(cases) == set(noiser_module.BOUNDS)
    for bound, scales in cases.items():
        options = {"bound": bound, "specials": specials, **QUICK}
        found = explain(exact, encoding, "noiser", generator=seeded(1), **options)
        slow = slow_scores(exact, encoding, scales, noise)
        torch.testing.assert_close(found.scores, slow, atol=FORMULA, rtol=0, msg=lambda m, b=bound: f"{b}: {m}")
        if bound != "per_token":
            assert found.details["scale"] == pytest.approx(common[bound], rel=1e-12)
        flips = sum(bool(slow_flips(exact, encoding, i, scales[i], noise, "mean")) for i in places)
        assert found.details["flipped"] == flips


# -- the released code, from its description ---------------------------------------------------------------------------


def last_midpoint(model, encoding, i, noise, steps):
    """The last of `steps` midpoints of [0, 1], whether the prediction held there or flipped."""
    low, high, middle = 0.0, 1.0, 0.0
    for _ in range(steps):
        middle = (low + high) / 2
        if slow_flips(model, encoding, i, middle, noise, "mean"):
            high = middle
        else:
            low = middle
    return middle


def released_scores(model, encoding, steps):
    """One set of vectors whatever the prompt, every token noised, the smallest last midpoint, divided by the sum."""
    noise = slow_noise(model, encoding, 10, seeded(1))
    everywhere = range(len(encoding))
    scale = min(last_midpoint(model, encoding, i, noise, steps) for i in everywhere)
    found = slow_scores(model, encoding, dict.fromkeys(everywhere, scale), noise)
    return scale, found, found / found.sum()


def released_metrics(model, encoding, divided, uniform):
    """Soft-NC and Soft-NS of divided scores: the squared distance, elements kept where u < q, all of them maskable."""
    whole = encoding.distribution.double()

    def away(keep):
        logits = answer_logits(model, inputs_embeds=(encoding.embeds * keep)[None])
        found = logits.double().softmax(-1)
        return sum((p**0.5 - q**0.5) ** 2 for p, q in zip(whole.tolist(), found.tolist(), strict=True)) / sqrt(2)

    with torch.no_grad():
        reference = away(torch.zeros_like(encoding.embeds))
        nc = [away(draw < 1 - divided[:, None]) / reference for draw in uniform]
        ns = [max(0.0, 1 - away(draw < divided[:, None]) / reference) for draw in uniform]
    return nc, ns


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma3"])
def test_the_released_code_against_loops_over_its_description(family):
    model = load_model(f"tiny-{family}", dtype="float64")
    protocol, encoding = find_protocol("noiser-code"), model.encode(FIVE)
    scale, plain, divided = released_scores(model, encoding, 10)
    for seed in (1, 2):  # its vectors know no seed
        found = explain(model, encoding, "noiser", generator=seeded(seed), **protocol.method_options("noiser"))
        assert found.details["scale"] == scale > 0
        torch.testing.assert_close(found.scores, plain, atol=FORMULA, rtol=0)
    options = protocol.metric_options("soft_nc")
    shape = (options["draws"], *encoding.embeds.shape)
    uniform = torch.rand(shape, generator=seeded(3), dtype=torch.float64)
    slow = released_metrics(model, encoding, divided, uniform)
    for name, expected in zip(("soft_nc", "soft_ns"), slow, strict=True):
        told = MEASURES[name](model, encoding, found.scores, generator=seeded(3), **options)
        assert told.status == "ok"
        assert told.values.tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("divisor", noiser_module.DIVISORS)
def test_noise_is_divided_by_a_bound_of_its_norm(divisor):
    model = load_model("tiny-llama", dtype="float64")
    encoding = model.encode(FIVE)
    d = encoding.embeds.shape[1]
    by = {"none": 1.0, "norm_1": (2 / 3.141592653589793) ** 0.5 * d, "norm_2": d**0.5,
          "norm_3": (4 * d / 3.141592653589793**0.5) ** (1 / 3), "norm_4": (3 * d) ** 0.25,
          "norm_inf": (2 * log(d)) ** 0.5}[divisor]  # fmt: skip
    found = explain(model, encoding, "noiser", generator=seeded(1), divisor=divisor, bound="none", vectors=2)
    noise = slow_noise(model, encoding, 2, seeded(1)) / by
    places = encoding.attributable.nonzero()[:, 0].tolist()
    torch.testing.assert_close(found.scores, slow_scores(model, encoding, dict.fromkeys(places, 1.0), noise))


def test_the_last_midpoint_by_hand():
    # 16 cells. 0.3: midpoints 8, 4, 6, 5 of 16; 4 held, 5 flipped last. 0.7: 8, 12, 10, 11; 11 held last.
    scales = {bound: noiser_module.scales_for(bound, below([0.3, 0.7]), [0, 1], 16, seeded(), last=True)
              for bound in noiser_module.SEARCHED}  # fmt: skip
    assert scales == {"min": [5 / 16] * 2, "max": [11 / 16] * 2, "per_token": [5 / 16, 11 / 16]}
    nothing = noiser_module.scales_for("min", below([0.01, 0.7]), [0, 1], 16, seeded(), last=True)
    assert nothing == [1 / 16] * 2, "never 0"


def test_division_by_the_sum_by_hand():
    assert keep_probabilities(torch.tensor([3.0, -1.0, 0.0]), "sum").tolist() == [1.5, -0.5, 0.0]
    assert keep_probabilities(torch.tensor([1.0, -3.0]), "sum").tolist() == [-0.5, 1.5], "a negative sum turns signs"
    assert keep_probabilities(torch.tensor([1.0, -1.0]), "sum") is None


@pytest.mark.parametrize("unchanged", ["mean", "every"])
@pytest.mark.parametrize(("search_vectors", "reuse"), [(None, True), (None, False), (1, True), (5, False)])
def test_search_and_final_run_may_have_other_vectors(unchanged, search_vectors, reuse):
    model = load_model("tiny-llama", dtype="float64")
    encoding = model.encode(FIVE, target=" the")  # not the prediction, which the search is about
    generator = seeded(2)
    count = search_vectors or 3
    noise = slow_noise(model, encoding, max(3, count), generator)
    final = (noise if reuse else slow_noise(model, encoding, 3, generator))[:3]
    places = encoding.attributable.nonzero()[:, 0].tolist()
    scale = min(slow_threshold(model, encoding, i, noise[:count], 8, unchanged) for i in places)
    options = {"unchanged": unchanged, "search_vectors": search_vectors, "reuse": reuse, **QUICK}
    found = explain(model, encoding, "noiser", generator=seeded(2), **options)
    assert found.details["scale"] == scale > 0
    slow = slow_scores(model, encoding, dict.fromkeys(places, scale), final)
    torch.testing.assert_close(found.scores, slow, atol=FORMULA, rtol=0)
    assert found.cost.forwards == METHODS["noiser"].expected(encoding, found.options, found.details)[0]
    assert ("not_monotone" in found.details) == (reuse and count == 3)


def test_every_vector_is_stricter_than_their_mean(causal):
    encoding = causal.encode(FIVE)
    mean, every = (flip_thresholds(causal, encoding, generator=seeded(), unchanged=u) for u in ("mean", "every"))
    assert float(every.min()) <= float(mean.min())


@pytest.mark.parametrize("bound", noiser_module.SEARCHED)
def test_one_token_that_decides_has_all_the_mass(bound):
    model = load_model("tiny-llama")
    for layer in model.network.model.layers:  # nothing passes from token to token: only the last one decides
        layer.self_attn.o_proj.weight.data.zero_()
    encoding = model.encode(PROMPT)
    found = explain(model, encoding, "noiser", generator=seeded(), bound=bound)
    assert float(found.scores[:-1].abs().max()) < 1e-6  # float32 probabilities, computed in other batches
    assert float(found.scores[-1]) > 1e-3
    thresholds = flip_thresholds(model, encoding, generator=seeded())
    assert bool((thresholds[encoding.attributable][:-1] == 1 - 2**-10).all())
    assert float(thresholds[-1]) < 1 - 2**-10


def test_scores_do_not_depend_on_batches_and_do_on_the_seed(tiny, monkeypatch):
    encoding = tiny.encode(FIVE)
    one, again, other = (explain(tiny, encoding, "noiser", generator=seeded(s), vectors=3) for s in (4, 4, 5))
    assert torch.equal(one.scores, again.scores)
    assert not torch.equal(one.scores, other.scores)
    monkeypatch.setattr(searching, "HELD", 1)  # one token at a time
    for budget in (1, 10**6):
        tiny.engine.token_budget = budget
        found = explain(tiny, encoding, "noiser", generator=seeded(4), vectors=3)
        torch.testing.assert_close(found.scores, one.scores, atol=1e-5, rtol=0)  # float32
        assert found.details == one.details


def test_noise_is_in_units_of_the_embedding_table(causal):
    encoding = causal.encode(FIVE)
    width = encoding.embeds.shape[1]
    factor = sqrt(width) if causal.family.startswith("gemma") else 1.0
    expected = factor * torch.randn(2, width, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(noise_vectors(causal, encoding, 2, seeded()), expected, atol=0, rtol=1e-6)


def test_steps_to_other_tokens_are_as_long_as_noise_and_lead_there(causal):
    encoding = causal.encode(FIVE)
    width = encoding.embeds.shape[1]
    factor = sqrt(width) if causal.family.startswith("gemma") else 1.0
    drawn = torch.randint(causal.network.get_input_embeddings().weight.shape[0], (3, len(encoding)), generator=seeded())
    for towards, goals in {"mask": torch.tensor([[mask_id(causal)] * len(encoding)] * 3), "tokens": drawn}.items():
        found = moves(causal, encoding, towards, 3, seeded())  # (n, T, D)
        for n, row in enumerate(goals.tolist()):
            for place, goal in enumerate(row):
                way = (causal.embed(torch.tensor([goal]))[0] - encoding.embeds[place]).double()
                if float(way.norm()) == 0:
                    assert float(found[n, place].norm()) == 0
                    continue
                expected = way / way.norm() * factor * sqrt(width)
                torch.testing.assert_close(found[n, place], expected, atol=1e-5, rtol=1e-5)  # float32 embeddings


def test_scores_towards_other_tokens_match_a_loop(tiny):
    encoding = tiny.encode(FIVE)
    for towards, vectors in (("mask", 1), ("tokens", 2)):
        options = {"towards": towards, "vectors": vectors, "bound": "none"}
        found = explain(tiny, encoding, "noiser", generator=seeded(5), **options)
        steps = moves(tiny, encoding, towards, vectors, seeded(5))
        for place in range(len(encoding)):
            if not bool(encoding.movable("keep")[place]):
                continue
            after = []
            for step in steps:
                embeds = encoding.embeds.clone()
                embeds[place] = (embeds[place].double() + step[place]).to(embeds.dtype)
                after.append(float(tiny.outputs(encoding, Embed(embeds[None]))[0]))
            assert abs(float(found.scores[place]) - (encoding.probability - sum(after) / len(after))) < 1e-5


def test_steps_to_other_tokens_have_norm_1_by_that_bound(causal):
    encoding = causal.encode(FIVE)
    found = explain(causal, encoding, "noiser", generator=seeded(), towards="mask", vectors=1, bound="norm_2")
    (step,) = moves(causal, encoding, "mask", 1, seeded())
    lengths = found.details["scale"] * step.norm(dim=-1)
    factor = sqrt(encoding.embeds.shape[1]) if causal.family.startswith("gemma") else 1.0
    torch.testing.assert_close(lengths[lengths > 0], torch.full_like(lengths[lengths > 0], factor), rtol=1e-6, atol=0)


def test_the_default_bound_flips_nothing_and_costs_a_third_of_separate_searches(tiny):
    ids = tiny.encode("In the old city of the king and the queen, I was staying at my home. " * 4).ids[:40]
    encoding = tiny.encode(tiny.tokenizer.decode(ids, skip_special_tokens=True))
    assert 35 <= len(encoding) <= 45
    found = explain(tiny, encoding, "noiser", generator=seeded())
    moved = int(encoding.movable("keep").sum())
    assert found.cost.forwards * 3 <= moved * 10 * 10
    assert found.details["flipped"] <= found.details["not_monotone"]


def test_a_prediction_that_bears_no_noise_has_not_converged():
    model = load_model("tiny-gpt2")
    encoding = model.encode(FIVE)
    found = explain(model, encoding, "noiser", generator=seeded(), steps=1)
    assert found.details["scale"] == 0
    assert found.converged is False
    assert bool((found.scores == 0).all())
    assert explain(model, encoding, "noiser", generator=seeded()).converged is True
    assert explain(model, encoding, "noiser", generator=seeded(), bound="none").converged is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bound": "median"}, "Unknown bound 'median'.*min, max"),
        ({"unchanged": "some"}, "Unknown sense 'some'.*mean or every"),
        ({"vectors": 0}, "at least one noise vector, not 0"),
        ({"search_vectors": 0}, "at least one noise vector, not 0"),
        ({"steps": 0}, "1 to 40 steps, not 0"),
        ({"towards": "sun"}, "Unknown goal 'sun'.*noise, mask, tokens"),
        ({"specials": "drop"}, "Unknown treatment 'drop'"),
    ],
)
def test_bad_options_are_refused(options, message):
    model = load_model("tiny-gpt2")
    with pytest.raises(AttribookError, match=message):
        explain(model, model.encode(FIVE), "noiser", generator=seeded(), **options)
