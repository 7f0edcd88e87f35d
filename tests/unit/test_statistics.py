"""Statistics and verdicts on tables small enough to check by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from attribook.errors import AttribookError
from attribook.papers.cells import published
from attribook.statistics.bootstrap import (
    RESAMPLES,
    Z_80,
    Z_95,
    combined,
    holm,
    log_ratio,
    noise_split,
    per_item,
    student_interval,
    student_p,
)


def frame(method, values, status="ok", seed=0):
    return pd.DataFrame(
        {
            "item": [f"i{k}" for k in range(len(values))],
            "method": method,
            "metric": "soft_nc",
            "value": values,
            "status": status,
            "seed": seed,
        }
    )


def test_log_of_a_ratio_of_means_not_a_mean_of_logs():
    rows = pd.concat([frame("ours", [1.0, 3.0]), frame("random", [0.5, 1.5])])
    assert log_ratio(rows, "ours", "soft_nc").value == pytest.approx(math.log(2))
    rows = pd.concat([frame("ours", [1.0, 3.0]), frame("random", [2.0, 1.0])])
    assert log_ratio(rows, "ours", "soft_nc").value == pytest.approx(math.log(4 / 3))


def test_seeds_and_draws_are_averaged_within_a_prompt_first():
    rows = pd.concat([frame("ours", [1.0, 1.0]), frame("random", [1.0, 2.0]), frame("random", [3.0, 4.0], seed=1)])
    assert log_ratio(rows, "ours", "soft_nc").value == pytest.approx(math.log(1 / 2.5))


def test_interval_of_a_constant_ratio_has_no_width():
    values = np.array([0.1, 0.5, 0.9, 0.3])
    found = log_ratio(pd.concat([frame("ours", 2 * values), frame("random", values)]), "ours", "soft_nc")
    assert (found.low, found.high) == (pytest.approx(math.log(2)), pytest.approx(math.log(2)))
    assert found.standard_error == pytest.approx(0, abs=1e-12)


def test_interval_agrees_with_the_delta_method():
    chance = np.random.default_rng(0)
    a, b = chance.gamma(4, size=400), chance.gamma(4, size=400)
    found = log_ratio(pd.concat([frame("ours", a), frame("random", b)]), "ours", "soft_nc")
    error = math.sqrt(np.var(a / a.mean() - b / b.mean(), ddof=1) / 400)
    assert found.standard_error == pytest.approx(error, rel=0.05)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.06)
    assert found.detectable == pytest.approx((Z_95 + Z_80) * found.standard_error)


def test_failures_are_left_out_and_counted():
    bad = frame("ours", [1.0, float("nan")])
    bad.loc[1, "status"] = "no positive score"
    rows = pd.concat([bad, frame("random", [0.5, 7.0])])
    found = log_ratio(rows, "ours", "soft_nc")
    assert (found.n, found.failed, found.value) == (1, 1, pytest.approx(math.log(2)))
    values, failed = per_item(rows, "ours", "soft_nc")
    assert (list(values.index), failed) == (["i0"], 1)


def test_no_ratio_without_rows_or_with_a_zero_baseline():
    rows = pd.concat([frame("ours", [1.0]), frame("random", [0.0])])
    with pytest.raises(AttribookError, match="no ratio"):
        log_ratio(rows, "ours", "soft_nc")
    with pytest.raises(AttribookError, match="no rows"):
        log_ratio(rows, "other", "soft_nc")


def test_published_table_2_of_reagent():
    cells = published("reagent").query("table == 2")
    assert len(cells) == 48
    # Column means of the printed table, added up by hand: LongRA Soft-NC 10.18, LongRA Soft-NS 1.268.
    sums = cells[cells["column"] == "LongRA"].groupby("metric")["value"].sum()
    assert sums["soft_nc"] == pytest.approx(-0.28 + 0.048 + 0.209 + 1.101 + 1.423 + 1.865 + 0.412 + 5.402)
    assert sums["soft_ns"] == pytest.approx(0.099 - 0.222 - 0.099 - 0.116 + 0.03 + 0.451 - 0.012 + 1.136)
    best = cells.loc[cells.groupby(["column", "metric"])["value"].idxmax()]
    assert set(best["best"]) == {"yes"}
    assert (cells["best"] == "yes").sum() == 6


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


def test_without_equal_numbers_of_draws_nothing_is_split():
    rows = nested(np.random.default_rng(0).standard_normal((3, 2, 2)))
    assert noise_split(rows.drop(index=0), "m", "soft_nc") is None
    assert noise_split(rows[rows["item"] == "i0"], "m", "soft_nc") is None
    failed = rows.assign(value=rows["value"].where(rows["item"] != "i2"))
    assert noise_split(failed, "m", "soft_nc").n == 2  # a prompt that failed is left out whole


def test_clear_effects_are_decided_however_many_are_tested_together():
    chance = np.random.default_rng(0)
    effects = [pd.Series(1 + 0.1 * chance.standard_normal(60)) for _ in range(300)]
    ps = [combined([[(effect, 1)]], log=False).p for effect in effects]
    assert max(ps) < 2 / (RESAMPLES + 1)
    assert max(holm(ps)) < 0.05


def test_students_tail_is_taken_where_no_resample_crosses_zero_only():
    near = combined([[(pd.Series([1.0, -0.5, 2.0, 0.5, 1.5, -1.0, 1.0, 0.2, 0.4, 1.0]), 1)]], log=False)
    assert near.p > 20 / (RESAMPLES + 1)  # counted
    few = combined([[(pd.Series([1.0, 1.1, 0.9]), 1)]], log=False)
    assert few.p == 2 / (RESAMPLES + 1)  # Student's, of 2 degrees, is larger
    assert combined([[(pd.Series([1.0] * 20), 1)]], log=False).p == 2 / (RESAMPLES + 1)  # no error, no tail


def test_students_p():
    assert student_p(2.262157, 1.0, 10) == pytest.approx(0.05, abs=1e-6)  # the table's 97.5% point for 9 degrees
    assert student_p(-2.262157, 1.0, 10) == student_p(2.262157, 1.0, 10)
    grid = np.linspace(3.0, 3000.0, 3_000_001)  # density of Student's t with 5 degrees, summed up
    density = math.gamma(3) / math.gamma(2.5) / math.sqrt(5 * math.pi) * (1 + grid**2 / 5) ** -3
    assert student_p(3.0, 1.0, 6) == pytest.approx(2 * np.trapezoid(density, grid), rel=1e-5)
    assert student_p(1.0, float("nan"), 10) == student_p(1.0, float("inf"), 10) == student_p(1.0, 1.0, 1) == 1.0


def test_students_interval_of_a_few():
    # Mean 2, deviation 1, three values: 4.302653 (the 97.5% point for 2 degrees) times 1 / sqrt 3.
    mean, low, high = student_interval(np.array([1.0, 2.0, 3.0]))
    assert (mean, low, high) == pytest.approx((2.0, 2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert math.isnan(student_interval(np.array([1.0]))[1])
