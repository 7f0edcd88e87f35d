"""What a terminal shows: one explanation, or a table."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rich.table import Table
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


def listed(
    heads: Iterable[str],
    rows: Iterable[Iterable[Any]],
    whole: Collection[str] = (),
    right: Collection[str] = (),
    **look: Any,
) -> Table:
    """A table whose long cells are folded, but for those of columns that stay `whole`. look: of rich's `Table`."""
    shown = Table(title_justify="left", **look)
    for head in heads:
        shown.add_column(head, overflow="fold", no_wrap=head in whole, justify="right" if head in right else "left")
    for row in rows:
        shown.add_row(*map(str, row))
    return shown
