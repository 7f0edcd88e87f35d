"""ReAGent step by step: what a recorded run shows adds up to the method's own scores."""

import math
from dataclasses import replace

import pytest
import torch

from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.load import load_model
from attribook.papers.reagent.live import last_test_again, run_generator, run_step_by_step, runs_from_seeds

PROMPT = "In the capital of Japan, I was staying at my old home"
OPTIONS = {"max_steps": 12, "top_k": 3, "keep_tokens": 4}


# Of several steps each; the third is not stopped. Without and with a BOS token.
@pytest.fixture(params=[("tiny-gpt2", 1), ("tiny-llama", 2), ("tiny-llama", 0), ("tiny-gemma3", 1)], ids=str)
def run(request):
    model, seed = request.param
    found = run_step_by_step(model, PROMPT, seed=seed, **OPTIONS)
    assert len(found) > 4
    return found


@pytest.fixture
def seed(request):
    return request.node.callspec.params["run"][1]


def test_a_recorded_run_is_the_methods_own(run, seed):
    model = load_model(run.model.name)
    found = explain(model, model.encode(PROMPT), "reagent", generator=run_generator(seed), runs=1, **OPTIONS)
    torch.testing.assert_close(run.scores[-1], found.scores, atol=1e-12, rtol=0)
    assert len(run) == found.details["steps_total"]
    assert int(run.stopped.sum()) == found.details["runs_stopped"]


def test_what_was_replaced_and_lost_gives_the_scores(run):
    # Equations 6 to 9 on the recorded prompts, one token after the other.
    encoding, before = run.encoding, run.encoding.probability
    logits = run.first.log().tolist()
    for step in range(len(run)):
        with torch.no_grad():
            answer = run.model.network(input_ids=run.tried[step][None]).logits[0, -1].double().softmax(-1)
        drop = before - float(answer[encoding.target])
        assert float(run.after[step]) == pytest.approx(before - drop, abs=1e-6)  # float32, another batch
        for place, here in enumerate(run.places.tolist()):
            signed = drop if run.chosen[step, place] else -drop
            logits[place] += math.log((1 + signed) / (1 - signed)) if here else 0
            if not run.chosen[step, place]:
                assert int(run.tried[step, place]) == int(encoding.ids[place])
        expected = torch.tensor(logits, dtype=torch.float64).softmax(0)
        torch.testing.assert_close(run.scores[step], expected, atol=1e-5, rtol=0)


def test_the_test_keeps_the_best_and_its_answers_decide(run):
    target, ids = run.encoding.target, run.encoding.ids
    for step in range(len(run)):
        kept = run.kept[step]
        assert int(kept.sum()) == 4
        assert float(run.scores[step][kept].min()) >= float(run.scores[step][run.places & ~kept].max())
        assert torch.equal(run.tested[step][kept | ~run.places], ids[kept | ~run.places])
        assert (int(run.rank[step]) <= 3) == bool(run.stopped[step]) == (target in run.best[step].tolist())
    assert not bool(run.stopped[:-1].any())


def test_frames_say_what_the_run_holds(run):
    steps = run.steps()
    assert steps.index.tolist() == list(range(1, len(run) + 1))
    for number, row in enumerate(steps.to_dict("records")):
        assert row["drop"] == pytest.approx(run.encoding.probability - row["after"], abs=1e-6)
        assert row["added to the replaced"] == pytest.approx(math.log((1 + row["drop"]) / (1 - row["drop"])), abs=1e-12)
        assert row["replaced"].count("→") == int(run.chosen[number].sum())
        assert row["most probable next"].count("%") == 3
    assert steps["stopped"].tolist() == run.stopped.tolist()
    assert steps["rank of target"].tolist() == run.rank.tolist()
    for step, (tokens, marked) in run.tests().items():
        assert marked == set(run.kept[step - 1].nonzero()[:, 0].tolist())
        assert [tokens[place] for place in marked] == [run.encoding.tokens[place] for place in marked]
    scores = run.scores_by_step()
    assert len(scores) == len(run) + 1
    assert scores.columns.tolist() == run.places.nonzero()[:, 0].tolist()
    assert scores.iloc[-1].max() == pytest.approx(float(run.scores[-1].max()))
    assert scores.sum(axis=1).tolist() == pytest.approx([1.0] * len(scores))


def test_tests_drawn_anew_pass_as_often_as_counted_one_by_one(run):
    prompts = []
    again = replace(run, replacer=lambda left, u: prompts.append(run.replacer(left, u)) or prompts[-1])
    found = last_test_again(again, 40)
    assert found["kept tokens"].value_counts().to_dict() == {"the run's": 40, "random": 40}
    with torch.no_grad():
        best = [run.model.network(input_ids=ids).logits[:, -1].topk(3).indices for ids in prompts]  # (40, 3) each
    assert found["passed"].tolist() == [run.encoding.target in row for each in best for row in each.tolist()]
    everything = replace(run, kept=run.places.expand_as(run.kept))
    assert last_test_again(everything, 5)["passed"].all()  # nothing is replaced
    seen = []
    silent = replace(run, replacer=lambda left, _: seen.append(left) or run.encoding.ids.expand(left.shape))
    last_test_again(silent, 40)
    own, random = seen
    assert torch.equal(own, (run.places & ~run.kept[-1]).expand(40, -1))
    assert set(random.sum(1).tolist()) == {int(own[0].sum())}
    assert len(random.unique(dim=0)) > 20
    assert not bool((random & ~run.places).any())


def test_the_first_of_several_runs_is_the_recorded_one(run, seed):
    first, *others = runs_from_seeds(run.model.name, PROMPT, 3, seed=seed, **OPTIONS)
    assert first["scores"] == pytest.approx(run.scores[-1][run.places].tolist(), abs=1e-5)
    assert (first["steps"], first["seed"], len(others)) == (len(run), 1, 2)
    assert len(first["tokens"]) == len(first["scores"]) == int(run.places.sum())


def test_other_kinds_of_models_are_refused():
    with pytest.raises(AttribookError, match="not a causal language model"):
        run_step_by_step("tiny-bert", PROMPT)
