"""What a check found: a list of differences, each with a name, and how much was looked at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

# How far a number may lie from the stored one, as a share of the largest number beside it, and of 1 for metrics, which
# are about 1. Processors and numbers of threads add up in different orders; `attribook check` prints the largest share
# that it saw, and the book's page on checks says what it was on which machine. What a changed draw moves is far above.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Drift:
    """One difference between what is stored or committed and what is now."""

    check: str  # files, ledger, weights, data, keys, scores, or the name of a metric
    where: str
    what: str

    @property
    def row(self) -> tuple[str, str, str]:
        """For a table."""
        return self.check, self.where, self.what


@dataclass
class Report:
    """All that checks found, and what they looked at, as words."""

    drifts: list[Drift] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)

    def add(self, drifts: Sequence[Drift], looked_at: str) -> None:
        """Join what one check found."""
        self.drifts += drifts
        self.looked_at.append(looked_at)


@dataclass(frozen=True)
class Apart:
    """How far two lists of numbers are apart: as a share of their scale, and in words where that is too far."""

    share: float
    words: str | None = None


def farthest(stored: Sequence[float | None], now: Sequence[float | None], *, least: float = 0.0) -> Apart:
    """Where two lists of numbers are farthest apart.

    `least`: the scale below which differences are not measured by the numbers' own size.
    """
    if len(stored) != len(now):
        return Apart(0.0, f"{len(now)} values, stored {len(stored)}")
    if [value is None for value in stored] != [value is None for value in now]:
        return Apart(0.0, f"missing values: {list(now).count(None)}, stored {list(stored).count(None)}")
    one, other = (torch.tensor([v for v in values if v is not None], dtype=torch.float64) for values in (stored, now))
    if not len(one):
        return Apart(0.0)
    scale = max(float(one.abs().max()), least)
    apart = (one - other).abs()
    place = int(apart.argmax())
    largest = float(apart[place])
    share = largest / scale if scale else math.inf if largest else 0.0
    if share <= TOLERANCE:
        return Apart(share)
    return Apart(share, f"value {place}: {float(other[place]):.6g}, stored {float(one[place]):.6g}")
