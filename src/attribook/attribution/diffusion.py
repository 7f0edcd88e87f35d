"""Paths that begin at baselines drawn from a Gaussian diffusion process, as RPI takes them.

R paths (`trials`) from b_r to an end a, n points (`steps`) on each. A baseline is sqrt(abar_t) times a centre plus
noise: at small t almost the centre, at large t almost nothing but noise. The paper gives neither T nor the variances
beta; both are here the released code's: T = 500 (`horizon`), beta_i linear from 1e-4 at i = 0 to 0.02 at i = T, abar_t
the product of 1 - beta_i over i = 0..t, and abar_0 = 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError

FIRST_BETA, LAST_BETA = 1e-4, 0.02


@dataclass(frozen=True)
class RandomPaths:
    """Where paths begin and where they are visited; the names are options of the methods."""

    trials: int
    steps: int
    points: str
    timestep: str
    horizon: int
    noise: str

    def __post_init__(self) -> None:
        if self.trials < 1 or self.horizon < 1:
            raise AttribookError(f"Choose at least one trial and a horizon of 1, not {self.trials} and {self.horizon}.")
        if self.points not in {"right", "both_ends"}:
            raise AttribookError(f"Unknown points {self.points!r}. Choose right or both_ends.")
        if self.steps < (1 if self.points == "right" else 2):
            raise AttribookError(f"Too few steps, {self.steps}: choose at least 1 for points right, 2 for both_ends.")
        if self.noise not in {"deviation", "variance"}:
            raise AttribookError(f"Unknown noise {self.noise!r}. Choose deviation or variance.")
        known = self.timestep == "uniform" or self.timestep.isdecimal()
        if not known or (self.timestep != "uniform" and not 1 <= int(self.timestep) <= self.horizon):
            raise AttribookError(
                f"Unknown timestep {self.timestep!r}. Choose uniform, or a number from 1 to {self.horizon}."
            )

    def alpha_bar(self) -> Tensor:
        """abar_t for t = 0..T, `(T + 1,)`."""
        betas = torch.linspace(FIRST_BETA, LAST_BETA, self.horizon + 1, dtype=torch.float64)
        alphas = (1 - betas).cumprod(0)
        alphas[0] = 1
        return alphas

    def draws(self, shape: torch.Size, generator: Generator) -> Iterator[tuple[float, float, Tensor]]:
        """For every trial sqrt(abar_t), the scale of its noise, and standard normal noise; t is drawn first.

        One trial after the other, so that a longer run begins with the baselines of a shorter one.
        """
        alphas = self.alpha_bar()
        for _ in range(self.trials):
            uniform = torch.randint(1, self.horizon + 1, (), generator=generator)
            t = int(uniform) if self.timestep == "uniform" else int(self.timestep)
            variance = 1 - alphas[t]
            scale = variance.sqrt() if self.noise == "deviation" else variance
            normal = torch.randn(shape, generator=generator, dtype=torch.float64)
            yield float(alphas[t].sqrt()), float(scale), normal

    def fractions(self) -> Tensor:
        """Points `(steps,)` on [0, 1]: j / n for j = 1..n, or from 0 to 1 with both ends."""
        if self.points == "right":
            return torch.arange(1, self.steps + 1, dtype=torch.float64) / self.steps
        return torch.linspace(0, 1, self.steps, dtype=torch.float64)

    def batches(self, end: Tensor, starts: Iterator[Tensor], size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """At most `size` points at a time, path after path: trials `(b,)`, their starts and the points `(b, ...)`."""
        fractions = self.fractions().to(end)
        begun: dict[int, Tensor] = {}
        for chunk in torch.arange(self.trials * self.steps).split(size):
            trials = chunk // self.steps  # (b,)
            begun = {r: begun[r] if r in begun else next(starts) for r in trials.unique().tolist()}
            start = torch.stack([begun[r] for r in trials.tolist()])  # (b, ...)
            along = fractions[chunk % self.steps].view(-1, *[1] * end.dim())  # (b, 1, ...)
            yield trials, start, start + along * (end - start)


def combined(maps: Tensor, aggregate: str) -> tuple[Tensor, dict[str, float]]:
    """One score vector `(T,)` of maps `(M, T)`, and how far they differ; `all` is for `candidate_maps`."""
    deviation = float((maps - maps.mean(0)).square().mean().sqrt())
    choices = {"mean": lambda: maps.mean(0), "median": lambda: maps.quantile(0.5, dim=0), "all": lambda: maps}
    if aggregate not in choices:
        raise AttribookError(f"Unknown aggregate {aggregate!r}. Choose mean or median.")
    return choices[aggregate](), {"map_deviation": deviation}
