"""The ceiling of an erasure metric: the value of the best set of k tokens, found by asking the metric itself.

It explains nothing: it is what choosing among ever more maps on the reported number would reach. A beam follows the
sets of each size that the metric likes best; where there are few sets of k tokens, all are asked. A beam may miss the
best set, so the true ceiling can only be farther off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

import torch

from attribook.errors import AttribookError
from attribook.metrics.erasure import Rule, log_probabilities
from attribook.metrics.names import sign
from attribook.metrics.searches import Sets, best_set
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

METRICS = ("sufficiency", "comprehensiveness", "log_odds")  # those of one share of the tokens
FEW = 500  # up to so many sets of k tokens all are asked


@dataclass(frozen=True)
class Ceiling:
    """The best value of k of a prompt's tokens, over so many sets; `exact` where these are all sets of k tokens."""

    tokens: int
    k: int
    sets: int
    exact: bool
    value: float


def ceiling(model: Explained, encoding: Encoding, metric: str, options: Mapping[str, Any], width: int) -> Ceiling:
    """The best value of one metric over sets of k tokens, or over all such sets that a beam of `width` has met.

    Formula: max or min over sets S of k tokens of the metric with S in the place of the k highest scores.
    Raises:  AttribookError for a metric that is not of `METRICS`.
    """
    if metric not in METRICS:
        raise AttribookError(f"{metric} has no ceiling here, but {', '.join(METRICS)}.")
    rule = Rule(**{name: options[name] for name in ("operator", "rounding", "least", "specials", "explained")})
    counted = encoding.movable(rule.specials).nonzero()[:, 0].tolist()
    n, k = len(counted), rule.count(len(counted), options["share"])
    answer = encoding.target if rule.explained == "target" else int(encoding.logits.argmax())

    def values(sets: Sets) -> list[float]:
        keep = torch.ones(len(sets), len(encoding), dtype=torch.bool)
        for row, chosen in enumerate(sets):
            others = set(range(n)) - set(chosen) if metric == "sufficiency" else chosen
            keep[row, [counted[i] for i in others]] = False
        after = log_probabilities(model, encoding, keep, rule.operator, answer)
        before = encoding.logits.log_softmax(-1)[answer]
        return (after - before if metric == "log_odds" else before.exp() - after.exp()).tolist()

    exact = comb(n, k) <= FEW
    best, asked = best_set(values, n, k, sign(metric), None if exact else width)
    return Ceiling(n, k, asked, exact, best)
