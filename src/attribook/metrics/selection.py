"""The best of several maps under a metric, as RPI picks: for every prompt and every metric anew.

This is a search on the very number that is then reported. A fair comparison gives the same number of tries to every
method, random rankings among them.
"""

from typing import Any

import torch
from torch import Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK, Metric
from attribook.metrics.names import LOWER_IS_BETTER
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


def judged(model: Explained, encoding: Encoding, maps: Tensor, metric: Metric, **options: Any) -> Tensor:
    """The metric's value `(M,)` for every map `(M, T)`; edits that several maps share are run once.

    For metrics that draw nothing: `erasure`'s five and naopc. Raises: AttribookError as the metric does for one map,
    and where it has no value for this prompt.
    """
    if maps.dim() != 2 or maps.shape[1] != len(encoding) or bool(torch.isnan(maps).any()):
        raise AttribookError(f"{metric.name} judges maps (M, {len(encoding)}) without NaN, not {tuple(maps.shape)}.")
    values, status, _ = metric.function(model, encoding, maps, generator=None, **options)
    if status != OK:
        raise AttribookError(f"{metric.name} has no value here: {status}.")
    return values


def best(values: Tensor, metric: str) -> int:
    """Number of the best map, the first of equal ones; naopc as for comprehensiveness."""
    found = values.tolist()
    return found.index(min(found) if metric in LOWER_IS_BETTER else max(found))
