"""One explanation in the terminal."""

from collections.abc import Sequence

from rich.text import Text

from attribook.show.colours import rgb, strengths
from attribook.show.tokens import broken_tokens


def coloured_text(tokens: Sequence[str], scores: Sequence[float]) -> Text:
    """Tokens on a background whose intensity is the score's, relative to the largest."""
    text = Text()
    for token, strength in zip(broken_tokens(tokens), strengths(scores), strict=True):
        share = abs(strength)
        colour = ",".join(str(round(channel * share + 40 * (1 - share))) for channel in rgb(strength))
        text.append(token, style=f"white on rgb({colour})" if share > 0.05 else "")
    return text
