"""What every attribution method takes, gives and declares."""

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError
from attribook.models import CausalLM, Encoding

Options = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """Prompts forwarded, prompts differentiated, tokens computed, wall seconds."""

    forwards: int
    backwards: int
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Attribution:
    """Scores `(T,)`, one signed float64 a token, with what is needed to make them again."""

    scores: Tensor
    method: str
    version: int
    options: Options
    cost: Cost
    converged: bool | None = None  # None for a method that has nothing to converge
    details: Mapping[str, float] = field(default_factory=dict)  # what the method reports about itself


@dataclass(frozen=True)
class Method:
    """A registered method: the function, and what it declares about itself.

    The function takes `(model, encoding, *, generator, <named options>)` and returns scores `(T,)`, or scores and
    a mapping of details. `version` rises whenever its numbers change. `forwards` and `backwards` are formulas in
    T, N (attributable tokens), L, the options and the details, of what one call adds to the model's counter.
    """

    name: str
    function: Callable[..., Any]
    version: int
    forwards: str
    backwards: str
    random: bool
    summary: str

    @property
    def defaults(self) -> Options:
        """Named options with the values they have unless told otherwise."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "generator"}

    def resolve(self, options: Options) -> Options:
        """All options, the given ones over the defaults. Raises: AttribookError for a name that is none."""
        defaults = self.defaults
        unknown = sorted(set(options) - set(defaults))
        if unknown:
            known = ", ".join(f"{k}={v}" for k, v in defaults.items()) or "none"
            raise AttribookError(f"{self.name} has no option {', '.join(unknown)}. Its options: {known}.")
        return {**defaults, **options}

    def expected(
        self, encoding: Encoding, options: Options, details: Mapping[str, float] | None = None
    ) -> tuple[int, int]:
        """Forwards and backwards that the cost formulas give for a prompt, resolved options and reported details.

        Raises: NameError if a formula needs details, which are known only after a run.
        """
        names = {"T": len(encoding), "N": int(encoding.attributable.sum()), "min": min, **options, **(details or {})}
        forwards, backwards = (
            eval(formula, {"__builtins__": {}}, names) for formula in (self.forwards, self.backwards)
        )
        return forwards, backwards

    def __call__(
        self, model: CausalLM, encoding: Encoding, *, generator: Generator | None = None, **options: Any
    ) -> Attribution:
        """Run the method. Raises: AttribookError on an unknown option, a missing generator or a NaN score."""
        options = self.resolve(options)
        if self.random and generator is None:
            raise AttribookError(f"{self.name} is random: pass a seeded torch.Generator.")
        before, start = model.engine.counter.copy(), time.perf_counter()
        result = self.function(model, encoding, generator=generator, **options)
        scores, details = result if isinstance(result, tuple) else (result, {})
        spent = model.engine.counter - before
        if scores.shape != (len(encoding),):
            raise AttribookError(f"{self.name} returned {tuple(scores.shape)} scores for {len(encoding)} tokens.")
        if bool(torch.isnan(scores).any()):
            raise AttribookError(f"{self.name} returned a NaN score for the prompt {encoding.text[:60]!r}.")
        seconds = time.perf_counter() - start
        cost = Cost(spent.forwards, spent.backwards, spent.tokens, seconds)
        return Attribution(scores.double(), self.name, self.version, options, cost, details=details)


def method(
    *, version: int, forwards: str = "0", backwards: str = "0", random: bool = False
) -> Callable[[Callable[..., Any]], Method]:
    """Declare a function as an attribution method of its own name."""

    def declare(function: Callable[..., Any]) -> Method:
        summary = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        return Method(function.__name__, function, version, forwards, backwards, random, summary)

    return declare
