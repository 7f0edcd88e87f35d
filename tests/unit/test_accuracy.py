"""Wilson's interval against its formula."""

from math import sqrt

import pytest

from attribook.statistics.accuracy import wilson


@pytest.mark.parametrize(("right", "n"), [(0, 4), (4, 4), (3, 10), (50, 100)])
def test_wilsons_interval_by_its_formula(right, n):
    z, p = 1.959964, right / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    by_hand = [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    assert wilson(right, n) == pytest.approx(tuple(by_hand), abs=1e-6)


def test_wilsons_interval_as_printed_in_textbooks():
    low, high = wilson(50, 100)
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)
