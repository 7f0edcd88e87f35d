"""One file a metric family; `METRICS` is the registry."""

from attribook.metrics.base import Metric, Result
from attribook.metrics.soft import soft_nc, soft_ns

METRICS: dict[str, Metric] = {
    "soft_nc": soft_nc,
    "soft_ns": soft_ns,
}

__all__ = ["METRICS", "Metric", "Result"]
