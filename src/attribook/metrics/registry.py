"""All metrics by name, as names.py declares them."""

from attribook.errors import AttribookError
from attribook.metrics.base import Metric
from attribook.metrics.erasure import (
    aopc_comprehensiveness,
    aopc_sufficiency,
    comprehensiveness,
    log_odds,
    sufficiency,
)
from attribook.metrics.names import FACTS
from attribook.metrics.normalised_aopc import naopc
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

if differing := [
    name for name in {**METRICS, **FACTS} if name not in METRICS or METRICS[name].facts != FACTS.get(name)
]:
    raise AttribookError(f"Metrics declare other versions or options than metrics/names.py: {differing}.")
