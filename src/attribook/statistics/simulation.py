"""What the intervals and verdicts of the book keep, simulated: samples are drawn from items whose truth is known.

A population is a table of stored values, items down and methods across, one of them the baseline of all comparisons:
random scores, or integrated gradients in RPI's table, which has none. Its items are drawn with replacement, so the
population's own means are the truth. Every sample goes through `resampling` and `tests`, as rows do. tools/simulate.py
writes `populations.csv` and `results/simulation`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import kurtosis, skew

from attribook.statistics.contrasts import Made, averaged, signed_sum
from attribook.statistics.resampling import Estimate, Numbers, Samples, pairs_of, quantiles
from attribook.statistics.tests import (
    ABOVE,
    BELOW,
    LEAST_CARRIERS,
    UNDECIDED,
    barred,
    benjamini_hochberg,
    decided,
    holm,
    max_t,
)

Row = dict[str, Any]
SEED = 2026
SIZES = (12, 24, 40, 60, 100, 200, 400)  # items of a sample, for coverage
FAMILY_SIZES = (24, 40, 60, 100, 200)
PROCEDURES: Mapping[str, Callable[[Sequence[Estimate]], list[float]]] = {
    "max-T": lambda family: max_t(family)[0],
    "Holm": lambda family: holm([one.p for one in family]),
    "Benjamini-Hochberg": lambda family: benjamini_hochberg([one.p for one in family]),
    "none": lambda family: [one.p for one in family],
}


class Population(NamedTuple):
    """Values of items: those of some methods and those of a baseline; whether logarithms of means are compared."""

    name: str
    values: Numbers  # (items, methods)
    baseline: Numbers  # (items,)
    log: bool

    def truth(self) -> Numbers:
        """What is estimated, for each method."""
        means, other = self.values.mean(0), self.baseline.mean()
        return np.asarray(np.log(means / other) if self.log else means - other)

    def influence(self) -> Numbers:
        """Influence of each item on each estimate, but for the number of items."""
        other = self.baseline[:, None]
        u = self.values / self.values.mean(0) - other / other.mean() if self.log else self.values - other
        return np.asarray(u - u.mean(0))

    def null(self) -> "Population":
        """The same, moved so that no method differs from the baseline."""
        means, other = self.values.mean(0), self.baseline.mean()
        return self._replace(values=self.values * other / means if self.log else self.values - means + other)

    def extremes(self) -> list["Population"]:
        """The method whose influences have the median kurtosis, and the one with the largest, each alone."""
        order = np.argsort(kurtosis(self.influence()))
        return [
            self._replace(values=self.values[:, [place]])
            for place in dict.fromkeys((order[len(order) // 2], order[-1]))
        ]


def populations() -> Iterator[Population]:
    """Those of `populations.csv`, and two lognormal ones.

    Its columns: population; log, whether logarithms of means are compared; method, the baseline first; and values, one
    for each item, in the same order for every method of a population.
    """
    frame = pd.read_csv(Path(__file__).with_name("populations.csv"))
    for (name, log), rows in frame.groupby(["population", "log"], sort=False):
        baseline, *methods = (np.array(text.split(), float) for text in rows["values"])
        yield Population(str(name), np.column_stack(methods), baseline, bool(log))
    for sigma in (0.5, 1.5):
        values = np.random.default_rng(SEED).lognormal(sigma=sigma, size=(5_000, 2))
        yield Population(f"lognormal, sigma {sigma}", values[:, 1:], values[:, 0], True)


def drawn(population: Population, n: int, chance: np.random.Generator) -> list[Made]:
    """The comparison of each method with the baseline, on a sample of n items."""
    picked = chance.integers(len(population.baseline), size=n)
    values = np.column_stack([population.baseline, population.values])[picked]
    many = range(1, values.shape[1])
    held = Samples(values, [pair for method in many for pair in pairs_of([0, method])])
    return [signed_sum(held, [method, 0], [1, -1], log=population.log) for method in many]


def coverage(population: Population, n: int, repetitions: int) -> Row:
    """How often intervals of one comparison contain the truth: of all samples, and of those open to a verdict."""
    chance, (truth,), (u,) = np.random.default_rng([SEED, n]), population.truth(), population.influence().T
    told = []
    for _ in range(repetitions):
        (made,) = drawn(population, n, chance)
        found, (low, high) = averaged([made], 0), quantiles(made[0][1:])
        covered, percentile = found.low <= truth <= found.high, low <= truth <= high
        told.append((covered, percentile, not barred(found), (found.high - found.low) / (high - low)))
    covered, percentile, may, width = map(np.array, zip(*told, strict=True))
    return {
        "population": population.name, "skewness": skew(u), "kurtosis": kurtosis(u, fisher=False), "n": n,
        "repetitions": repetitions, "percentile": percentile.mean(), "studentised": covered.mean(),
        "open": may.mean(), "wrong and open": (~covered & may).mean(), "width": pd.Series(width).median(),
    }  # fmt: skip


def family_rows(population: Population, n: int, repetitions: int) -> list[Row]:
    """How often any of a table's comparisons is decided though none is true, and how many that are true are found.

    `any false, open` counts comparisons only that the population itself leaves open: what is kept where many items are
    stored, so that the few that carry a mean are known, and a page shows a part of them.
    """
    null = population.null()
    carried = n / kurtosis(null.influence(), fisher=False)
    false: dict[str, list[tuple[bool, bool]]] = {name: [] for name in PROCEDURES}
    right: dict[str, list[float]] = {name: [] for name in PROCEDURES}
    true = np.where(population.truth() > 0, ABOVE, BELOW)
    for number in range(repetitions):
        for one in (null, population):
            family = [averaged([made], 0) for made in drawn(one, n, np.random.default_rng([SEED, n, number]))]
            for name, adjust in PROCEDURES.items():
                found = np.array([decided(each, p) for each, p in zip(family, adjust(family), strict=True)])
                if one is population:
                    right[name].append(float((found == true).mean()))
                else:
                    wrong = found != UNDECIDED
                    false[name].append((wrong.any(), (wrong & (carried >= LEAST_CARRIERS)).any()))
    return [
        {"population": population.name, "tests": len(true), "n": n, "repetitions": repetitions, "procedure": name,
         **dict(zip(("any false", "any false, open"), np.mean(false[name], axis=0), strict=True)),
         "found": np.mean(right[name])} for name in PROCEDURES
    ]  # fmt: skip
