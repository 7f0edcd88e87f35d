"""How long a check may take, whatever is stored: what is looked at first, what no longer fits, and its names.

Costs are the seconds that rows took when they were stored; the clock learns how fast this machine is beside that one.
"""

import random
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TypeVar

T = TypeVar("T")

DEAR = 10.0  # scores that took longer when stored wait until everything else was looked at
LEARNT = 5.0  # seconds of known cost from which the machine's pace is believed


@dataclass
class Clock:
    """Seconds that are left, measured. `budget` may be infinite."""

    budget: float
    _start: float = field(default_factory=lambda: time.perf_counter())
    _costs: float = 0.0  # of what was done, as stored
    _took: float = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was started."""
        return time.perf_counter() - self._start

    @property
    def pace(self) -> float:
        """Seconds that a stored second takes here."""
        return self._took / self._costs if self._costs > LEARNT else 1.0

    def affords(self, cost: float) -> bool:
        """Whether something of this cost would end within the budget."""
        return self.elapsed + cost * self.pace <= self.budget

    def done(self, cost: float, took: float) -> None:
        """Something of this cost took so long."""
        self._costs += cost
        self._took += took


def in_turns(groups: Sequence[Sequence[T]], seed: int) -> list[T]:
    """One of each group, then the next of each; the groups in random order, so that none is always the last."""
    mixed = [list(group) for group in groups]
    random.Random(seed).shuffle(mixed)
    return [one for turn in zip_longest(*mixed) for one in turn if one is not None]


def listed(names: Iterable[Hashable]) -> str:
    """How often each name, in words."""
    return ", ".join(f"{number} of {name}" for name, number in Counter(names).most_common())
