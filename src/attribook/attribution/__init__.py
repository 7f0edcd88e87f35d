"""One file a method; `METHODS` is the registry, `explain` runs one."""

from attribook.attribution.base import Attribution, Cost, Method
from attribook.attribution.candidates import candidate_maps
from attribook.attribution.registry import METHODS, explain, find_method

__all__ = ["METHODS", "Attribution", "Cost", "Method", "candidate_maps", "explain", "find_method"]
