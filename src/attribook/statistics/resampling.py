"""The one bootstrap of the book: statistics of means over items, drawn anew together for all that is compared.

An item is what is sampled, mostly a prompt. Every estimate is a function of means over items; its 95% interval is the
percentile interval of that function over 10,000 samples of as many items, drawn with replacement.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from attribook.errors import AttribookError

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]  # takes means (..., k) and gives (...)
RESAMPLES = 10_000
TAILS = (0.025, 0.975)
Z_95, Z_80 = 1.959964, 0.841621  # two-sided 5% level, 80% power


@dataclass(frozen=True)
class Estimate:
    """A statistic of items, its 95% interval, and what it rests on. NaN with p = 1 where the statistic is undefined."""

    value: float
    low: float
    high: float
    n: int  # items with a value for all that is compared
    failed: int = 0  # items left out because a method or a metric failed
    p: float = 1.0  # two-sided, that the true value is 0
    error: float = math.nan  # standard error

    @property
    def detectable(self) -> float:
        """Smallest true value that would be told from 0 at the 5% level with 80% power."""
        return (Z_95 + Z_80) * self.error

    def mirrored(self) -> "Estimate":
        """The estimate of the opposite difference."""
        return replace(self, value=-self.value, low=-self.high, high=-self.low)

    def columns(self) -> dict[str, float]:
        """The columns that an estimate has in a table."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n, "failed": self.failed,
                "p": self.p, "detectable": self.detectable}  # fmt: skip


def undefined(n: int, failed: int = 0) -> Estimate:
    """No estimate: it decides nothing and shows as a dash."""
    return Estimate(math.nan, math.nan, math.nan, n, failed)


@lru_cache(maxsize=8)
def draw_counts(n: int, seed: int = 0) -> Numbers:
    """How often each of n items is drawn in each sample, `(RESAMPLES, n)`; a row adds up to n."""
    picks = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
    places = picks + n * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(places.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(float)
    counts.setflags(write=False)
    return counts


def resampled_means(values: Numbers, seed: int = 0) -> Numbers:
    """Means `(RESAMPLES, k)` of items `(n, k)` drawn with replacement, all columns together.

    It multiplies by whole numbers and divides last, so that means of counts that tie stay equal. Equal columns are
    computed once: their difference is then exactly 0, which the order of additions inside BLAS does not promise.
    """
    columns, places = np.unique(values, axis=1, return_inverse=True)
    return (draw_counts(len(values), seed) @ columns / len(values))[:, places.ravel()]


def quantiles(resampled: Numbers) -> tuple[float, float]:
    """The ends of a 95% percentile interval: the only quantile rule of the book."""
    low, high = np.quantile(resampled, TAILS, method="nearest")
    return float(low), float(high)


def estimate_of(
    values: Numbers, statistic: Statistic, *, failed: int = 0, seed: int = 0, omit_undefined: bool = False
) -> Estimate:
    """A statistic of the means of `values` `(n, k)`, a row for each item, with its interval.

    statistic: takes means `(..., k)` and gives `(...)`, for the items themselves and for all samples at once.
    omit_undefined: samples in which the statistic is NaN are left out; otherwise one of them makes the interval NaN.
    Raises: AttribookError where a value is NaN.
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).any():
        raise AttribookError("A value is NaN. Leave out items that failed, and count them in `failed`.")
    if not len(values):
        return undefined(0, failed)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(values.mean(0)))
        resampled = statistic(resampled_means(values, seed))
    if omit_undefined:
        resampled = resampled[~np.isnan(resampled)]
    return interval_of(value, resampled, len(values), failed)


def interval_of(value: float, resampled: Numbers, n: int, failed: int) -> Estimate:
    """A value with what its resampled copies say about it; undefined where the value or an end of the interval is NaN.

    p is counted: twice the smaller share of samples on one side of 0. Where all lie on one side, it is Student's, if
    that is smaller.
    """
    if not math.isfinite(value) or not len(resampled):
        return undefined(n, failed)
    low, high = quantiles(resampled)
    if math.isnan(low) or math.isnan(high):
        return replace(undefined(n, failed), value=value)
    usable = resampled[np.isfinite(resampled)]
    error = float(usable.std(ddof=1)) if len(usable) > 1 else math.inf
    beyond = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    p = min(1.0, 2 * (1 + beyond) / (RESAMPLES + 1))
    if not beyond:
        p = min(p, student_p(value, error, n))
    return Estimate(value, low, high, n, failed, p, error)


def student_p(value: float, error: float, n: int) -> float:
    """Two-sided p of no difference by Student's t with n - 1 degrees of freedom, of a value with its standard error.

    Samples that all lie on one side of 0 cannot say how small p is: at best 2 / (RESAMPLES + 1), which a family of
    251 tests multiplies to more than 5%, so that nothing in it could be decided whatever the data. NaN errors give 1.
    """
    if n < 2 or not error > 0 or not math.isfinite(error):
        return 1.0
    return float(2 * stdtr(n - 1, -abs(value) / error))
