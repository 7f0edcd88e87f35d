"""What every attribution method takes, gives and declares."""

import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import torch
from torch import Generator, Tensor

from attribook.attribution.declared import first_sentence
from attribook.attribution.names import Facts, Options
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.families import find_family

# What a network of another make than those that were tested raises in a method that looks inside it.
UNTESTED = (AttributeError, TypeError, KeyError, IndexError, ValueError, RuntimeError, NotImplementedError)
KIND_NAMES = {
    "causal_lm": "a causal language model",
    "sequence_classifier": "an encoder with a classification head",
    "prompted_classifier": "a prompted classifier",
}


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

    The function takes `(model, encoding, *, generator, <named options>)` and returns scores `(T,)`; or scores and a
    mapping of details; or these and whether it converged. `version` rises whenever its numbers change. `forwards` and
    `backwards` are formulas for what one call adds to the model's counter, in T, P (tokens that may be taken away or
    moved: see `Encoding.movable`), the options and the details. `kinds` and `families` are what it can explain, None
    for all; `why` says what stands in the way of the others, and `instead` names the nearest method for them.
    """

    name: str
    function: Callable[..., Any]
    version: int
    forwards: str
    backwards: str
    random: bool
    summary: str
    kinds: tuple[str, ...] | None = None
    families: tuple[str, ...] | None = None
    why: str = ""
    instead: str = "integrated_gradients"

    @property
    def facts(self) -> Facts:
        """What names.py has about the method, read off the function's named options."""
        parameters = inspect.signature(self.function).parameters.values()
        options = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "generator"]
        or_none = {p.name: get_args(p.annotation)[0] for p in options if p.default is None}
        return Facts(self.name, self.version, self.random, {p.name: p.default for p in options}, or_none)

    @property
    def defaults(self) -> Options:
        """Named options with the values they have unless told otherwise."""
        return dict(self.facts.options)

    def resolve(self, options: Options) -> Options:
        """All options, the given ones over the defaults. Raises: AttribookError for a name that is none."""
        return self.facts.resolve(options)

    def parsed(self, pairs: Iterable[str]) -> Options:
        """Options from texts `name=value`, each of its default's type. Raises: AttribookError for any other text."""
        return self.facts.parsed(pairs)

    def expected(self, encoding: Encoding, options: Options, details: Mapping[str, float]) -> tuple[int, int]:
        """Forwards and backwards that the cost formulas give for a prompt, resolved options, and what came out."""
        moved = int(encoding.movable(options.get("specials", "keep")).sum())
        names = {"T": len(encoding), "P": moved, "min": min, **options, **details}
        forwards, backwards = (
            int(eval(formula, {"__builtins__": {}}, names)) for formula in (self.forwards, self.backwards)
        )
        return forwards, backwards

    def forecast(self, encoding: Encoding, options: Options) -> int | None:
        """Forwards that a call will add, None where only its outcome can tell."""
        try:
            return self.expected(encoding, options, {})[0]
        except NameError:
            return None

    def unfit(self, model: Explained) -> str | None:
        """Why the method cannot explain that model, and which one can; None if nothing speaks against it."""
        kind = self.kinds is None or model.kind in self.kinds
        if kind and (self.families is None or model.family in self.families):
            return None
        of = f"{KIND_NAMES[model.kind]} of the family {model.family}"
        return f"{self.name} cannot explain {model.name}, {of}: {self.why}. Use {self.instead}."

    def __call__(
        self, model: Explained, encoding: Encoding, *, generator: Generator | None = None, **options: Any
    ) -> Attribution:
        """Run the method.

        Raises: AttribookError on a model it cannot explain, an unknown option, a missing generator, a score that is not
            finite, or whatever stops the method on a family of models that it was not tested on.
        """
        options = self.resolve(options)
        if reason := self.unfit(model):
            raise AttribookError(reason)
        if self.random and generator is None:
            raise AttribookError(f"{self.name} is random: pass a seeded torch.Generator.")
        before, start = model.engine.counter.copy(), time.perf_counter()
        try:
            scores, details, converged = unpacked(self.function(model, encoding, generator=generator, **options))
        except UNTESTED as error:
            if find_family(model.family) is not None:
                raise  # a fault of ours
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise AttribookError(
                f"{self.name} cannot explain {model.name}, {KIND_NAMES[model.kind]} of the family {model.family}, on "
                f"which it was not tested: {reason}. Use occlusion."
            ) from error
        spent = model.engine.counter - before
        if scores.shape != (len(encoding),):
            raise AttribookError(f"{self.name} returned {tuple(scores.shape)} scores for {len(encoding)} tokens.")
        if not bool(torch.isfinite(scores).all()):
            raise AttribookError(f"{self.name} returned a NaN or infinite score for the prompt {encoding.text[:60]!r}.")
        seconds = time.perf_counter() - start
        cost = Cost(spent.forwards, spent.backwards, spent.tokens, seconds)
        return Attribution(scores.double(), self.name, self.version, options, cost, converged, details)


def unpacked(result: Any) -> tuple[Tensor, Mapping[str, float], bool | None]:
    """Scores, details and convergence of what a method's function returned, which may lack the last or last two."""
    parts = result if isinstance(result, tuple) else (result,)
    details = parts[1] if len(parts) > 1 else {}
    return parts[0], details, parts[2] if len(parts) > 2 else None


def method(
    *,
    version: int,
    forwards: str = "0",
    backwards: str = "0",
    random: bool = False,
    kinds: tuple[str, ...] | None = None,
    families: tuple[str, ...] | None = None,
    why: str = "",
    instead: str = "integrated_gradients",
) -> Callable[[Callable[..., Any]], Method]:
    """Declare a function as an attribution method of its own name."""

    def declare(function: Callable[..., Any]) -> Method:
        summary = first_sentence(inspect.getdoc(function) or "")
        return Method(
            function.__name__, function, version, forwards, backwards, random, summary, kinds, families, why, instead
        )

    return declare
