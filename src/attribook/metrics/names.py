"""What each metric declares about itself: its version, its options, which direction is better.

Whoever finds stored rows needs these, and no torch. `registry.py` refuses a metric that differs from its entry here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHARES = (1.0, 5.0, 10.0, 20.0, 50.0)
SELECTIONS = ("top", "bottom", "first", "random", "none")  # of words that a judge sees: see answerability.py


@dataclass(frozen=True)
class MetricFacts:
    """The declaration of one metric: all named options with their defaults; whether lower values are better."""

    name: str
    version: int
    options: Mapping[str, Any]
    lower_is_better: bool = field(default=False, compare=False)

    @property
    def draws(self) -> bool:
        """Whether it draws at random, so that a prompt has several values."""
        return "draws" in self.options


SOFT = {"distance": "hellinger", "scores_as": "clip_sum", "draws": 8, "specials": "keep"}
ERASURE = {"rounding": "floor", "least": 1, "specials": "keep", "explained": "target"}
ONE, DELETE = {"share": 20.0}, {"operator": "delete", **ERASURE}
AVERAGE = {"shares": SHARES, "divisor": "bins", **DELETE}
KEEPS = {"empty": "evaluate"}  # of metrics that keep the top tokens, of which there may be none

FACTS: dict[str, MetricFacts] = {
    facts.name: facts
    for facts in [
        MetricFacts("soft_nc", 1, SOFT),
        MetricFacts("soft_ns", 1, SOFT),
        MetricFacts("sufficiency", 1, {**ONE, **DELETE, **KEEPS}, lower_is_better=True),
        MetricFacts("comprehensiveness", 1, {**ONE, **DELETE}),
        MetricFacts("log_odds", 1, {**ONE, "operator": "mask", **ERASURE}, lower_is_better=True),
        MetricFacts("aopc_sufficiency", 1, {**AVERAGE, **KEEPS}, lower_is_better=True),
        MetricFacts("aopc_comprehensiveness", 1, AVERAGE),
        MetricFacts("naopc", 1, {
            "order": "comprehensiveness", "operator": "mask", "specials": "keep", "explained": "target",
            "exact_up_to": 8, "beam": 5,
        }),
    ]
}  # fmt: skip
LOWER_IS_BETTER = frozenset(name for name, facts in FACTS.items() if facts.lower_is_better)


def sign(metric: str) -> int:
    """+1 where higher values of a metric are better, -1 where lower ones are."""
    return -1 if metric in LOWER_IS_BETTER else 1
