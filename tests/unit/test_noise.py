"""The split of noise, and Student's interval, on values small enough to check by hand or planted."""

import math

import numpy as np
import pandas as pd
import pytest

from attribook.statistics.noise import noise_split


def nested(values):
    """Rows of `values` (prompts, seeds, draws)."""
    return pd.DataFrame([{"item": f"i{p}", "seed": s, "draw": d, "method": "m", "metric": "soft_nc", "status": "ok",
                          "value": values[p, s, d]} for p, s, d in np.ndindex(values.shape)])  # fmt: skip


def test_the_split_of_noise_finds_what_was_planted():
    chance = np.random.default_rng(0)
    parts = [0.3, 0.2, 0.1]
    shapes = [(400, 1, 1), (400, 5, 1), (400, 5, 8)]
    values = sum(sd * chance.standard_normal(shape) for sd, shape in zip(parts, shapes, strict=True))
    found = noise_split(nested(np.asarray(values)), "m", "soft_nc")
    assert (found.n, found.seeds, found.draws) == (400, 5, 8)
    assert found.between == pytest.approx(parts, rel=0.1)
    assert sum(found.shares) == pytest.approx(1)
    means = np.asarray(values).mean((1, 2))
    assert found.error == pytest.approx(means.std(ddof=1) / 20, rel=1e-9)  # as of the prompts' means alone


def test_the_split_of_noise_by_hand():
    # Prompt 1: seeds (1, 3) and (5, 7); prompt 2: (2, 2) and (2, 2).
    values = np.array([[[1.0, 3.0], [5.0, 7.0]], [[2.0, 2.0], [2.0, 2.0]]])
    found = noise_split(nested(values), "m", "soft_nc")
    draws = (2 + 2 + 0 + 0) / 4
    seeds = (8 + 0) / 2 - draws / 2
    prompts = max(0.0, 2.0 - seeds / 2 - draws / 4)
    assert found.between == pytest.approx([math.sqrt(one) for one in (prompts, seeds, draws)])


def test_without_noise_there_are_no_shares():
    found = noise_split(nested(np.ones((3, 2, 2))), "m", "soft_nc")
    assert (found.error, found.between) == (0.0, (0.0, 0.0, 0.0))
    assert all(math.isnan(share) for share in found.shares)


def test_without_equal_numbers_of_draws_nothing_is_split():
    rows = nested(np.random.default_rng(0).standard_normal((3, 2, 2)))
    assert noise_split(rows.drop(index=0), "m", "soft_nc") is None
    assert noise_split(rows[rows["item"] == "i0"], "m", "soft_nc") is None
    failed = rows.assign(value=rows["value"].where(rows["item"] != "i2"))
    assert noise_split(failed, "m", "soft_nc").n == 2  # a prompt that failed is left out whole
