"""Prompts whose tokens are coloured by their scores, as HTML that reads on light and dark pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attribook.show.colours import STRONGEST, rgb, strengths
from attribook.show.literal import attribute, literal
from attribook.show.tokens import broken_tokens

STYLE = (
    "<style>.attribook-heat{border-collapse:collapse;width:100%;margin:.6em 0}"
    ".attribook-heat th{text-align:left;font-weight:600;white-space:nowrap;vertical-align:top}"
    ".attribook-heat th{padding:.35em 1em .35em 0}"
    ".attribook-heat td{line-height:1.9;padding:.35em 0;text-align:left;white-space:normal;vertical-align:top}"
    ".attribook-heat span{white-space:pre-wrap;border-radius:3px;padding:.15em 0}"
    ".attribook-heat small{display:block;font-weight:400;opacity:.75;white-space:normal;max-width:13em}"
    "@media(max-width:600px){.attribook-heat th,.attribook-heat td{display:block;padding:.2em 0}}</style>"
)
TABLE = '<table class="attribook-heat tex2jax_ignore mathjax_ignore">'  # MathJax is not to read prompts


@dataclass(frozen=True)
class Html:
    """HTML that notebooks show as it is."""

    source: str

    def _repr_html_(self) -> str:
        return self.source


def coloured(tokens: Sequence[str], scores: Sequence[float]) -> str:
    """Tokens as spans; hovering shows the score. Colour is relative to the largest score of this prompt."""
    spans = []
    for token, score, strength in zip(broken_tokens(tokens), scores, strengths(scores), strict=True):
        red, green, blue = rgb(strength)
        colour = f"rgba({red},{green},{blue},{abs(strength) * STRONGEST:.2f})"
        spans.append(f'<span style="background:{colour}" title="{score:+.4g}">{literal(token)}</span>')
    return "".join(spans)


def heatmaps(
    tokens: Sequence[str], scores: Mapping[str, Sequence[float]], notes: Mapping[str, str] | None = None
) -> Html:
    """One coloured prompt a method, with a small note under its name where given."""
    return Html(STYLE + named_rows({name: coloured(tokens, values) for name, values in scores.items()}, notes or {}))


def named_rows(cells: Mapping[str, str], notes: Mapping[str, str]) -> str:
    """A table of HTML cells, each with its name before it and a small note under that where given."""
    heads = {name: f"{literal(name)}<small>{literal(notes.get(name, ''))}</small>" for name in cells}
    rows = (f'<tr><th scope="row">{heads[name]}</th><td>{cell}</td></tr>' for name, cell in cells.items())
    return f"{TABLE}<tbody>{''.join(rows)}</tbody></table>"


def page(title: str, facts: Mapping[str, object], tokens: Sequence[str], scores: Sequence[float], method: str) -> str:
    """A whole HTML page with one coloured prompt and the facts about it."""
    items = "".join(f"<dt>{literal(name)}</dt><dd>{literal(str(value))}</dd>" for name, value in facts.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{attribute(title)}</title><style>:root{{color-scheme:light dark}}"
        "body{font:16px/1.5 system-ui,sans-serif;"
        "max-width:50rem;margin:2rem auto;padding:0 1rem}dl{display:grid;grid-template-columns:auto 1fr;gap:.2em 1em}"
        f"dd{{margin:0}}</style></head><body><h1>{literal(title)}</h1>{heatmaps(tokens, {method: scores}).source}"
        f"<dl>{items}</dl></body></html>\n"
    )
