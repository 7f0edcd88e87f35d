"""Estimates against plain loops over the written rules, and on cases worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from attribook.errors import AttribookError
from attribook.statistics.estimates import contrast, difference, estimate, estimate_groups, log_ratio, mean, ratio
from attribook.statistics.items import item_values
from attribook.statistics.resampling import (
    RESAMPLES,
    Z_80,
    Z_95,
    Estimate,
    draw_counts,
    estimate_of,
    resampled_means,
    student_p,
)
from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, adjusted, decided, decisions, holm


def by_item(*values):
    return pd.Series(values, index=[f"i{k:02}" for k in range(len(values))], dtype=float)


def rows_of(method, values, metric="soft_nc", **more):
    """Tidy rows: one for each item and value of it."""
    return pd.DataFrame(
        [{"item": f"i{k:02}", "method": method, "metric": metric, "draw": d, "value": float(v), "status": "ok"} | more
         for k, draws in enumerate(values) for d, v in enumerate(np.atleast_1d(draws))]
    )  # fmt: skip


def slow_estimate(columns, statistic, seed=0):
    """Value, ends and p by loops over samples and items, from the rule: no matrix, no quantile function."""
    n = len(columns[0])
    picks = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n)).tolist()
    told = [statistic([math.fsum(column[i] for i in pick) / n for column in columns]) for pick in picks]
    value = statistic([math.fsum(column) / n for column in columns])
    ordered = sorted(told)
    low, high = (ordered[round(share * (RESAMPLES - 1))] for share in (0.025, 0.975))
    middle = math.fsum(told) / RESAMPLES
    error = math.sqrt(math.fsum((one - middle) ** 2 for one in told) / (RESAMPLES - 1))
    beyond = min(sum(one <= 0 for one in told), sum(one >= 0 for one in told))
    p = min(1.0, 2 * (1 + beyond) / (RESAMPLES + 1))
    if not beyond:
        p = min(p, 2 * float(stats.t.sf(abs(value) / error, n - 1)))
    return value, low, high, p, error


GAMMA = np.random.default_rng(5).gamma(2, size=(4, 11))


@pytest.mark.parametrize(
    ("made", "statistic"),
    [
        (lambda a, b, c, d: mean(a - b), lambda m: m[0] - m[1]),
        (lambda a, b, c, d: difference(a, b), lambda m: m[0] - m[1]),
        (lambda a, b, c, d: log_ratio(a, b), lambda m: math.log(m[0] / m[1])),
        (lambda a, b, c, d: ratio(a, b), lambda m: m[0] / m[1]),
        (lambda a, b, c, d: contrast([a, b, c, d], [1, -1, -1, 1]),
         lambda m: math.log(m[0] / m[1]) - math.log(m[2] / m[3])),
        (lambda a, b, c, d: contrast([a, b, c], [1, 1, -1], log=False), lambda m: m[0] + m[1] - m[2]),
    ],
)  # fmt: skip
def test_every_statistic_is_what_loops_over_the_rule_give(made, statistic):
    found = made(*(by_item(*column) for column in GAMMA))
    slow = slow_estimate(GAMMA.tolist(), statistic)
    assert (found.value, found.low, found.high, found.p, found.error) == pytest.approx(slow, rel=1e-9)
    assert (found.n, found.failed) == (11, 0)
    assert found.detectable == pytest.approx((Z_95 + Z_80) * found.error)


def test_two_items_by_hand():
    # Of samples of (0, 2) a quarter have the mean 0, half 1, a quarter 2: the interval is all of it.
    found = mean(by_item(0, 2))
    assert (found.value, found.low, found.high, found.n) == (1, 0, 2, 2)
    assert found.p == pytest.approx(0.5, abs=0.03)
    assert found.error == pytest.approx(math.sqrt(0.5), rel=0.03)
    found = log_ratio(by_item(4, 4), by_item(1, 3))
    assert (found.value, found.low, found.high) == pytest.approx((math.log(2), math.log(4 / 3), math.log(4)))


def test_a_log_of_a_ratio_of_means_not_a_mean_of_logs():
    assert log_ratio(by_item(1, 3), by_item(2, 1)).value == pytest.approx(math.log(4 / 3))


def test_the_interval_agrees_with_the_delta_method():
    chance = np.random.default_rng(0)
    a, b = chance.gamma(4, size=400), chance.gamma(4, size=400)
    found = log_ratio(by_item(*a), by_item(*b))
    error = math.sqrt(np.var(a / a.mean() - b / b.mean(), ddof=1) / 400)
    assert found.error == pytest.approx(error, rel=0.05)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.06)


def test_draws_are_whole_and_means_of_equal_columns_are_equal_to_the_last_bit():
    counts = draw_counts(7, 3)
    assert counts.shape == (RESAMPLES, 7)
    assert set(counts.sum(1)) == {7.0}
    values = np.random.default_rng(0).random((61, 37))
    means = resampled_means(np.hstack([values, values[:, ::-1]]))
    assert (means[:, :37] == means[:, :36:-1]).all()
    np.testing.assert_allclose(means[:, :37], draw_counts(61) @ values / 61, rtol=1e-12)


def test_any_statistic_of_means_and_samples_in_which_it_is_undefined():
    values = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 5.0], [4.0, 0.0]])
    with np.errstate(all="raise"):
        kept = estimate_of(values, lambda m: m[..., 0] / np.where(m[..., 1] > 0, m[..., 1], np.nan))
        omitted = estimate_of(
            values, lambda m: m[..., 0] / np.where(m[..., 1] > 0, m[..., 1], np.nan), omit_undefined=True
        )
    assert kept.value == omitted.value == 2
    assert math.isnan(kept.low)
    assert kept.p == 1
    assert omitted.low < 2 < omitted.high
    with pytest.raises(AttribookError, match="NaN"):
        estimate_of(np.array([[math.nan]]), lambda m: m[..., 0])


@pytest.mark.parametrize(
    ("found", "n"),
    [
        (log_ratio(by_item(0, 0), by_item(1, 2)), 2),
        (log_ratio(by_item(1, 2), by_item(0, 0)), 2),
        (log_ratio(by_item(1, 2), by_item(-1, -2)), 2),
        (difference(by_item(1), pd.Series({"other": 1.0})), 0),
        (difference(by_item(1), by_item()), 0),
        (ratio(by_item(1), by_item()), 0),
        (ratio(by_item(1, 2, 3), by_item(-1, 1, 0.1)), 3),  # the mean below is not told from 0
        (ratio(by_item(1, 2), by_item(0, 0)), 2),
        (estimate_groups([[(by_item(1, 2), 1)], [(by_item(), 1)]], False), 2),
    ],
)
def test_what_is_undefined_is_nan_and_decides_nothing(found, n):
    assert all(math.isnan(one) for one in (found.value, found.low, found.high, found.detectable))
    assert (found.p, found.n) == (1.0, n)
    assert decided(found) == UNDECIDED


def test_items_without_a_value_are_left_out_and_the_order_of_items_does_not_matter():
    a, b = by_item(1, 2, math.nan, 4), by_item(2, 2, 3, 1)
    assert difference(a, b).n == 3
    assert difference(a, b) == difference(a[::-1], b.iloc[[2, 0, 3, 1]])


def test_groups_are_averaged_and_drawn_apart():
    found = estimate_groups([[(by_item(1, 2, 3), 1)], [(by_item(5, 6), 1), (by_item(1, 1), -1)]], log=False)
    means = [draw_counts(3, 0) @ [1, 2, 3] / 3, draw_counts(2, 1) @ [4, 5] / 2]
    assert (found.value, found.n) == ((2 + 4.5) / 2, 5)
    assert found.error == pytest.approx(np.std((means[0] + means[1]) / 2, ddof=1))


def test_the_mirror_image():
    found = difference(*(by_item(*column) for column in GAMMA[:2]))
    back = found.mirrored()
    assert (back.value, back.low, back.high, back.p) == (-found.value, -found.high, -found.low, found.p)
    assert back.mirrored() == found


# -- p -------------------------------------------------------------------------------------------------------------


def test_students_tail_is_taken_only_where_no_sample_crosses_zero():
    assert mean(by_item(1.0, -0.5, 2.0, 0.5, 1.5, -1.0, 1.0, 0.2, 0.4, 1.0)).p > 20 / (RESAMPLES + 1)  # counted
    assert mean(by_item(1.0, 1.1, 0.9)).p == 2 / (RESAMPLES + 1)  # Student's, of 2 degrees of freedom, is larger
    assert mean(by_item(*[1.0] * 20)).p == 2 / (RESAMPLES + 1)  # no error, no tail


def test_students_p():
    assert student_p(2.262157, 1.0, 10) == pytest.approx(0.05, abs=1e-6)  # the table's 97.5% point for 9 degrees
    assert student_p(-2.262157, 1.0, 10) == student_p(2.262157, 1.0, 10)
    grid = np.linspace(3.0, 3000.0, 3_000_001)  # density of Student's t with 5 degrees, summed up
    density = math.gamma(3) / math.gamma(2.5) / math.sqrt(5 * math.pi) * (1 + grid**2 / 5) ** -3
    assert student_p(3.0, 1.0, 6) == pytest.approx(2 * np.trapezoid(density, grid), rel=1e-5)
    assert student_p(1.0, math.nan, 10) == student_p(1.0, math.inf, 10) == student_p(1.0, 1.0, 1) == 1.0


def test_clear_effects_are_decided_however_many_are_tested_together():
    chance = np.random.default_rng(0)
    rows = pd.concat([rows_of(f"m{k}", 1 + 0.1 * chance.standard_normal(60)) for k in range(300)])
    found = adjusted(estimate(rows))
    assert found["p"].max() < 2 / (RESAMPLES + 1)
    assert found["p (Holm)"].max() < 0.05
    assert set(decisions(found)) == {ABOVE}


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(AttribookError, match="NaN"):
        holm([math.nan])


def test_families_are_adjusted_apart():
    table = pd.DataFrame({"metric": ["a", "b", "a"], "p": [0.01, 0.01, 0.04]}, index=[5, 6, 7])
    assert adjusted(table, ["metric"])["p (Holm)"].tolist() == pytest.approx([0.02, 0.01, 0.04])
    assert adjusted(table)["p (Holm)"].tolist() == pytest.approx([0.03, 0.03, 0.04])


@pytest.mark.parametrize(
    ("low", "high", "n", "p", "told"),
    [(0.1, 0.5, 10, 0.0, ABOVE), (-0.5, -0.1, 10, 0.0, BELOW), (-0.1, 0.5, 99, 0.0, UNDECIDED),
     (0.0, 0.5, 99, 0.0, UNDECIDED), (0.1, 0.5, 9, 0.0, UNDECIDED), (0.1, 0.5, 10, 0.05, UNDECIDED),
     (math.nan, 0.5, 10, 0.0, UNDECIDED), (0.1, 0.5, 10, math.nan, UNDECIDED)],
)  # fmt: skip
def test_decisions(low, high, n, p, told):
    assert decided(Estimate(0.3, low, high, n), p) == told
    table = pd.DataFrame({"value": [0.3], "low": [low], "high": [high], "n": [n], "p (Holm)": [p]})
    assert decisions(table).tolist() == [told]


# -- tidy frames ---------------------------------------------------------------------------------------------------


def test_an_items_rows_are_averaged_first():
    found = item_values(rows_of("m", [[1, 3], [4, 4], [5, 9]]), ["method"])
    assert found.to_dict("list") == {
        "method": ["m"] * 3, "item": ["i00", "i01", "i02"], "value": [2, 4, 7], "failed": [False] * 3
    }  # fmt: skip


def test_failed_items_are_left_out_and_counted():
    rows = pd.concat([rows_of("ours", [[1, 1], [2, 2], [3, 3]]), rows_of("random", [1, 1, 2])], ignore_index=True)
    rows.loc[rows.index[3], ["value", "status"]] = [math.nan, "no positive score"]
    rows.loc[(rows["method"] == "random") & (rows["item"] == "i02"), ["value", "status"]] = [math.nan, "failed"]
    assert estimate(rows)[["value", "n", "failed"]].to_numpy().tolist() == [[2, 2, 1], [1, 2, 1]]
    (one,) = estimate(rows, "difference", against={"method": "random"}).to_dict("records")
    assert (one["method"], one["value"], one["n"], one["failed"]) == ("ours", 0, 1, 2)


def test_what_pandas_made_of_a_frame_can_be_estimated():
    rows = pd.concat([rows_of("b", [[1, 3], [4, 5]]), rows_of("a", [[7, 1], [2, 2]])])
    best = rows.groupby(["method", "metric", "item"], sort=False)["value"].max()
    assert estimate(best)[["method", "metric", "value", "n"]].to_numpy().tolist() == [
        ["b", "soft_nc", 4, 2], ["a", "soft_nc", 4.5, 2]
    ]  # fmt: skip
    best.iloc[0] = math.nan  # without a status, what has no value has failed
    assert estimate(best, by="method")[["value", "n", "failed"]].to_numpy().tolist() == [[5, 1, 1], [4.5, 2, 0]]


def test_values_that_nobody_wants_to_average_are_refused():
    rows = pd.concat([rows_of("m", [1, 2], variant=""), rows_of("m", [1, 2], variant="permuted")])
    with pytest.raises(AttribookError, match="more than one variant"):
        estimate(rows)
    assert len(estimate(rows, by=["method", "variant"])) == 2
    with pytest.raises(AttribookError, match="more than one method"):
        estimate(pd.concat([rows_of("m", [1]), rows_of("k", [1])]), by="metric")
    apart = pd.concat([rows_of("m", [1, 2], dataset="a"), rows_of("m", [4], dataset="b").assign(item="other")])
    assert estimate(apart)["n"].tolist() == [3], "no item has values of both"
    with pytest.raises(AttribookError, match='status is "ok"'):
        estimate(rows_of("m", [1, math.nan]))
    with pytest.raises(AttribookError, match="no column layer"):
        estimate(rows_of("m", [1]), by=["method", "layer"])
    with pytest.raises(AttribookError, match="no value in one of"):
        estimate(rows_of("m", [1], layer=None), by=["method", "layer"])


THREE = pd.concat(
    rows_of(name, GAMMA[k] + (metric == "soft_ns"), metric)
    for metric in ("soft_nc", "soft_ns") for k, name in enumerate(("random", "a", "b"))
)  # fmt: skip


def value_of(method, metric="soft_nc", rows=THREE):
    return rows.query("method == @method and metric == @metric").set_index("item")["value"]


def assert_alike(row, found):
    assert [row[name] for name in found.columns()] == pytest.approx([*found.columns().values()], nan_ok=True, rel=1e-9)


@pytest.mark.parametrize(
    ("statistic", "made"), [("difference", difference), ("log_ratio", log_ratio), ("ratio", ratio)]
)
def test_tables_hold_what_single_estimates_give(statistic, made):
    table = estimate(THREE, statistic, against={"method": "random"}).set_index(["method", "metric"])
    assert list(table.index) == [("a", "soft_nc"), ("b", "soft_nc"), ("a", "soft_ns"), ("b", "soft_ns")]
    for (method, metric), row in table.iterrows():
        assert_alike(row, made(value_of(method, metric), value_of("random", metric)))
    table = estimate(THREE, statistic, of={"method": "a"}).set_index(["method", "metric"])
    assert list(table.index)[:2] == [("random", "soft_nc"), ("b", "soft_nc")]
    for (method, metric), row in table.iterrows():
        assert_alike(row, made(value_of("a", metric), value_of(method, metric)))


def test_a_table_of_means():
    for row in estimate(THREE).to_dict("records"):
        assert_alike(row, mean(value_of(row["method"], row["metric"])))


def test_sums_over_metrics():
    table = estimate(THREE, "log_ratio", "method", against={"method": "random"}, sum_over="metric")
    assert table["method"].tolist() == ["a", "b"]
    for row in table.to_dict("records"):
        parts = [value_of(name, metric) for metric in ("soft_nc", "soft_ns") for name in (row["method"], "random")]
        assert_alike(row, contrast(parts, [1, -1, 1, -1]))


def test_means_over_tasks():
    other = THREE[THREE["item"] < "i04"].assign(value=lambda rows: rows["value"] ** 2, dataset="second")
    rows = pd.concat([THREE.assign(dataset="first"), other])
    table = estimate(rows, "log_ratio", against={"method": "random"}, mean_over="dataset")
    for row in table.to_dict("records"):
        groups = [
            [(value_of(row["method"], row["metric"], each), 1), (value_of("random", row["metric"], each), -1)]
            for each in (THREE, other)
        ]
        assert_alike(row, estimate_groups(groups, log=True))


def test_changes_of_log_ratios_from_one_protocol_to_the_next():
    after = THREE.assign(value=THREE["value"] ** 2, protocol="code")
    rows = pd.concat([THREE.assign(protocol="paper"), after])
    table = estimate(rows, "log_ratio", ["protocol", "method", "metric"],
                     against=[{"method": "random"}, {"protocol": "paper"}])  # fmt: skip
    assert table["protocol"].tolist() == ["code"] * 4
    for row in table.to_dict("records"):
        names = (row["method"], "random")
        parts = [value_of(name, row["metric"], each) for each in (after, THREE) for name in names]
        assert_alike(row, contrast(parts, [1, -1, -1, 1]))


def test_a_method_that_is_its_baseline_differs_by_exactly_nothing():
    rows = pd.concat([THREE, THREE[THREE["method"] == "random"].assign(method="same")])
    for statistic in ("difference", "log_ratio"):
        table = estimate(rows, statistic, against={"method": "random"}).query("method == 'same'")
        assert (table[["value", "low", "high", "detectable"]] == 0).all(axis=None)
        assert (table["p"] == 1).all()


def test_a_change_that_changes_nothing_is_exactly_nothing():
    rows = pd.concat([THREE.assign(protocol=name) for name in ("paper", "code")])
    against = [{"method": "random"}, {"protocol": "paper"}]
    table = estimate(rows, "log_ratio", ["protocol", "method", "metric"], against=against)
    assert (table[["value", "low", "high", "detectable"]] == 0).all(axis=None)
    a, b = by_item(*GAMMA[0]), by_item(*GAMMA[1])
    assert contrast([a, b, a, b], [1, -1, -1, 1]) == Estimate(0.0, 0.0, 0.0, 11, 0, 1.0, 0.0)
    assert math.isnan(contrast([a, 0 * b, a, 0 * b], [1, -1, -1, 1]).value), "0 has no logarithm, cancelled or not"


def test_a_group_without_a_baseline_or_items_in_common_is_undefined():
    rows = pd.concat([THREE, rows_of("a", [1, 2], "log_odds"), rows_of("late", [1, 2]).assign(item=["x", "y"])])
    table = estimate(rows, "difference", against={"method": "random"}).set_index(["method", "metric"])
    for key in (("a", "log_odds"), ("late", "soft_nc")):
        assert table.loc[key, ["n", "failed", "p"]].tolist() == [0, 0, 1]
        assert math.isnan(table.loc[key, "value"])
    assert table.loc[("a", "soft_nc"), "n"] == 11


def test_an_empty_frame_gives_an_empty_table():
    assert list(estimate(THREE[:0], "log_ratio", against={"method": "random"})) == [
        "method", "metric", "value", "low", "high", "n", "failed", "p", "detectable"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"statistic": "median"}, "no statistic 'median'"),
        ({"statistic": "mean", "against": {"method": "random"}}, "A mean has no baseline"),
        ({"statistic": "ratio"}, "needs groups to compare with"),
        (
            {"statistic": "ratio", "of": {"method": "a"}, "sum_over": "metric", "by": "method"},
            "A ratio has one baseline",
        ),
        ({"statistic": "difference", "against": {"method": "gone"}}, "no rows of {'method': 'gone'}"),
        ({"statistic": "difference", "against": {"model": "m"}}, "name columns of `by`"),
        ({"statistic": "mean", "sum_over": "metric"}, "name others"),
    ],
)
def test_tables_that_cannot_be_made(more, message):
    with pytest.raises(AttribookError, match=message):
        estimate(THREE, **more)
