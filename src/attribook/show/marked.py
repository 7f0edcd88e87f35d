"""Running text in which some tokens are marked, as HTML that reads on light and dark pages."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from itertools import groupby

from attribook.show.colours import SUPPORTS
from attribook.show.heatmap import STYLE, Html

# Marked words are bold and underlined too, and screen readers hear where a mark begins and ends: colour is not all.
HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
MARKS = (
    f"<style>.attribook-heat mark{{background:rgba({','.join(map(str, SUPPORTS))},.28);color:inherit;font-weight:600;"
    "text-decoration:underline;text-decoration-thickness:2px;text-underline-offset:.2em;border-radius:3px}"
    f".attribook-heat mark::before{{content:' [mark: ';{HIDDEN}}}.attribook-heat mark::after{{content:'] ';{HIDDEN}}}"
    "</style>"
)


def with_marks(tokens: Sequence[str], marked: Collection[int]) -> str:
    """The text with a `<mark>` around every run of neighbouring marked tokens; spaces before a run stay outside."""
    parts = []
    for inside, group in groupby(enumerate(tokens), lambda place: place[0] in marked):
        text = "".join(token for _, token in group).replace("\n", "⏎")
        words = text.lstrip() if inside else ""
        before = escape(text[: len(text) - len(words)])
        parts.append(f"{before}<mark>{escape(words)}</mark>" if words else before)
    return "".join(parts)


def marked_texts(
    texts: Mapping[str, tuple[Sequence[str], Collection[int]]], notes: Mapping[str, str] | None = None
) -> Html:
    """One text a row, given as tokens and the places of those to mark, with a small note under its name where given."""
    rows = []
    for name, (tokens, marked) in texts.items():
        note = f"<small>{escape((notes or {}).get(name, ''))}</small>"
        cell = f"<td><span>{with_marks(tokens, marked)}</span></td>"
        rows.append(f'<tr><th scope="row">{escape(name)}{note}</th>{cell}</tr>')
    return Html(f'{STYLE}{MARKS}<table class="attribook-heat"><tbody>{"".join(rows)}</tbody></table>')
