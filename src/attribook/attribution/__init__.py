"""One file a method; `METHODS` is the registry, `explain` runs one."""

from attribook.attribution.base import Attribution, Cost, Method
from attribook.attribution.registry import METHODS, explain, find_method

__all__ = ["METHODS", "Attribution", "Cost", "Method", "explain", "find_method"]
