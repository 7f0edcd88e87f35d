"""The walk through Noiser: the shared search against separate ones with the same noise."""

import pytest

from attribook.papers.noiser.live import walk_noiser


@pytest.mark.parametrize("model", ["tiny-llama", "tiny-gpt2"])
def test_bound_is_the_smallest_threshold_and_costs_are_counted(model):
    walk = walk_noiser(model, "The old king said yes to the new day", vectors=2, steps=6)
    moved = walk.encoding.movable("keep")
    assert walk.scale == float(walk.thresholds[moved].min())
    assert walk.separate == int(moved.sum()) * 6 * 2  # tokens, steps, vectors
    assert walk.found.cost.forwards < walk.separate
    told = walk.told()
    assert f"{walk.scale:.4f}" in told
    assert "is the same, that of" in told
    assert f"{walk.separate}, {walk.separate / walk.found.cost.forwards:.1f} times" in told


def test_every_token_has_its_threshold_and_score():
    walk = walk_noiser("tiny-llama", "The old king said yes", vectors=1, steps=4)
    shown = walk.tokens()
    assert shown["flips above"].tolist() == walk.thresholds.tolist()
    assert shown["score"].tolist() == walk.found.scores.tolist()
    assert len(shown) == len(walk.encoding)
