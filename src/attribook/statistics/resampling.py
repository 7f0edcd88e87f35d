"""The one bootstrap of the book: statistics of means over items, drawn anew together for all that is compared.

An item is what is sampled, mostly a prompt. Every estimate is a smooth function of means over items. Its 95% interval
is that of the symmetric studentised bootstrap: each of 10,000 samples of as many items, drawn with replacement, lies
some number of its own standard errors away from the estimate, and the interval reaches to both sides as many standard
errors as 95% of the samples do. How far it can be trusted is simulated in `simulation.py`.
Source: Hall 1988, with the delta method's standard errors.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from attribook.errors import AttribookError

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]  # takes means (..., k) and gives (...)
RESAMPLES = 10_000
LEVEL = 0.05
Z_80 = 0.841621  # 80% power
NOTHING = 1e-12  # a variance that is a smaller part of the terms it is the sum of is rounding


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
    reach: float = math.nan  # how many standard errors the interval reaches to each side
    carried: float = math.inf  # by how many items the variance is carried, see `carried_by`
    heaviest: float = 0.0  # the largest share of one item in it
    drawn: Numbers | None = field(default=None, repr=False, compare=False)  # |t| of every sample

    @property
    def t(self) -> float:
        """How many standard errors the value lies from 0."""
        return abs(self.value) / self.error if self.error > 0 else 0.0

    @property
    def detectable(self) -> float:
        """Smallest true value that would be told from 0 at the 5% level of a single test with 80% power."""
        return self.detectable_at(self.reach)

    def detectable_at(self, reach: float) -> float:
        """The same where a value must lie `reach` standard errors from 0."""
        return (reach + Z_80) * self.error if self.error else 0.0

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
    """The ends of a 95% percentile interval, for what has no standard error because it moves in steps."""
    low, high = np.quantile(resampled, (LEVEL / 2, 1 - LEVEL / 2), method="nearest")
    return float(low), float(high)


# -- means with their standard errors ------------------------------------------------------------------------------


class Samples:
    """Means of items `(n, k)`, and variances of smooth functions of them: of the items, and of every sample.

    Row 0 of all that it gives is of the items themselves, the others are of the samples: `(1 + RESAMPLES, ...)`.
    pairs: columns of which a variance needs the product, all at once, so that one multiplication makes them.
    """

    def __init__(self, values: Numbers, pairs: Sequence[tuple[int, int]], seed: int = 0) -> None:
        self.n, self.centre = len(values), values.mean(0)
        self.values = values - self.centre  # squares of what is near 0 lose no digits
        self.means = np.vstack([self.centre, resampled_means(values, seed)])
        self._place = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        products = np.stack([self.values[:, a] * self.values[:, b] for a, b in self._place], axis=1)
        self._products = np.vstack([products.mean(0), draw_counts(self.n, seed) @ products / self.n])

    def variances(self, columns: Sequence[int], slopes: Numbers) -> Numbers:
        """Squared standard error of a function of the means of some columns, by the delta method.

        slopes: its derivatives by these means, `(k,)`, or `(1 + RESAMPLES, k)` where they depend on the means.
        Formula: sum_ab s_a s_b cov(x_a, x_b) / n, with cov's divisor n - 1. What is rounding becomes 0.
        """
        slopes = np.broadcast_to(slopes, (1 + RESAMPLES, len(columns)))
        total, size = np.zeros(1 + RESAMPLES), np.zeros(1 + RESAMPLES)
        moved = self.means - self.centre
        for i, a in enumerate(columns):
            for j, b in enumerate(columns[: i + 1]):
                weight = slopes[:, i] * slopes[:, j] * (1 if i == j else 2)
                held = self._products[:, self._place[pair_of(a, b)]]
                total += weight * (held - moved[:, a] * moved[:, b])
                size += np.abs(weight) * np.abs(held)
        return np.where(total > NOTHING * size, total, 0.0) / max(self.n - 1, 1)

    def influence(self, columns: Sequence[int], slopes: Numbers) -> Numbers:
        """What each item adds to the value of the function, to first order: it adds up to 0."""
        return self.values[:, list(columns)] @ slopes / self.n


def pair_of(a: int, b: int) -> tuple[int, int]:
    """Two columns, whose order does not matter."""
    return min(a, b), max(a, b)


def pairs_of(columns: Sequence[int]) -> list[tuple[int, int]]:
    """All pairs of some columns, with themselves too."""
    return [pair_of(a, b) for i, a in enumerate(columns) for b in columns[: i + 1]]


def studentised(values: Numbers, variances: Numbers, influence: Numbers, n: int, failed: int) -> Estimate:
    """An estimate from its value (place 0), those of all samples, and their squared standard errors.

    Undefined where the value is not finite, or where more than 5% of the samples have no value or no error. p is the
    share of samples that lie as many standard errors from the estimate as that lies from 0; without variation nothing
    is tested, and p = 1.
    """
    value = float(values[0])
    if not math.isfinite(value):
        return undefined(n, failed)
    error = math.sqrt(variances[0]) if n > 1 else math.nan
    if error == 0:
        return Estimate(value, value, value, n, failed, 1.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.abs(values[1:] - value)
        drawn = np.where(moved > 0, moved / np.sqrt(variances[1:]), 0.0)
    drawn[np.isnan(values[1:]) | np.isnan(drawn)] = math.inf
    reach = float(np.quantile(drawn, 1 - LEVEL, method="higher"))
    if not math.isfinite(reach) or math.isnan(error):
        return replace(undefined(n, failed), value=value, error=error)
    p = (1 + int((drawn >= abs(value) / error).sum())) / (RESAMPLES + 1)
    low, high = value - reach * error, value + reach * error
    return Estimate(value, low, high, n, failed, p, error, reach, *carried_by(influence), drawn)


def carried_by(influence: Numbers) -> tuple[float, float]:
    """By how many items the variance of a mean is carried, and the largest share of one item in it.

    Formula: (sum e^2)^2 / sum e^4 of the items' influences e, which is n / kurtosis: n where all are alike, 1 where one
        item is everything.
    """
    squares = influence**2
    total = float(squares.sum())
    if total == 0:
        return math.inf, 0.0
    return total**2 / float((squares**2).sum()), float(squares.max()) / total


def estimate_of(values: Numbers, statistic: Statistic, *, failed: int = 0, seed: int = 0) -> Estimate:
    """Any smooth statistic of the means of `values` `(n, k)`, a row for each item, with its interval.

    statistic: takes means `(..., k)` and gives `(...)`, for the items themselves and for all samples at once. Its
        derivatives are differences of its values.
    Raises: AttribookError where a value is NaN.
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).any():
        raise AttribookError("A value is NaN. Leave out items that failed, and count them in `failed`.")
    if not len(values):
        return undefined(0, failed)
    columns = range(values.shape[1])
    held = Samples(values, pairs_of(columns), seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = derivatives(statistic, held.means, values.std(0))
        found = held.variances(columns, slopes)
        return studentised(statistic(held.means), found, held.influence(columns, slopes[0]), len(values), failed)


def derivatives(statistic: Statistic, means: Numbers, spread: Numbers) -> Numbers:
    """Derivatives `(..., k)` of a statistic by each mean, as central differences of a millionth of its spread."""
    steps = np.where(spread > 0, spread, 1.0) * 1e-6
    found = np.zeros_like(means)
    for place, step in enumerate(steps):
        moved = np.zeros(means.shape[-1])
        moved[place] = step
        found[..., place] = (statistic(means + moved) - statistic(means - moved)) / (2 * step)
    return found
