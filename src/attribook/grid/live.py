"""One prompt explained by several methods, on the spot: for notebooks that show and store nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribook.attribution.base import Attribution
from attribook.attribution.registry import METHODS, find_method
from attribook.grid.seeds import generator
from attribook.models.encoding import Encoding
from attribook.models.load import load_model


@dataclass(frozen=True)
class Live:
    """One prompt, what the model makes of it, and what every method says about that."""

    encoding: Encoding
    candidates: list[tuple[int, str, float]]  # most probable answers: id, text, probability; texts may be alike
    attributions: dict[str, Attribution]


def explain_live(
    model: str, prompt: str, methods: Sequence[str] = (), *, target: str | None = None, seed: int = 0
) -> Live:
    """Encode the prompt and run methods with their default options; none named means all that fit the model."""
    explained = load_model(model)
    methods = methods or [name for name, found in METHODS.items() if found.unfit(explained) is None]
    encoding = explained.encode(prompt, target=target)
    best = encoding.distribution.topk(min(5, len(encoding.distribution)))
    candidates = [
        (answer, explained.answer_text(encoding, answer), probability)
        for probability, answer in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
    attributions = {
        name: find_method(name)(explained, encoding, generator=generator("live", name, seed)) for name in methods
    }
    return Live(encoding, candidates, attributions)
