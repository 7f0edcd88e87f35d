"""One prompt: its text, the word that should follow, and the spans whose share of attribution is asked for."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from attribook.errors import AttribookError

Span = tuple[int, int]  # characters, end exclusive


@dataclass(frozen=True)
class Prompt:
    """A prompt with its gold word, or an open one, whose continuation has no right or wrong.

    `spans` may hold `antecedent` (the words that decide the answer) and `distractor`. The main part is the rest:
    `main` is not stored, so it cannot disagree. `plain` is the same prompt without its distractor, where it has one.
    """

    id: str
    text: str
    gold: str | None  # the word itself, no leading space; or the label; None for an open prompt
    group: str  # relation or category
    spans: Mapping[str, Span] = field(default_factory=dict)
    plain: str | None = None
    split: str | None = None  # part of a data set that a model was tuned on: train, validation or held-out
    rating: float | None = None  # mean of the raters whose sign the gold label is

    def __post_init__(self) -> None:
        if not self.text.strip() or (self.gold is not None and not self.gold.strip()):
            raise AttribookError(f"Item {self.id}: the prompt or its gold word is empty.")
        for name, (start, end) in self.spans.items():
            if not 0 <= start < end <= len(self.text):
                raise AttribookError(f"Item {self.id}: the span {name} [{start}, {end}) is outside the prompt.")

    @property
    def answer(self) -> str:
        """The gold word. Raises: AttribookError where the prompt is open."""
        if self.gold is None:
            raise AttribookError(
                f"Item {self.id} is open: it has no gold word, so no prediction is right or wrong. "
                "Explain such items with keep='all'."
            )
        return self.gold

    @property
    def fingerprint(self) -> str:
        """Identifies the item in a row's key: text, gold word and spans."""
        content = json.dumps([self.text, self.gold, sorted(self.spans.items()), self.plain])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def located(text: str, part: str) -> Span:
    """Characters of the first occurrence of `part`."""
    start = text.index(part)
    return start, start + len(part)


def matches(gold: str, predicted: str) -> bool:
    """Whether a predicted token begins the gold word: stripped of spaces, a non-empty prefix, case kept."""
    token = predicted.strip()
    return bool(token) and gold.strip().startswith(token)
