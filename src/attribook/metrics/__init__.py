"""One file a metric family; `METRICS` is the registry."""

from attribook.metrics.base import Metric, Result
from attribook.metrics.erasure import (
    CONVENTIONS,
    aopc_comprehensiveness,
    aopc_sufficiency,
    comprehensiveness,
    log_odds,
    sufficiency,
)
from attribook.metrics.normalised_aopc import naopc
from attribook.metrics.selection import best, judged
from attribook.metrics.soft import soft_nc, soft_ns

METRICS: dict[str, Metric] = {
    "soft_nc": soft_nc,
    "soft_ns": soft_ns,
    "sufficiency": sufficiency,
    "comprehensiveness": comprehensiveness,
    "log_odds": log_odds,
    "aopc_sufficiency": aopc_sufficiency,
    "aopc_comprehensiveness": aopc_comprehensiveness,
    "naopc": naopc,
}

__all__ = ["CONVENTIONS", "METRICS", "Metric", "Result", "best", "judged"]
