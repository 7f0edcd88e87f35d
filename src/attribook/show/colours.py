"""One palette for terminal, HTML and figures: orange supports the prediction, blue speaks against it."""

from collections.abc import Sequence

SUPPORTS = (230, 120, 20)
AGAINST = (50, 120, 220)
STRONGEST = 0.55  # opacity of the largest score: text on it has a contrast of 4.5 on light and on dark pages


def strengths(scores: Sequence[float]) -> list[float]:
    """Scores divided by the largest absolute one: -1 to 1, all 0 if every score is 0."""
    largest = max((abs(score) for score in scores), default=0.0)
    return [score / largest if largest else 0.0 for score in scores]


def rgb(strength: float) -> tuple[int, int, int]:
    """The colour of a score's sign."""
    return SUPPORTS if strength >= 0 else AGAINST
