"""What every metric takes, gives and declares."""

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError
from attribook.metrics.names import MetricFacts
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

OK = "ok"


@dataclass(frozen=True)
class Result:
    """Values `(draws,)` of one metric for one score vector. A status other than `ok` names why there are none.

    `forwards` counts the draws' own. What a prompt's metrics share, such as the forward for P0, belongs to the prompt:
    a cost must not depend on which method was judged first.
    """

    values: Tensor
    status: str = OK
    forwards: int = 0
    seconds: float = 0.0

    @property
    def value(self) -> float:
        """Mean over draws. Raises: AttribookError where the metric failed, with the reason."""
        if self.status != OK:
            raise AttribookError(f"The metric has no value here: {self.status}.")
        return float(self.values.mean())


@dataclass(frozen=True)
class Metric:
    """A registered metric: `(model, encoding, scores, *, generator, <named options>)`; see `Method.version`.

    The function returns values, a status and, where it is not one a value, the number of edited prompts it asks about.
    """

    name: str
    function: Callable[..., tuple[Any, ...]]
    version: int

    @property
    def defaults(self) -> dict[str, Any]:
        """Named options with the values they have unless told otherwise."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "generator"}

    @property
    def facts(self) -> MetricFacts:
        """What names.py has about the metric."""
        return MetricFacts(self.name, self.version, self.defaults)

    def __call__(
        self, model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator, **options: Any
    ) -> Result:
        """Evaluate.

        Raises: AttribookError for scores that are not finite, a wrong number of scores, an unknown option.
        """
        unknown = sorted(set(options) - set(self.defaults))
        if unknown:
            raise AttribookError(f"{self.name} has no option {', '.join(unknown)}. Its options: {self.defaults}.")
        if scores.shape != (len(encoding),):
            raise AttribookError(f"{self.name}: {tuple(scores.shape)} scores for {len(encoding)} tokens.")
        if not bool(torch.isfinite(scores).all()):
            # `u < nan` is False: a NaN score would zero every embedding and look like a plausible value; an infinite
            # one makes all others 0.
            raise AttribookError(
                f"{self.name} refuses NaN and infinite scores. Count the attribution as failed instead."
            )
        start = time.perf_counter()
        found = self.function(model, encoding, scores.double(), generator=generator, **options)
        values, status = found[:2]
        forwards = found[2] if len(found) > 2 else len(values)
        if status == OK and not bool(torch.isfinite(values).all()):
            raise AttribookError(f"{self.name} gave a value that is not finite for {encoding.text[:60]!r}.")
        return Result(values, status, forwards, time.perf_counter() - start)


def metric(*, version: int) -> Callable[[Callable[..., tuple[Any, ...]]], Metric]:
    """Declare a function as a metric of its own name."""
    return lambda function: Metric(function.__name__, function, version)
