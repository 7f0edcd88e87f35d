"""One explanation in the terminal."""

from collections.abc import Sequence

from rich.text import Text

from attribook.errors import printable
from attribook.show.colours import rgb, strengths


def coloured_text(tokens: Sequence[str], scores: Sequence[float]) -> Text:
    """Tokens on a background whose intensity is the score's, relative to the largest."""
    text = Text()
    for token, strength in zip(tokens, strengths(scores), strict=True):
        share = abs(strength)
        colour = ",".join(str(round(channel * share + 40 * (1 - share))) for channel in rgb(strength))
        text.append(printable(token), style=f"white on rgb({colour})" if share > 0.05 else "")
    return text
