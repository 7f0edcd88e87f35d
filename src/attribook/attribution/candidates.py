"""The maps behind the scores of RPI and its ablations, for whoever picks the best of them by a metric."""

from typing import Any

from torch import Generator, Tensor

from attribook.attribution.base import Method
from attribook.attribution.rpi import rpi, rpi_g
from attribook.attribution.rpi_embeddings import rpi_ig, rpi_sig
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

CANDIDATES: dict[str, Method] = {found.name: found for found in (rpi, rpi_g, rpi_ig, rpi_sig)}


def candidate_maps(
    model: Explained, encoding: Encoding, method: str, *, generator: Generator, **options: Any
) -> Tensor:
    """All maps `(layers * trials, T)` of a method, in float64: layer after layer, trial after trial.

    With the same seed the maps of fewer trials, and of the first of several layers, are a part of those of more.
    Raises: AttribookError for another method, unknown options, a model that it cannot explain.
    """
    if method not in CANDIDATES:
        raise AttribookError(f"{method} makes one map only. Methods that make several: {', '.join(CANDIDATES)}.")
    found = CANDIDATES[method]
    chosen = found.resolve(options) | {"aggregate": "all"}
    if reason := found.unfit(model):
        raise AttribookError(reason)
    maps, _ = found.function(model, encoding, generator=generator, **chosen)
    return maps
