"""Badges: a label and what became of claims, as one line of SVG that a README can show."""

from html import escape

LETTER, PADDING, HEIGHT = 6.6, 8, 20  # pixels, of a sans-serif of 11 pixels
LABEL, TEXT = "#4a4a4a", "#2f6f8f"


def badge(label: str, text: str) -> str:
    """An SVG of two boxes, `label` and `text`."""
    left, right = (round(len(part) * LETTER) + 2 * PADDING for part in (label, text))
    words = f"{label}: {text}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>'
        f'<rect width="{left}" height="{HEIGHT}" fill="{LABEL}"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{TEXT}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{PADDING}" y="14" textLength="{left - 2 * PADDING}">{escape(label)}</text>'
        f'<text x="{left + PADDING}" y="14" textLength="{right - 2 * PADDING}">{escape(text)}</text></g></svg>\n'
    )
