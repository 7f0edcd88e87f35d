"""What the numbers of printed tables count: the unit of each metric, which way is better, and what it is the sum of."""

from dataclasses import dataclass
from typing import Literal

LOG_RATIO = "log-ratio to random"


@dataclass(frozen=True)
class Metric:
    """The unit of a printed number, and which way is better."""

    unit: str
    better: Literal["higher", "lower", "none"]
    parts: tuple[str, ...] = ()  # metrics that it is the sum of; none: itself


METRICS = {
    "soft_nc": Metric(LOG_RATIO, "higher"),
    "soft_ns": Metric(LOG_RATIO, "higher"),
    "faithfulness": Metric(LOG_RATIO, "higher", parts=("soft_nc", "soft_ns")),
    "answerability_rate": Metric("percent", "higher"),
    "answerability_score": Metric("share", "higher"),
    "answerability_rate_top5": Metric("percent", "higher"),
    "answerability_score_top5": Metric("share", "higher"),
    "sufficiency": Metric("probability", "lower"),
    "log_odds": Metric("nats", "lower"),
    "comprehensiveness": Metric("probability", "higher"),
    "aopc_sufficiency": Metric("probability", "lower"),
    "aopc_comprehensiveness": Metric("probability", "higher"),
    "prompt_length": Metric("tokens", "none"),
    "items": Metric("count", "none"),
    "items_fewest": Metric("count", "none"),
    "items_most": Metric("count", "none"),
    "items_kept": Metric("count", "none"),
}


def is_log_ratio(metric: str) -> bool:
    """Whether tables print a log-ratio to random for this metric."""
    return METRICS[metric].unit == LOG_RATIO


def parts_of(metric: str) -> tuple[str, ...]:
    """The stored metrics whose printed numbers add up to this one."""
    return METRICS[metric].parts or (metric,)
