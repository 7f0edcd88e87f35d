"""Soft-NS and Soft-NC against plain loops over the formula, and the identities that the tables rely on."""

import math

import pandas as pd
import pytest
import torch
from conftest import PROMPT, answer_logits, seeded

from attribook.errors import AttribookError
from attribook.metrics.distances import DISTANCES, hellinger, hellinger_released
from attribook.metrics.registry import METRICS
from attribook.metrics.soft import keep_probabilities
from attribook.models.load import load_model
from attribook.statistics.squared_distance import as_released


def slow_hellinger(p, q):
    return math.sqrt(sum((math.sqrt(a) - math.sqrt(b)) ** 2 for a, b in zip(p, q, strict=True)) / 2)


def test_distances_match_the_written_formulas():
    p, q = torch.rand(2, 3, 7, dtype=torch.float64, generator=seeded()).softmax(-1)
    slow = torch.tensor([slow_hellinger(a, b) for a, b in zip(p.tolist(), q.tolist(), strict=True)]).double()
    torch.testing.assert_close(hellinger(p, q), slow, atol=1e-7, rtol=0)
    torch.testing.assert_close(hellinger(p, q), (1 - (p * q).sqrt().sum(-1)).sqrt(), atol=1e-12, rtol=0)
    torch.testing.assert_close(hellinger_released(p, q), math.sqrt(2) * hellinger(p, q) ** 2, atol=1e-12, rtol=0)


def test_distances_by_hand():
    equal, other = torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[0.0, 1.0]]).double()
    assert hellinger(equal, equal).item() == 0
    assert hellinger(equal, other).item() == 1
    assert hellinger_released(equal, other).item() == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("bad", [[[0.5, 0.4]], [[1.5, -0.5]], [[float("nan"), 1.0]], [[1.0]]])
@pytest.mark.parametrize("distance", list(DISTANCES))
def test_distances_refuse_what_is_no_distribution(bad, distance):
    with pytest.raises(AttribookError):
        DISTANCES[distance](torch.tensor([[0.5, 0.5]]), torch.tensor(bad))


@pytest.mark.parametrize("specials", ["keep", "mask"])
@pytest.mark.parametrize("distance", list(DISTANCES))
@pytest.mark.parametrize("metric", ["soft_ns", "soft_nc"])
def test_soft_metrics_by_plain_loops(exact, metric, distance, specials):
    encoding = exact.encode(PROMPT)
    scores = torch.rand(len(encoding), dtype=torch.float64, generator=seeded(3)) - 0.2
    frozen = [not a and specials == "keep" for a in encoding.attributable.tolist()]
    mass = [0.0 if f else max(s, 0.0) for s, f in zip(scores.tolist(), frozen, strict=True)]
    a = [m / sum(mass) for m in mass]
    uniform = torch.rand(2, *encoding.embeds.shape, dtype=torch.float64, generator=seeded(7)).tolist()

    def predict(rows):
        with torch.no_grad():
            return answer_logits(exact, inputs_embeds=torch.tensor([rows]).double()).softmax(-1)

    embeds = encoding.embeds.tolist()
    zero = [row if f else [0.0] * len(row) for row, f in zip(embeds, frozen, strict=True)]
    p, p0 = predict(embeds)[None], predict(zero)[None]
    delta = DISTANCES[distance]
    slow = []
    for draw in uniform:
        edited = []
        for i, row in enumerate(embeds):
            keep = 1.0 if frozen[i] else a[i] if metric == "soft_ns" else 1 - a[i]
            edited.append([x if draw[i][d] < keep else 0.0 for d, x in enumerate(row)])
        ratio = float(delta(p, predict(edited)[None]) / delta(p, p0))
        slow.append(max(0.0, 1 - ratio) if metric == "soft_ns" else ratio)
    options = {"distance": distance, "scores_as": "clip_sum", "draws": 2, "specials": specials}
    ours = METRICS[metric](exact, encoding, scores, generator=seeded(7), **options)
    torch.testing.assert_close(ours.values, torch.tensor(slow).double(), atol=1e-6, rtol=0)


def test_released_distance_follows_from_the_true_one(tiny):
    encoding = tiny.encode(PROMPT)
    scores = torch.rand(len(encoding), generator=seeded(1)).double().pow(4)
    rows = {}
    for distance in DISTANCES:
        rows[distance] = pd.DataFrame(
            [
                {"metric": name, "value": value}
                for name in ("soft_nc", "soft_ns")
                for value in METRICS[name](
                    tiny, encoding, scores, generator=seeded(), distance=distance
                ).values.tolist()
            ]
        )
    derived = as_released(rows["hellinger"])["value"]
    assert derived.tolist() == pytest.approx(rows["hellinger_released"]["value"].tolist(), abs=1e-9)
    assert rows["hellinger"]["value"].tolist() != pytest.approx(derived.tolist(), abs=1e-3)


def test_extremes(tiny):
    encoding = tiny.encode(PROMPT)
    # All mass on one token, `as_is` with 1 everywhere removes or keeps everything.
    ones = torch.ones(len(encoding)).double()
    options = {"scores_as": "as_is", "specials": "mask", "draws": 3}
    everything = METRICS["soft_nc"](tiny, encoding, ones, generator=seeded(), **options)
    assert everything.values.tolist() == pytest.approx([1.0] * 3, abs=1e-5)
    kept = METRICS["soft_ns"](tiny, encoding, ones, generator=seeded(), **options)
    assert kept.values.tolist() == pytest.approx([1.0] * 3, abs=1e-5)
    nothing = METRICS["soft_nc"](tiny, encoding, 0 * ones, generator=seeded(), **options)
    assert nothing.values.tolist() == pytest.approx([0.0] * 3, abs=1e-4)


def test_scores_as():
    scores = torch.tensor([-1.0, 1.0, 3.0]).double()
    assert keep_probabilities(scores, "clip_sum").tolist() == [0, 0.25, 0.75]
    assert keep_probabilities(scores, "abs_sum").tolist() == [0.2, 0.2, 0.6]
    assert keep_probabilities(scores, "as_is").tolist() == scores.tolist()
    torch.testing.assert_close(keep_probabilities(scores, "softmax"), scores.softmax(0))
    assert keep_probabilities(-scores.abs(), "clip_sum") is None
    with pytest.raises(AttribookError, match="scores_as"):
        keep_probabilities(scores, "rank")


def test_no_positive_score_is_a_status_and_has_no_value():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    result = METRICS["soft_nc"](model, encoding, -torch.ones(len(encoding)), generator=seeded())
    assert result.status == "no positive score"
    with pytest.raises(AttribookError, match="no positive score"):
        _ = result.value


def test_nan_scores_are_refused():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    scores = torch.ones(len(encoding))
    scores[1] = float("nan")
    for metric in METRICS.values():
        with pytest.raises(AttribookError, match="refuses NaN"):
            metric(model, encoding, scores, generator=seeded())


def test_wrong_length_and_unknown_options_are_refused():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    with pytest.raises(AttribookError, match="scores for"):
        METRICS["soft_nc"](model, encoding, torch.ones(2), generator=seeded())
    with pytest.raises(AttribookError, match="no option"):
        METRICS["soft_nc"](model, encoding, torch.ones(len(encoding)), generator=seeded(), draw=1)
    for options in ({"distance": "l1"}, {"specials": "drop"}):
        with pytest.raises(AttribookError, match="Unknown"):
            METRICS["soft_nc"](model, encoding, torch.ones(len(encoding)), generator=seeded(), **options)


def test_soft_metrics_do_not_depend_on_the_batch_size(family):
    values = []
    for budget in (1, 10**6):
        model = load_model(f"tiny-{family}", token_budget=budget)
        encoding = model.encode(PROMPT)
        values.append(METRICS["soft_nc"](model, encoding, torch.ones(len(encoding)), generator=seeded()).values)
    torch.testing.assert_close(*values, atol=1e-5, rtol=0)


def test_each_draw_is_one_forward_and_the_reference_is_computed_once():
    model = load_model("tiny-gpt2")
    encoding = model.encode(PROMPT)
    spent = []
    for _ in range(2):
        before = model.engine.counter.forwards
        result = METRICS["soft_nc"](model, encoding, torch.ones(len(encoding)), generator=seeded(), draws=5)
        spent.append(model.engine.counter.forwards - before)
        assert result.forwards == 5
    assert spent == [6, 5]
