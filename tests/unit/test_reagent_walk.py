"""The walk through ReAGent: what it shows adds up to the method's own scores."""

import math
from dataclasses import replace

import pytest
import torch

from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.load import load_model
from attribook.papers.reagent.live import (
    Runs,
    passes,
    rank_correlations,
    run_agreement,
    runs_from_seeds,
    runs_table,
    sharpness_curve,
    steps_table,
    stop_table,
    stop_texts,
    walk_generator,
    walk_reagent,
)

PROMPT = "In the capital of Japan, I was staying at my old home"
OPTIONS = {"max_steps": 12, "top_k": 3, "keep_tokens": 4}


# Of several steps each; the third is not stopped. Without and with a BOS token.
@pytest.fixture(params=[("tiny-gpt2", 1), ("tiny-llama", 2), ("tiny-llama", 0), ("tiny-gemma3", 1)], ids=str)
def walk(request):
    model, seed = request.param
    found = walk_reagent(model, PROMPT, seed=seed, **OPTIONS)
    assert len(found) > 4
    return found


@pytest.fixture
def seed(request):
    return request.node.callspec.params["walk"][1]


def test_a_walk_is_the_methods_own_run(walk, seed):
    model = load_model(walk.model.name)
    found = explain(model, model.encode(PROMPT), "reagent", generator=walk_generator(seed), runs=1, **OPTIONS)
    torch.testing.assert_close(walk.scores[-1], found.scores, atol=1e-12, rtol=0)
    assert len(walk) == found.details["steps_total"]
    assert int(walk.stopped.sum()) == found.details["runs_stopped"]


def test_what_was_replaced_and_lost_gives_the_scores(walk):
    # Equations 6 to 9 on the recorded prompts, one token after the other.
    encoding, before = walk.encoding, walk.encoding.probability
    logits = walk.first.log().tolist()
    for step in range(len(walk)):
        with torch.no_grad():
            answer = walk.model.network(input_ids=walk.tried[step][None]).logits[0, -1].double().softmax(-1)
        drop = before - float(answer[encoding.target])
        assert float(walk.after[step]) == pytest.approx(before - drop, abs=1e-6)  # float32, another batch
        for place, here in enumerate(walk.places.tolist()):
            signed = drop if walk.chosen[step, place] else -drop
            logits[place] += math.log((1 + signed) / (1 - signed)) if here else 0
            if not walk.chosen[step, place]:
                assert int(walk.tried[step, place]) == int(encoding.ids[place])
        expected = torch.tensor(logits, dtype=torch.float64).softmax(0)
        torch.testing.assert_close(walk.scores[step], expected, atol=1e-5, rtol=0)


def test_the_test_keeps_the_best_and_its_answers_decide(walk):
    target, ids = walk.encoding.target, walk.encoding.ids
    for step in range(len(walk)):
        kept = walk.kept[step]
        assert int(kept.sum()) == 4
        assert float(walk.scores[step][kept].min()) >= float(walk.scores[step][walk.places & ~kept].max())
        assert torch.equal(walk.tested[step][kept | ~walk.places], ids[kept | ~walk.places])
        assert (int(walk.rank[step]) <= 3) == bool(walk.stopped[step]) == (target in walk.best[step].tolist())
    assert not bool(walk.stopped[:-1].any())


def test_tables_say_what_the_walk_holds(walk):
    steps = steps_table(walk, 3)
    assert len(steps) == min(3, len(walk))
    for number, row in enumerate(steps.to_dict("records")):
        assert row["drop"] == pytest.approx(walk.encoding.probability - row["after"], abs=1e-6)
        assert row["replaced get"] == pytest.approx(math.log((1 + row["drop"]) / (1 - row["drop"])), abs=1e-12)
        assert row["others get"] == -row["replaced get"]
        assert row["replaced"].count("→") == int(walk.chosen[number].sum())
    shown = walk.until(1, 2, 500)
    assert shown == sorted({1, min(2, len(walk)), len(walk)})
    stops = stop_table(walk, shown)
    assert stops["so"].tolist()[-1] == ("stop" if bool(walk.stopped[-1]) else "go on")
    assert stops["rank of target"].tolist() == [int(walk.rank[step - 1]) for step in shown]
    for step, (tokens, marked) in zip(shown, stop_texts(walk, shown).values(), strict=True):
        assert marked == set(walk.kept[step - 1].nonzero()[:, 0].tolist())
        assert [tokens[place] for place in marked] == [walk.encoding.tokens[place] for place in marked]
    curve = sharpness_curve(walk)
    assert len(curve) == len(walk) + 1
    assert curve["largest score"].iloc[-1] == pytest.approx(float(walk.scores[-1].max()))


def test_tests_drawn_anew_pass_as_often_as_counted_one_by_one(walk):
    prompts = []
    found = passes(replace(walk, replacer=lambda left, u: prompts.append(walk.replacer(left, u)) or prompts[-1]), 40)
    assert found["draws"].tolist() == [40, 40]
    with torch.no_grad():
        best = [walk.model.network(input_ids=ids).logits[:, -1].topk(3).indices for ids in prompts]  # (40, 3) each
    assert found["passed"].tolist() == [sum(walk.encoding.target in row for row in b.tolist()) / 40 for b in best]
    assert bool((found["low"] <= found["passed"]).all() and (found["passed"] <= found["high"]).all())
    everything = replace(walk, kept=walk.places.expand_as(walk.kept))
    assert passes(everything, 5)["passed"].tolist() == [1, 1]  # nothing is replaced
    seen = []
    silent = replace(walk, replacer=lambda left, _: seen.append(left) or walk.encoding.ids.expand(left.shape))
    passes(silent, 40)
    own, random = seen
    assert torch.equal(own, (walk.places & ~walk.kept[-1]).expand(40, -1))
    assert set(random.sum(1).tolist()) == {int(own[0].sum())}
    assert len(random.unique(dim=0)) > 20
    assert not bool((random & ~walk.places).any())


def test_sharpness_of_flat_and_of_one_hot_scores(walk):
    n = int(walk.places.sum())
    flat = walk.places.double() / n
    one = torch.zeros_like(flat)
    one[int(walk.places.nonzero()[0])] = 1
    curve = sharpness_curve(replace(walk, first=flat, scores=one[None]))
    assert curve["largest score"].tolist() == pytest.approx([1 / n, 1])
    assert curve["entropy / log n"].tolist() == pytest.approx([1, 0])


def test_the_first_of_several_runs_is_the_walk(walk, seed):
    runs = runs_from_seeds(walk.model.name, PROMPT, 3, seed=seed, **OPTIONS)
    torch.testing.assert_close(runs.scores[0], walk.scores[-1][walk.places], atol=1e-5, rtol=0)
    assert int(runs.steps[0]) == len(walk)
    assert len(runs.tokens) == runs.scores.shape[1] == int(walk.places.sum())
    table = runs_table(runs)
    assert table["steps"].tolist() == runs.steps.tolist()
    assert table["with the others"].between(-1, 1).all()


def test_agreement_by_hand():
    scores = torch.tensor(
        [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.3, 0.2, 0.4]], dtype=torch.float64
    )
    # Spearman: 1 - 6 sum d^2 / (n (n^2 - 1)); reversed -1, two neighbours swapped 1 - 12 / 60.
    expected = [[1, -1, 1, 0.8], [-1, 1, -1, -0.8], [1, -1, 1, 0.8], [0.8, -0.8, 0.8, 1]]
    torch.testing.assert_close(rank_correlations(scores), torch.tensor(expected, dtype=torch.float64))
    runs = Runs(list("abcd"), scores, torch.tensor([1, 2, 3, 4]), torch.tensor([True] * 4))
    table = run_agreement(runs, 0.5, (1, 3)).set_index("runs averaged")
    assert table.index.tolist() == [1]  # of three runs there are not two groups
    assert table.loc[1, "pairs"] == 6
    assert table.loc[1, "spearman"] == pytest.approx((-1 + 1 + 0.8 - 1 - 0.8 + 0.8) / 6)
    assert table.loc[1, ["least", "greatest"]].tolist() == pytest.approx([-1, 1])
    # Top halves {2, 3}, {0, 1}, {2, 3}, {1, 3}: overlaps 0, 1, 1/3, 0, 1/3, 1/3 of their unions.
    assert table.loc[1, "jaccard of top sets"] == pytest.approx((1 + 3 * 1 / 3) / 6)
    # Averages [.1 .2 .3 .4] and [.25 .3 .2 .25] have the ranks 1 2 3 4 and 2.5 4 1 2.5: -1.5 / sqrt(5 * 4.5).
    halves = run_agreement(Runs(list("abcd"), scores[[0, 2, 1, 3]], runs.steps, runs.stopped), 0.5, (2,))
    assert halves["spearman"].item() == pytest.approx(-1.5 / math.sqrt(22.5))


def test_what_cannot_be_walked_is_refused():
    with pytest.raises(AttribookError, match="not a causal language model"):
        walk_reagent("tiny-bert", PROMPT)
    with pytest.raises(AttribookError, match="no ranks"):
        rank_correlations(torch.ones(2, 1))
