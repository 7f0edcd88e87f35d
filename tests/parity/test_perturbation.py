"""LIME and kernel SHAP, written again slowly from their formulas, with the same draws, in float64."""

from itertools import combinations, permutations
from math import comb, exp, sqrt

import numpy as np
import pytest
import torch
from conftest import PROMPT, answer_logits, nothing_id, seeded, target_probability

from attribook.attribution.kernel_shap import coalitions
from attribook.attribution.lime import fitted, keep_vectors, proximity
from attribook.attribution.registry import METHODS, explain
from attribook.errors import AttribookError
from attribook.models.load import load_model

FORMULA = 1e-8  # float64, as in test_methods
WEIGHTED = 1e-8
FIVE = "the old day was my"
OPERATORS = ["delete", "mask", "zero"]


def value(model, encoding, kept, operator):
    """Probability of the target when only the positions in `kept` stand: one forward, no engine."""
    ids, embeds = encoding.ids.tolist(), encoding.embeds.clone()
    if operator == "delete":
        given = {"input_ids": torch.tensor([[ids[i] for i in sorted(kept)]])}
    elif operator == "mask":
        nothing = nothing_id(model)
        given = {"input_ids": torch.tensor([[ids[i] if i in kept else nothing for i in range(len(ids))]])}
    else:
        embeds[[i for i in range(len(ids)) if i not in kept]] = 0
        given = {"inputs_embeds": embeds[None]}
    with torch.no_grad():
        return float(answer_logits(model, **given).softmax(-1)[encoding.target])


def free_and_fixed(encoding):
    flags = encoding.attributable.tolist()
    return [i for i, here in enumerate(flags) if here], {i for i, here in enumerate(flags) if not here}


def at_positions(weights, free, encoding):
    scores = torch.zeros(len(encoding), dtype=torch.float64)
    for weight, place in zip(weights, free, strict=True):
        scores[place] = float(weight)
    return scores


# -- lime ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("draw", ["size", "bernoulli"])
def test_lime_is_the_weighted_ridge_of_the_drawn_prompts(exact, operator, draw):
    encoding = exact.encode(PROMPT)
    free, fixed = free_and_fixed(encoding)
    n, width, alpha = len(free), 25.0, 0.3
    rows = keep_vectors(n, 40, draw, "redraw", seeded(3)).tolist()
    assert all(rows[0])
    values, weights = [], []
    for row in rows:
        values.append(value(exact, encoding, fixed | {p for p, here in zip(free, row, strict=True) if here}, operator))
        distance = 100 * (1 - sum(row) / (sqrt(sum(row)) * sqrt(n)))
        weights.append(exp(-(distance**2) / width**2))
    # Closed form: minimise sum_s w_s (y_s - c - b z_s)^2 + alpha |b|^2, intercept free: (X'WX + alpha J) b = X'Wy.
    x = np.array([[1.0, *map(float, row)] for row in rows])
    penalty = alpha * np.eye(n + 1)
    penalty[0, 0] = 0
    w = np.diag(weights)
    solution = np.linalg.solve(x.T @ w @ x + penalty, x.T @ w @ np.array(values))
    options = {"samples": 40, "draw": draw, "operator": operator, "alpha": alpha}
    found = explain(exact, encoding, "lime", generator=seeded(3), **options)
    torch.testing.assert_close(found.scores, at_positions(solution[1:], free, encoding), atol=FORMULA, rtol=0)
    assert found.details["intercept"] == pytest.approx(solution[0], abs=FORMULA)


def test_lasso_solves_its_problem():
    # Optimality: with r the residual, sum_s w_s r_s z_sj / sum_s w_s is alpha * sign(b_j) where b_j is not 0, and
    # at most alpha in magnitude elsewhere; the weighted residuals sum to 0 because the intercept is free.
    keep = keep_vectors(6, 80, "size", "redraw", seeded())
    weights = proximity(keep, "cosine", 25.0)
    values = keep.double() @ torch.tensor([0.5, -0.4, 0.02, 0, 0, 0.3], dtype=torch.float64) + 0.1
    values += 0.01 * torch.randn(80, generator=seeded(1), dtype=torch.float64)
    alpha = 0.01
    b, details = fitted(keep, values, weights, "lasso", alpha)
    residual = weights * (values - keep.double() @ b - details["intercept"])
    slopes = residual @ keep.double() / weights.sum()
    assert float(residual.sum()) == pytest.approx(0, abs=1e-9)
    assert 0 < int((b == 0).sum()) < 6
    for slope, weight in zip(slopes.tolist(), b.tolist(), strict=True):
        assert abs(slope) <= alpha + 1e-6
        if weight:
            assert slope == pytest.approx(alpha * np.sign(weight), abs=1e-6)


def test_lime_finds_an_additive_models_weights():
    keep = keep_vectors(8, 200, "size", "redraw", seeded())
    truth = torch.linspace(-1, 1, 8, dtype=torch.float64)
    found, details = fitted(keep, keep.double() @ truth - 3, proximity(keep, "cosine", 25.0), "ridge", 1e-9)
    torch.testing.assert_close(found, truth, atol=1e-6, rtol=0)
    assert details["intercept"] == pytest.approx(-3, abs=1e-6)
    assert details["r2"] == pytest.approx(1, abs=1e-9)


def test_keep_vectors_keep_something_and_sizes_are_uniform():
    keep = keep_vectors(5, 4001, "size", "redraw", seeded())[1:]
    sizes = keep.sum(1).bincount(minlength=6).tolist()
    assert sizes[0] == sizes[5] == 0  # one to four of five are removed
    # 4,000 draws over four sizes: 1,000 each, standard deviation 27; five of them
    assert all(abs(count - 1000) < 140 for count in sizes[1:5])
    assert all(abs(share - 0.5) < 0.05 for share in keep.double().mean(0).tolist())
    all_drawn = keep_vectors(5, 4001, "size", "keep", seeded())[1:]
    assert all(abs(count - 800) < 130 for count in all_drawn.sum(1).bincount(minlength=5).tolist()[:5])
    coins = keep_vectors(3, 4001, "bernoulli", "redraw", seeded())[1:]
    assert coins.sum(1).bincount(minlength=4)[0] == 0
    assert abs(int((coins.sum(1) == 3).sum()) - 4000 / 7) < 120  # each of the seven subsets that keep something


def test_kernels_of_lime_by_hand():
    keep = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]).bool()
    # cosine of one of four with four: 1 / (1 * 2) = 0.5, so d = 50; of nothing: 0, so d = 100
    paper = [1.0, exp(-(50**2) / 25**2), exp(-(100**2) / 25**2)]
    assert proximity(keep, "cosine", 25.0).tolist() == pytest.approx(paper, rel=1e-12)
    assert proximity(keep, "cosine_root", 25.0).tolist() == pytest.approx([sqrt(w) for w in paper], rel=1e-12)
    assert proximity(keep, "flat", 25.0).tolist() == [1.0, 1.0, 1.0]


def test_lime_against_captum_on_the_same_samples(tiny):
    captum = pytest.importorskip("captum.attr", reason="captum is in the extra `dev`")
    from captum._utils.models.linear_model import SkLearnRidge

    encoding = tiny.encode(FIVE)
    n, samples = len(encoding), 60
    rows = keep_vectors(n, samples, "size", "redraw", seeded(2))
    weights = {tuple(row): w for row, w in zip(rows.tolist(), proximity(rows, "cosine", 25.0).tolist(), strict=True)}
    queue = iter(rows.float())

    explainer = captum.LimeBase(
        target_probability(tiny, encoding),
        SkLearnRidge(alpha=0.5),
        similarity_func=lambda a, b, z, **_: weights[tuple(z[0].bool().tolist())],
        perturb_func=lambda *_, **__: next(queue)[None],
        perturb_interpretable_space=True,
        from_interp_rep_transform=lambda z, full, **_: full * z[0][None, :, None],
        to_interp_rep_transform=None,
    )
    theirs = explainer.attribute(encoding.embeds[None], n_samples=samples)[0].double()
    options = {"samples": samples, "operator": "zero", "specials": "perturb", "alpha": 0.5}
    ours = explain(tiny, encoding, "lime", generator=seeded(2), **options).scores
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)  # float32 on both sides


# -- kernel shap -----------------------------------------------------------------------------------------------------


def operators_with_an_empty_prompt(encoding):
    return OPERATORS if free_and_fixed(encoding)[1] else ["mask", "zero"]


def test_kernel_shap_enumerated_is_the_shapley_value(exact):
    encoding = exact.encode(FIVE)
    free, fixed = free_and_fixed(encoding)
    assert len(free) == 5
    for operator in operators_with_an_empty_prompt(encoding):
        game = {
            frozenset(kept): value(exact, encoding, fixed | set(kept), operator)
            for k in range(len(free) + 1)
            for kept in combinations(free, k)
            if k or fixed or operator != "delete"
        }
        shapley = dict.fromkeys(free, 0.0)
        orders = list(permutations(free))
        for order in orders:
            for place, token in enumerate(order):
                before = frozenset(order[:place])
                shapley[token] += (game[before | {token}] - game[before]) / len(orders)
        found = explain(exact, encoding, "kernel_shap", generator=seeded(), operator=operator)
        expected = at_positions([shapley[token] for token in free], free, encoding)
        torch.testing.assert_close(found.scores, expected, atol=WEIGHTED, rtol=0)
        assert found.details["coalitions"] == 2 ** len(free) - 2
        other = explain(exact, encoding, "kernel_shap", generator=seeded(9), operator=operator)
        assert torch.equal(found.scores, other.scores)


@pytest.mark.parametrize("operator", OPERATORS)
def test_kernel_shap_sampled_solves_the_constrained_least_squares(exact, operator):
    encoding = exact.encode(PROMPT)
    free, fixed = free_and_fixed(encoding)
    if operator not in operators_with_an_empty_prompt(encoding):
        with pytest.raises(AttribookError, match="empty prompt"):
            explain(exact, encoding, "kernel_shap", generator=seeded(), operator=operator)
        return
    n, samples = len(free), 200
    keep, counts = coalitions(n, samples, seeded(5))
    empty, full = value(exact, encoding, fixed, operator), value(exact, encoding, set(range(len(encoding))), operator)
    gains = []
    for row in keep.tolist():
        kept = fixed | {p for p, here in zip(free, row, strict=True) if here}
        gains.append(value(exact, encoding, kept, operator) - empty)
    # Lagrange: 2 Z'W(Z b - y) + m 1 = 0 and 1'b = f(x) - f({}), as one system of n + 1 equations.
    z, w = keep.double().numpy(), np.diag(counts.numpy())
    system = np.block([[2 * z.T @ w @ z, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    solution = np.linalg.solve(system, np.array([*(2 * z.T @ w @ np.array(gains)), full - empty]))[:n]
    found = explain(exact, encoding, "kernel_shap", generator=seeded(5), samples=samples, operator=operator)
    torch.testing.assert_close(found.scores, at_positions(solution, free, encoding), atol=WEIGHTED, rtol=0)
    assert float(found.scores.sum()) == pytest.approx(full - empty, abs=1e-10)  # local accuracy
    assert found.details["empty"] == pytest.approx(empty, abs=FORMULA)
    assert found.details["rank_missing"] == 0


def test_coalitions_are_different_and_come_with_their_complements():
    keep, counts = coalitions(12, 300, seeded())
    rows = [tuple(row) for row in keep.tolist()]
    assert len(set(rows)) == len(rows) == 300
    assert all(0 < sum(row) < 12 for row in rows)
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert all(a != b for a, b in zip(first, second, strict=True))
    assert counts[::2].tolist() == counts[1::2].tolist()


def test_drawn_coalitions_follow_the_shapley_kernel():
    # Of 13 tokens so many that each size's share of all draws is near the kernel's total weight for it.
    keep, counts = coalitions(13, 4000, seeded(1))
    sizes = keep.sum(1)
    total = sum(1 / (k * (13 - k)) for k in range(1, 13))
    shares = [float(counts[sizes == k].sum() / counts.sum()) for k in range(1, 13)]
    assert shares == pytest.approx([1 / (k * (13 - k)) / total for k in range(1, 13)], abs=0.012)


def test_the_enumerated_kernel_by_hand():
    keep, weights = coalitions(4, 14, seeded())
    assert len(keep) == 14
    for row, weight in zip(keep.tolist(), weights.tolist(), strict=True):
        k = sum(row)
        assert weight == pytest.approx(3 / (comb(4, k) * k * (4 - k)), rel=1e-12)


def test_kernel_shap_sampled_comes_near_the_exact_values(exact):
    encoding = exact.encode("the old king was young and the queen was at home")
    limit = explain(exact, encoding, "kernel_shap", generator=seeded(), samples=2**14).scores
    scale = float(limit.abs().max())
    errors = []
    for samples in (100, 800):
        found = [explain(exact, encoding, "kernel_shap", generator=seeded(s), samples=samples).scores for s in range(3)]
        errors.append(float((torch.stack(found) - limit).abs().mean()) / scale)
    assert errors[1] < errors[0] / 1.5  # eight times the coalitions: sqrt(8) = 2.8 were draws independent
    assert errors[1] < 0.1


def test_kernel_shap_against_captum(tiny):
    captum = pytest.importorskip("captum.attr", reason="captum is in the extra `dev`")
    encoding = tiny.encode(FIVE)
    embeds = encoding.embeds[None]
    mask = torch.arange(len(encoding))[None, :, None].expand_as(embeds)

    explainer, runs = captum.KernelShap(target_probability(tiny, encoding)), []
    for seed in range(6):
        torch.manual_seed(seed)
        with torch.no_grad():
            theirs = explainer.attribute(embeds, feature_mask=mask, n_samples=1000, perturbations_per_eval=500)
        runs.append(theirs[0, :, 0].double())
    ours = explain(tiny, encoding, "kernel_shap", generator=seeded(), operator="zero", specials="perturb").scores
    # Captum draws coalitions where we enumerate them, so its mean over seeds must lie near, by its own scatter.
    found = torch.stack(runs)
    assert bool(((found.mean(0) - ours).abs() < 5 * found.std(0) / len(runs) ** 0.5).all())
    assert float((found.mean(0) - ours).abs().max()) < 0.15 * float(ours.abs().max())


# -- both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_special_tokens_stay_unless_told_otherwise(tiny, name):
    encoding = tiny.encode(PROMPT)
    special = ~encoding.attributable
    kept = explain(tiny, encoding, name, generator=seeded(), samples=200).scores
    assert bool((kept[special] == 0).all())
    assert bool((kept[~special] != 0).all())
    both = explain(tiny, encoding, name, generator=seeded(), samples=200, specials="perturb").scores
    assert bool((both != 0).all())
    assert torch.equal(both, kept) is not bool(special.any())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lime", {"samples": 30}),
        ("kernel_shap", {"samples": 60}),
        ("kernel_shap", {"samples": 60, "specials": "perturb"}),
        ("kernel_shap", {}),
    ],
)
def test_costs_of_short_prompts_too(tiny, name, options):
    encoding = tiny.encode(FIVE)
    found = explain(tiny, encoding, name, generator=seeded(), **options)
    assert (found.cost.forwards, 0) == METHODS[name].expected(encoding, found.options, found.details)


def test_embedding_edits_are_made_in_parts(monkeypatch):
    model = load_model("tiny-gpt2", dtype="float64")
    encoding = model.encode(FIVE)
    whole = explain(model, encoding, "lime", generator=seeded(), operator="zero", samples=20).scores
    monkeypatch.setattr("attribook.attribution.subsets.HELD", 3 * encoding.embeds.numel())
    parts = explain(model, encoding, "lime", generator=seeded(), operator="zero", samples=20).scores
    torch.testing.assert_close(parts, whole, atol=FORMULA, rtol=0)


def test_one_token(family):
    model = load_model(f"tiny-{family}", dtype="float64")
    encoding = model.encode("the")
    (place,), fixed = free_and_fixed(encoding)
    found = explain(model, encoding, "kernel_shap", generator=seeded())
    change = encoding.probability - value(model, encoding, fixed, "mask")
    assert float(found.scores[place]) == pytest.approx(change, abs=FORMULA)
    with pytest.raises(AttribookError, match="no subset but itself"):
        explain(model, encoding, "lime", generator=seeded())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lime", {"operator": "swap"}, "Choose delete"),
        ("lime", {"draw": "half"}, "Choose size"),
        ("lime", {"empty": "drop"}, "Choose redraw"),
        ("lime", {"kernel": "gauss"}, "Choose cosine"),
        ("lime", {"kernel_width": 0.0}, "above 0"),
        ("lime", {"surrogate": "tree"}, "Choose ridge"),
        ("lime", {"surrogate": "lasso", "alpha": 0.0}, "above 0 for lasso"),
        ("lime", {"specials": "mask"}, "Choose keep or perturb"),
        ("lime", {"samples": 1}, "at least two samples"),
        ("lime", {"empty": "keep"}, "leaves nothing to predict from"),
        ("kernel_shap", {"operator": "swap"}, "Choose delete"),
        ("kernel_shap", {"operator": "delete"}, "empty prompt"),
        ("kernel_shap", {"samples": 31}, "must be even"),
        ("kernel_shap", {"samples": 20}, "cannot tell 44 tokens apart"),
    ],
)
def test_bad_options_say_what_is_right(name, options, message):
    model = load_model("tiny-gpt2")  # without a BOS token
    with pytest.raises(AttribookError, match=message):
        explain(model, model.encode(PROMPT), name, generator=seeded(), **options)
