"""From a grid of items, methods and metrics to rows, and from rows to statistics."""

from attribook.study.protocols import PROTOCOLS, Protocol
from attribook.study.statistics import LogRatio, log_ratio
from attribook.study.study import Study

__all__ = ["PROTOCOLS", "LogRatio", "Protocol", "Study", "log_ratio"]
