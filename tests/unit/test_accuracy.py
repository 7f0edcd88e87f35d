"""The interval of a share against its definition, by the binomial tails of both ends."""

from math import comb

import pytest

from attribook.statistics.accuracy import clopper_pearson


def at_most(k, n, p):
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize(("right", "n"), [(0, 4), (4, 4), (3, 10), (50, 100)])
def test_beyond_each_end_so_many_would_be_seen_in_less_than_one_sample_of_forty(right, n):
    low, high = clopper_pearson(right, n)
    assert 1 - at_most(right - 1, n, low) == pytest.approx(0.025 if right else 1)
    assert at_most(right, n, high) == pytest.approx(0.025 if right < n else 1)


def test_none_of_ten_by_hand():
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025 ** (1 / 10)))
