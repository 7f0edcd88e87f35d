"""The statistics of all pages: paired bootstraps over prompts, Holm, the split of noise, the expected best of n."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from attribook.errors import AttribookError

Numbers = NDArray[np.float64]
RESAMPLES = 10_000
Z_95, Z_80 = 1.959964, 0.841621  # two-sided 5% level, 80% power


@dataclass(frozen=True)
class Estimate:
    """A mean, a difference of means or the log of their ratio, its 95% interval, and what it rests on."""

    value: float
    low: float
    high: float
    n: int  # prompts with a value for all that is compared
    failed: int  # prompts left out because the method or the metric failed
    standard_error: float
    p: float = float("nan")  # two-sided, of no difference: from the same resamples, or Student's where all are beyond 0

    @property
    def detectable(self) -> float:
        """Smallest true value that would be told from 0 at the 5% level with 80% power."""
        return (Z_95 + Z_80) * self.standard_error


def per_item(rows: pd.DataFrame, method: str, metric: str) -> tuple[pd.Series, int]:
    """Mean value of each prompt over seeds and draws, and the number of prompts that have a failed row."""
    chosen = rows[(rows["method"] == method) & (rows["metric"] == metric)]
    if chosen.empty:
        raise AttribookError(f"There are no rows of {metric} for {method}.")
    good = (chosen["status"] == "ok").groupby(chosen["item"]).all()
    values = chosen.groupby("item")["value"].mean()
    return values[good], int((~good).sum())


def log_ratio(rows: pd.DataFrame, method: str, metric: str, *, baseline: str = "random", seed: int = 0) -> Estimate:
    """Log of the ratio of means over prompts, method to baseline.

    Formula: log(mean_x M(x; a) / mean_x M(x; rho)), M averaged over seeds and mask draws of each prompt first.
        The interval is the percentile interval of a paired bootstrap: prompts are resampled, method and baseline
        together. Prompts where either failed are left out and counted.
    Range:   nats, signed; above 0 the method does better than random. -inf where the method's mean is 0.
    Raises:  AttribookError without rows, or if the baseline's mean is 0.
    Source:  ReAGent's released summary scripts (ratio of means, natural log); the interval is ours.
    """
    ours, failed = per_item(rows, method, metric)
    random, baseline_failed = per_item(rows, baseline, metric)
    both = ours.index.intersection(random.index).sort_values()
    a, b = ours[both].to_numpy(), random[both].to_numpy()
    if len(both) == 0 or b.mean() == 0:
        raise AttribookError(f"{metric}: no prompt, or a random baseline of 0, for {method}: no ratio exists.")
    picks = np.random.default_rng(seed).integers(len(both), size=(RESAMPLES, len(both)))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(np.log(a.mean() / b.mean()))
        resampled = np.log(a[picks].mean(1) / b[picks].mean(1))
    return interval_of(value, resampled, len(both), failed + baseline_failed)


@dataclass(frozen=True)
class Reading:
    """One way to a published-style number: rows, the method in them, and what it is divided by."""

    rows: pd.DataFrame
    method: str
    baseline: str = "random"


def log_ratio_change(before: Reading, after: Reading, metric: str, *, seed: int = 0) -> Estimate:
    """How far the log-ratio of means moves from one reading to another.

    Formula: log(mean a' / mean b') - log(mean a / mean b), a and b the prompts' values of method and baseline, as in
        `log_ratio`; prompts are resampled together in all four.
    Range:   nats, signed; above 0 the second reading favours the method more.
    Raises:  AttribookError without rows, or if a baseline's mean is 0.
    Source:  ours.
    """
    parts = [per_item(r.rows, name, metric) for r in (after, before) for name in (r.method, r.baseline)]
    found = pd.concat([values for values, _ in parts], axis=1, join="inner").sort_index().to_numpy()  # (n, 4)
    failed = sum(missing for _, missing in parts)
    if len(found) == 0 or (found.mean(0)[[1, 3]] == 0).any():
        raise AttribookError(f"{metric}: no prompt, or a baseline of 0, for {after.method}: no ratio exists.")
    picks = np.random.default_rng(seed).integers(len(found), size=(RESAMPLES, len(found)))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(np.log(found.mean(0)) @ [1, -1, -1, 1])
        resampled = np.log(found[picks].mean(1)) @ [1, -1, -1, 1]  # (resamples,)
    return interval_of(value, resampled, len(found), failed)


def interval_of(value: float, resampled: np.ndarray, n: int, failed: int) -> Estimate:
    """A value with what its resampled copies say about it."""
    usable = resampled[np.isfinite(resampled)]
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    error = float(usable.std(ddof=1)) if len(usable) > 1 else float("inf")
    beyond = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    p = min(1.0, 2 * (1 + beyond) / (RESAMPLES + 1))
    if not beyond:
        p = min(p, student_p(value, error, n))
    return Estimate(value, float(low), float(high), n, failed, error, p)


def student_p(value: float, error: float, n: int) -> float:
    """Two-sided p of no difference by Student's t with n - 1 degrees, of a value with its standard error.

    Resamples that all lie on one side of 0 cannot tell how small p is: at best 2 / (RESAMPLES + 1), which a family of
    251 tests multiplies to more than 5%, so that nothing in it could be decided whatever the data. NaN errors give 1.
    """
    if n < 2 or not error > 0 or not math.isfinite(error):
        return 1.0
    return float(2 * stdtr(n - 1, -abs(value) / error))


def student_interval(values: Numbers) -> tuple[float, float, float]:
    """Mean of a few values with its 95% interval by Student's t; NaN for that of a single one."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, math.nan, math.nan
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return mean, mean - half, mean + half


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values of a family of tests, in the order given.

    Formula: with p_(1) <= ... <= p_(m), the i-th becomes max over j <= i of min(1, (m - j + 1) p_(j)).
    Source:  Holm 1979.
    """
    order = np.argsort(ps, kind="stable")
    scaled = np.minimum(1.0, np.array(ps)[order] * np.arange(len(ps), 0, -1))
    adjusted = np.empty(len(ps))
    adjusted[order] = np.maximum.accumulate(scaled)
    return [float(p) for p in adjusted]


@dataclass(frozen=True)
class NoiseSplit:
    """Where the noise of a mean over prompts comes from: standard deviations, and their shares of its variance."""

    n: int
    seeds: int
    draws: int
    between: tuple[float, float, float]  # standard deviation of prompts, of seeds, of mask draws
    shares: tuple[float, float, float]  # of the variance of the mean; they add up to 1
    error: float  # standard error of the mean


def noise_split(rows: pd.DataFrame, method: str, metric: str) -> NoiseSplit | None:
    """Variance of a metric's values split into prompts, seeds and mask draws; every prompt has as many of both.

    Formula: x_psd of P prompts, S seeds, D draws, nested. draws: mean variance within a seed. seeds: mean variance of
        the seeds' means, less draws / D. prompts: variance of the prompts' means, less seeds / S and draws / (S D).
        None below 0. The variance of the mean is prompts / P + seeds / (P S) + draws / (P S D). With one seed, prompts
        and seeds cannot be told apart and count as prompts; with one draw, seeds and draws count as seeds.
    Range:   standard deviations, in the metric's unit; None without two prompts of equal make.
    Source:  analysis of variance of a nested design; seeds of a method draw their own masks here.
    """
    chosen = rows[(rows["method"] == method) & (rows["metric"] == metric)]
    whole = chosen[chosen.groupby("item")["value"].transform(lambda values: values.notna().all())]
    n, seeds, draws = (whole[name].nunique() for name in ("item", "seed", "draw"))
    if n < 2 or len(whole) != n * seeds * draws:
        return None
    values = whole.sort_values(["item", "seed", "draw"])["value"].to_numpy(float).reshape(n, seeds, draws)
    by_seed, by_prompt = values.mean(2), values.mean((1, 2))  # (n, seeds), (n,)
    of_draws = float(values.var(axis=2, ddof=1).mean()) if draws > 1 else 0.0
    of_seeds = max(0.0, float(by_seed.var(axis=1, ddof=1).mean()) - of_draws / draws) if seeds > 1 else 0.0
    known = of_seeds / seeds + (of_draws / (seeds * draws))
    of_prompts = max(0.0, float(by_prompt.var(ddof=1)) - known)
    parts = np.array([of_prompts, of_seeds / seeds, of_draws / (seeds * draws)]) / n
    total = float(parts.sum())
    shares = tuple(float(part) / total if total else float("nan") for part in parts)
    deviations = tuple(float(np.sqrt(part)) for part in (of_prompts, of_seeds, of_draws))
    return NoiseSplit(n, seeds, draws, deviations, shares, float(np.sqrt(total)))  # type: ignore[arg-type]


def expected_pick(liked: Numbers, told: Numbers, size: int) -> Numbers:
    """Mean of `told` at the most liked map over all subsets of `size` maps; both `(n, M)`, gives `(n,)`.

    The i-th most liked of M maps, i = 0..M-1, is the most liked of C(M - 1 - i, size - 1) of the C(M, size) subsets.
    Of maps that are liked alike the first counts as more liked. With `told` = `liked` this is the expected best of n.
    """
    many = liked.shape[1]
    weights = np.array([comb(many - 1 - i, size - 1) for i in range(many)], dtype=float) / comb(many, size)
    order = np.argsort(-liked, axis=1, kind="stable")
    return np.take_along_axis(told, order, axis=1) @ weights


def mean_interval(values: np.ndarray, *, seed: int = 0) -> tuple[float, float, float]:
    """Mean of the prompts' values with its 95% percentile interval over resampled prompts."""
    picks = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[picks].mean(1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


Part = tuple[pd.Series, int]  # values of prompts by name, and whether their mean is added (+1) or subtracted (-1)


def combined(groups: Sequence[Sequence[Part]], *, log: bool, failed: int = 0, seed: int = 0) -> Estimate:
    """A sum of means, or of logarithms of means, averaged over groups of prompts, with its bootstrap interval.

    Formula: mean over groups g of sum_i s_i f(mean of part i over the prompts that all parts of g have), f the natural
        logarithm (`log`) or nothing. Prompts of a group are resampled together, as in `log_ratio`, groups apart.
    Range:   nats with `log`, else the parts' own unit; signed.
    Raises:  AttribookError where a group has no prompt in common, or `log` meets a mean of 0.
    Source:  ours; one group of a method's and random's values gives `log_ratio`.
    """
    value, resampled, n = 0.0, np.zeros(RESAMPLES), 0
    for number, parts in enumerate(groups):
        found = pd.concat([values for values, _ in parts], axis=1, join="inner").sort_index().to_numpy()  # (n, parts)
        signs = np.array([sign for _, sign in parts])
        if len(found) == 0 or (log and (found.mean(0) == 0).any()):
            raise AttribookError("No prompt in common, or a mean of 0 whose logarithm is asked for.")
        means = resampled_means(found, seed + number)  # (resamples, parts)
        with np.errstate(divide="ignore", invalid="ignore"):
            value += float((np.log(found.mean(0)) if log else found.mean(0)) @ signs) / len(groups)
            resampled += (np.log(means) if log else means) @ signs / len(groups)
        n += len(found)
    return interval_of(value, resampled, n, failed)


def combined_if_any(groups: Sequence[Sequence[Part]], *, log: bool, failed: int = 0) -> Estimate:
    """`combined`, or where that does not exist NaN with p 1, which decides nothing, and the n of the smallest part."""
    try:
        return combined(groups, log=log, failed=failed)
    except AttribookError:
        n = min((len(values) for parts in groups for values, _ in parts), default=0)
        return Estimate(math.nan, math.nan, math.nan, n, failed, math.nan, 1.0)


def resampled_means(values: np.ndarray, seed: int) -> np.ndarray:
    """Means `(resamples, parts)` of prompts `(n, parts)` drawn with replacement, the same draws as in `log_ratio`."""
    return draw_counts(len(values), seed) @ values / len(values)


@lru_cache(maxsize=8)
def draw_counts(n: int, seed: int) -> np.ndarray:
    """How often each of n prompts was drawn in each resample, `(resamples, n)`."""
    picks = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
    places = picks + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(places.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(float)
