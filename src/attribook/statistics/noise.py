"""Where the noise of a mean over prompts comes from, and the interval of a mean of a few values."""

import math
from dataclasses import dataclass

import pandas as pd


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
    known = of_seeds / seeds + of_draws / (seeds * draws)
    of_prompts = max(0.0, float(by_prompt.var(ddof=1)) - known)
    prompts, between, within = (part / n for part in (of_prompts, of_seeds / seeds, of_draws / (seeds * draws)))
    total = prompts + between + within
    shares = (prompts / total, between / total, within / total) if total else (math.nan, math.nan, math.nan)
    deviations = (math.sqrt(of_prompts), math.sqrt(of_seeds), math.sqrt(of_draws))
    return NoiseSplit(n, seeds, draws, deviations, shares, math.sqrt(total))
