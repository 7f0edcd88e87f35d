"""Text that pages show as it is, whatever reads it: markup is escaped, and nothing in it becomes mathematics."""

from html import escape
from string import punctuation

from attribook.show.tokens import SPACES, named

LAYOUT = f"\n\t{SPACES}"  # may stand in a text of several lines
MATHEMATICAL = {"$": "<span>&#36;</span>", "\\": "<span>&#92;</span>"}


def literal(text: object) -> str:
    r"""HTML that shows a text as it is; control characters, which HTML may not hold, by name.

    JupyterLab runs MathJax over HTML outputs, and MyST reads `$` in Markdown. Dollars and backslashes (of `\(`) are
    written as entities, which MyST does not take for them, each in an element of its own, beyond which MathJax does
    not look for the other end of a formula.
    """
    return "".join(MATHEMATICAL.get(character, character) for character in escape(named(str(text), kept=LAYOUT)))


def attribute(text: object) -> str:
    """A text as the value of an HTML attribute or of `<title>`, where nothing is mathematics."""
    return escape(named(str(text)))


def in_markdown(text: object) -> str:
    """Markdown that shows a text as it is: punctuation, which may be markup, is written as entities."""
    entities = {sign: MATHEMATICAL.get(sign, f"&#{ord(sign)};") for sign in punctuation}
    return "".join(entities.get(letter, letter) for letter in named(str(text)))
