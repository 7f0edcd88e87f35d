"""Running text in which some tokens are marked, as HTML that reads on light and dark pages."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from attribook.show.colours import SUPPORTS
from attribook.show.heatmap import STYLE, Html, named_rows
from attribook.show.literal import literal
from attribook.show.tokens import display_tokens, label

# Marked words are bold and underlined too, and screen readers hear where a mark begins and ends: colour is not all.
HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
MARKS = (
    f"<style>.attribook-heat mark{{background:rgba({','.join(map(str, SUPPORTS))},.28);color:inherit;font-weight:600;"
    "text-decoration:underline;text-decoration-thickness:2px;text-underline-offset:.2em;border-radius:3px}"
    f".attribook-heat mark::before{{content:' [mark: ';{HIDDEN}}}.attribook-heat mark::after{{content:'] ';{HIDDEN}}}"
    "</style>"
)


def with_marks(tokens: Sequence[str], marked: Collection[int]) -> str:
    """The text with a `<mark>` around every run of neighbouring marked tokens; spaces before a run stay outside.

    Where a run is nothing but spaces, these are marked, by name.
    """
    parts = []
    for inside, group in groupby(enumerate(display_tokens(tokens)), lambda place: place[0] in marked):
        text = "".join(token for _, token in group)
        words = text.lstrip()
        spaces = text[: len(text) - len(words)]
        if not words:
            spaces, words = "", label(spaces)
        parts.append(f"{literal(spaces)}<mark>{literal(words)}</mark>" if inside else literal(text))
    return "".join(parts)


def marked_texts(
    texts: Mapping[str, tuple[Sequence[str], Collection[int]]], notes: Mapping[str, str] | None = None
) -> Html:
    """One text a row, given as tokens and the places of those to mark, with a small note under its name where given."""
    cells = {name: f"<span>{with_marks(tokens, marked)}</span>" for name, (tokens, marked) in texts.items()}
    return Html(STYLE + MARKS + named_rows(cells, notes or {}))
