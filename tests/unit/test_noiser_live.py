"""Noiser on one prompt: the shared search against separate ones with the same noise."""

import pytest

from attribook.papers.noiser.live import run_step_by_step


@pytest.mark.parametrize("model", ["tiny-llama", "tiny-gpt2"])
def test_bound_is_the_smallest_threshold_and_costs_are_counted(model):
    run = run_step_by_step(model, "The old king said yes to the new day", vectors=2, steps=6)
    moved = run.encoding.movable("keep")
    assert run.scale == float(run.thresholds[moved].min())
    assert run.forwards_alone == int(moved.sum()) * 6 * 2  # tokens, steps, vectors
    assert run.found.cost.forwards < run.forwards_alone


def test_every_token_has_its_threshold_and_score():
    run = run_step_by_step("tiny-llama", "The old king said yes", vectors=1, steps=4)
    assert len(run.thresholds) == len(run.found.scores) == len(run.encoding)
