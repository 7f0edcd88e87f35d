"""Estimates against plain loops over the written rules, and on cases worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from attribook.errors import AttribookError
from attribook.statistics.contrasts import contrast, difference, estimate_groups, mean, ratio
from attribook.statistics.estimates import estimate
from attribook.statistics.items import item_values
from attribook.statistics.resampling import (
    RESAMPLES,
    Z_80,
    Estimate,
    carried_by,
    draw_counts,
    estimate_of,
    resampled_means,
)
from attribook.statistics.tests import (
    ABOVE,
    BELOW,
    FEW,
    HEAVY,
    NO_INTERVAL,
    UNDECIDED,
    barred,
    decided,
    decisions,
    holm,
    max_t,
)


def by_item(*values):
    return pd.Series(values, index=[f"i{k:02}" for k in range(len(values))], dtype=float)


def log_ratio(ours, other):
    return contrast([ours, other], [1, -1])


def rows_of(method, values, metric="soft_nc", **more):
    """Tidy rows: one for each item and value of it."""
    return pd.DataFrame(
        [{"item": f"i{k:02}", "method": method, "metric": metric, "draw": d, "value": float(v), "status": "ok"} | more
         for k, draws in enumerate(values) for d, v in enumerate(np.atleast_1d(draws))]
    )  # fmt: skip


def slow_estimate(columns, statistic, slopes, seed=0):
    """Value, ends, p and standard error by loops over samples and items, from the rule: no matrix, no quantile."""
    n = len(columns[0])

    def with_error(pick):
        means = [math.fsum(column[i] for i in pick) / n for column in columns]
        by = slopes(means)
        pulls = [math.fsum(s * (column[i] - m) for s, column, m in zip(by, columns, means, strict=True)) for i in pick]
        return statistic(means), math.sqrt(math.fsum(pull**2 for pull in pulls) / (n - 1) / n)

    value, error = with_error(range(n))
    picks = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n)).tolist()
    told = [with_error(pick) for pick in picks]
    ts = sorted(abs(one - value) / own if own else math.inf * (one != value) for one, own in told)
    reach = ts[math.ceil(0.95 * (RESAMPLES - 1))]
    p = (1 + sum(t >= abs(value) / error for t in ts)) / (RESAMPLES + 1)
    return value, value - reach * error, value + reach * error, p, error


GAMMA = np.random.default_rng(5).gamma(2, size=(4, 11))


@pytest.mark.parametrize(
    ("made", "statistic", "slopes"),
    [
        (lambda a, b, c, d: mean(a - b), lambda m: m[0] - m[1], lambda m: [1, -1, 0, 0]),
        (lambda a, b, c, d: difference(a, b), lambda m: m[0] - m[1], lambda m: [1, -1, 0, 0]),
        (lambda a, b, c, d: log_ratio(a, b), lambda m: math.log(m[0] / m[1]), lambda m: [1 / m[0], -1 / m[1], 0, 0]),
        (lambda a, b, c, d: ratio(a, b), lambda m: m[0] / m[1], lambda m: [1 / m[1], -m[0] / m[1] ** 2, 0, 0]),
        (lambda a, b, c, d: contrast([a, b, c, d], [1, -1, -1, 1]),
         lambda m: math.log(m[0] / m[1]) - math.log(m[2] / m[3]),
         lambda m: [1 / m[0], -1 / m[1], -1 / m[2], 1 / m[3]]),
        (lambda a, b, c, d: contrast([a, b, c], [1, 1, -1], log=False), lambda m: m[0] + m[1] - m[2],
         lambda m: [1, 1, -1, 0]),
    ],
)  # fmt: skip
def test_every_statistic_is_what_loops_over_the_rule_give(made, statistic, slopes):
    found = made(*(by_item(*column) for column in GAMMA))
    slow = slow_estimate(GAMMA.tolist(), statistic, slopes)
    assert (found.value, found.low, found.high, found.p, found.error) == pytest.approx(slow, rel=1e-9)
    assert (found.n, found.failed) == (11, 0)
    assert found.detectable == pytest.approx((found.reach + Z_80) * found.error)
    assert found.t == pytest.approx(abs(found.value) / found.error)


def test_six_items_by_hand():
    found = mean(by_item(0, 0, 0, 2, 2, 2))
    assert (found.value, found.n, found.error) == (1, 6, pytest.approx(math.sqrt(6 / 5 / 6)))
    # Samples with k twos lie |k - 3| / 3 away, with the error sqrt(4 k (6 - k) / 6 / 5 / 6): t is 0 of three twos, 0.79
    # of two or four, 2 of one or five (12 of 64 samples), and infinite of none or six (2 of 64, fewer than 5%).
    assert (found.low, found.high) == pytest.approx((1 - 2 * found.error, 1 + 2 * found.error))
    assert found.p == pytest.approx(2 / 64, abs=0.006)  # the estimate itself is sqrt(5) = 2.24 errors from 0


def test_too_few_items_have_no_interval():
    for found in (mean(by_item(0, 2)), mean(by_item(5)), log_ratio(by_item(4, 4), by_item(1, 3))):
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert (found.p, barred(found)) == (1.0, NO_INTERVAL)
    assert log_ratio(by_item(4, 4), by_item(1, 3)).value == pytest.approx(math.log(2))


def test_a_rate_has_the_interval_of_clopper_and_pearson():
    for ones in (0, 7, 30):
        ends = stats.binomtest(ones, 30).proportion_ci(method="exact")
        values = by_item(*[1] * ones, *[0] * (30 - ones))
        assert (mean(values).low, mean(values).high) == pytest.approx((ends.low, ends.high))
        rows = rows_of("m", values, "rate")
        assert estimate(rows)[["low", "high"]].iloc[0].tolist() == pytest.approx([ends.low, ends.high])
    half, nothing = by_item(*[0, 1] * 15), by_item(*[0] * 30)
    assert difference(half, nothing).high != pytest.approx(mean(half).high), "a difference is no rate"


def test_a_log_of_a_ratio_of_means_not_a_mean_of_logs():
    assert log_ratio(by_item(1, 3), by_item(2, 1)).value == pytest.approx(math.log(4 / 3))


def test_the_interval_agrees_with_the_delta_method():
    chance = np.random.default_rng(0)
    a, b = chance.gamma(4, size=400), chance.gamma(4, size=400)
    found = log_ratio(by_item(*a), by_item(*b))
    error = math.sqrt(np.var(a / a.mean() - b / b.mean(), ddof=1) / 400)
    assert found.error == pytest.approx(error, rel=1e-9)
    assert (found.high - found.low) / 2 == pytest.approx(1.97 * error, rel=0.04)


def test_draws_are_whole_and_means_of_equal_columns_are_equal_to_the_last_bit():
    counts = draw_counts(7, 3)
    assert counts.shape == (RESAMPLES, 7)
    assert set(counts.sum(1)) == {7.0}
    values = np.random.default_rng(0).random((61, 37))
    means = resampled_means(np.hstack([values, values[:, ::-1]]))
    assert (means[:, :37] == means[:, :36:-1]).all()
    np.testing.assert_allclose(means[:, :37], draw_counts(61) @ values / 61, rtol=1e-12)


def test_any_smooth_statistic_is_studentised_by_its_differences():
    a, b = GAMMA[0], GAMMA[1]
    found, made = (
        estimate_of(np.stack([a, b], 1), lambda m: np.log(m[..., 0] / m[..., 1])),
        log_ratio(by_item(*a), by_item(*b)),
    )
    assert found.columns() == pytest.approx(made.columns(), rel=1e-5)
    assert found.error == pytest.approx(made.error, rel=1e-6)
    with pytest.raises(AttribookError, match="NaN"):
        estimate_of(np.array([[math.nan]]), lambda m: m[..., 0])


def test_where_many_samples_have_no_value_there_is_no_interval():
    often, seldom = by_item(*[0] * 10, 1, 1), by_item(*[0] * 3, *[1.0, 2.0] * 6)
    assert barred(log_ratio(often, by_item(*[1, 2] * 6))) == NO_INTERVAL  # (10/12)^12 = 11% of the samples have no mean
    assert math.isfinite(log_ratio(seldom, by_item(*[1, 2, 3] * 5)).low)


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
    assert (found.value, found.n) == ((2 + 4.5) / 2, 5)
    assert found.error == pytest.approx(math.sqrt(1 / 3 + 0.5 / 2) / 2)
    many = [by_item(*np.random.default_rng(k).gamma(3, size=30)) for k in range(2)]
    whole, apart = estimate_groups([[(each, 1)] for each in many], log=False), [mean(each) for each in many]
    assert whole.error == pytest.approx(math.hypot(*(each.error for each in apart)) / 2)
    assert whole.n == 60
    assert 0.5 < (whole.high - whole.low) / (apart[0].high - apart[0].low) < 0.9


def test_the_mirror_image():
    found = difference(*(by_item(*column) for column in GAMMA[:2]))
    back = found.mirrored()
    assert (back.value, back.low, back.high, back.p) == (-found.value, -found.high, -found.low, found.p)
    assert back.mirrored() == found


# -- decisions and families ----------------------------------------------------------------------------------------


def test_clear_effects_are_decided_however_many_are_tested_together():
    chance = np.random.default_rng(0)
    rows = pd.concat([rows_of(f"m{k}", 1 + 0.1 * chance.uniform(-1, 1, size=60)) for k in range(300)])
    found = estimate(rows, family=())
    assert found["p (max-T)"].max() < 0.001
    assert set(decisions(found)) == {ABOVE}


def drawn_apart(t, ts, **more):
    """An estimate that lies t standard errors from 0, with |t| of its samples repeated to their number."""
    kinds = {"value": t, "low": -1.0, "high": 1.0, "n": 60, "error": 1.0, "reach": 2.0, "carried": 20.0} | more
    return Estimate(**kinds, drawn=np.resize(np.asarray(ts, float), RESAMPLES))


def test_step_down_max_t_by_hand():
    # Samples come in four kinds. The largest |t| of each is 1, 2, 3, 4; without the first test it is 1, 1, 3, 0.
    family = [drawn_apart(3.5, [0, 2, 1, 4]), drawn_apart(2.5, [1, 1, 3, 0]), drawn_apart(-0.5, [1, 0, 0, 0])]
    ps, reach = max_t(family)
    assert ps == pytest.approx([0.25, 0.25, 0.25], abs=2e-4)  # of the last alone 1/4; never below the one before
    assert reach == 4
    assert max_t([family[1]])[0] == pytest.approx([0.25], abs=2e-4)
    assert max_t(family[::-1])[0] == ps[::-1]
    assert max_t([drawn_apart(2.5, [0, 2, 1, 4]), family[1]])[0] == pytest.approx([0.5, 0.5], abs=2e-4)
    assert max_t([]) == ([], pytest.approx(math.nan, nan_ok=True))


def test_step_down_max_t_against_a_slow_rule():
    chance = np.random.default_rng(3)
    family = [drawn_apart(t, np.abs(chance.standard_normal(RESAMPLES))) for t in (0.1, 2.9, 1.7, 2.2, 2.9)]
    order = sorted(range(5), key=lambda k: -family[k].t)
    slow, before = {}, 0.0
    for rank, number in enumerate(order):
        left = [family[k].drawn for k in order[rank:]]
        largest = [max(each[sample] for each in left) for sample in range(RESAMPLES)]
        before = max(before, (1 + sum(one >= family[number].t for one in largest)) / (RESAMPLES + 1))
        slow[number] = before
    assert max_t(family)[0] == pytest.approx([slow[k] for k in range(5)])


def test_what_has_too_few_items_is_no_test_of_its_family_and_what_few_items_carry_is():
    clear, few = drawn_apart(3.0, [0, 1]), drawn_apart(9.0, [math.inf], n=39)
    assert max_t([clear, few])[0] == [1 / (RESAMPLES + 1), 1.0]
    heavy = drawn_apart(0.5, [0, 9], carried=2.0)
    assert max_t([clear, heavy])[0] == pytest.approx([0.5, 0.5], abs=2e-4)
    assert decided(few, 0.0) == decided(heavy, 0.0) == UNDECIDED


@pytest.mark.parametrize(
    ("more", "why"),
    [({}, ""), ({"n": 39}, FEW), ({"n": 40}, ""), ({"carried": 7.9}, HEAVY), ({"carried": 8.0}, ""),
     ({"heaviest": 0.21}, HEAVY), ({"heaviest": 0.2}, ""), ({"low": math.nan}, NO_INTERVAL)],
)  # fmt: skip
def test_what_bars_a_verdict(more, why):
    found = drawn_apart(3.0, [0, 1], **more)
    assert barred(found) == why
    assert decided(found, 0.0) == (UNDECIDED if why else ABOVE)


def test_by_how_many_items_a_mean_is_carried():
    assert carried_by(np.array([1.0, -1, 1, -1])) == (4.0, 0.25)
    assert carried_by(np.array([3.0, 0, 0, 0])) == (1.0, 1.0)
    assert carried_by(np.zeros(3)) == (math.inf, 0.0)
    values = np.random.default_rng(0).gamma(1, size=(2, 50))
    u = values[0] / values[0].mean() - values[1] / values[1].mean()
    found = log_ratio(*(by_item(*each) for each in values))
    assert found.carried == pytest.approx(50 / stats.kurtosis(u, fisher=False))
    assert found.heaviest == pytest.approx((u**2).max() / (u**2).sum())


@pytest.mark.parametrize(
    ("value", "p", "told"),
    [(0.3, 0.049, ABOVE), (-0.3, 0.049, BELOW), (0.3, 0.05, UNDECIDED), (0.0, 0.0, UNDECIDED),
     (math.nan, 0.0, UNDECIDED), (0.3, math.nan, UNDECIDED)],
)  # fmt: skip
def test_decisions(value, p, told):
    found = drawn_apart(value, [0, 1])
    assert decided(found, p) == told
    table = pd.DataFrame({"value": [value], "p": [0.0], "no verdict": [""], "p (max-T)": [p]})
    assert decisions(table).tolist() == [told]
    assert decisions(table.drop(columns="p (max-T)").assign(p=p)).tolist() == [told]
    assert decisions(table.assign(**{"no verdict": FEW})).tolist() == [UNDECIDED]


def test_families_are_adjusted_apart():
    chance = np.random.default_rng(1)
    rows = pd.concat(
        rows_of(f"m{k}", 0.25 + chance.standard_normal(50), metric) for metric in ("a", "b") for k in range(8)
    )
    apart, whole = estimate(rows, family=["metric"]), estimate(rows, family=())
    alone = pd.concat([estimate(rows[rows["metric"] == metric], family=()) for metric in ("a", "b")])
    assert apart["p (max-T)"].tolist() == alone["p (max-T)"].tolist()
    assert (whole["p (max-T)"] >= apart["p (max-T)"]).all()
    assert (whole["detectable (max-T)"] > apart["detectable (max-T)"]).all()
    assert (apart["detectable (max-T)"] > apart["detectable"]).all()


def test_a_leader_chosen_by_the_rows_is_compared_in_the_family_of_all_pairs():
    chance = np.random.default_rng(2)
    rows = pd.concat([rows_of(f"m{k}", chance.standard_normal(50)) for k in range(6)])
    best = estimate(rows).sort_values("value")["method"].iloc[-1]
    given, chosen = (
        estimate(rows, "difference", of={"method": best}, family=(), chosen=each) for each in (False, True)
    )
    pd.testing.assert_frame_equal(given.iloc[:, :-2], chosen.iloc[:, :-2])
    assert (chosen["p (max-T)"] > given["p (max-T)"]).any()
    values = {name: value_of(name, "soft_nc", rows) for name in rows["method"].unique()}
    others = [name for name in values if name != best]
    pairs = [difference(values[best], values[name]) for name in others]
    pairs += [difference(values[one], values[two]) for k, one in enumerate(others) for two in others[:k]]
    assert chosen["p (max-T)"].tolist() == pytest.approx(max_t(pairs)[0][:5])


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(AttribookError, match="NaN"):
        holm([math.nan])


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
        "method", "metric", "value", "low", "high", "n", "failed", "p", "detectable", "no verdict"
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
