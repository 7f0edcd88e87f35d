"""Tokens for readers: their texts, with a name for whatever nobody would see. Stored rows and JSON keep the texts."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate, groupby

NAMES = {"\n": "⏎", "\r": "␍", "\t": "⇥"}  # of the others, the code point
NOTHING = "∅"  # a token that stands for no character of the text, as SentencePiece's first one can
SPACES = "".join(chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs")
# Python takes these for printable, and yet they are blank: fillers of Hangul and Braille, and what varies a character.
BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# Joiners between characters and variants of a character change how these look, and are seen by that.
SHAPING = re.compile("(?<=\\S)(?:[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]|[\u200c\u200d](?=\\S))")


def named(text: str, *, kept: str = " ") -> str:
    """A text in which everything is seen: control characters and blanks are named, but for those `kept`."""
    shaping = {found.start() for found in SHAPING.finditer(text)}
    return "".join(
        letter
        if letter in kept or place in shaping or (letter.isprintable() and not BLANK.match(letter))
        else NAMES.get(letter, code_point(letter))
        for place, letter in enumerate(text)
    )


def code_point(letter: str) -> str:
    """A character by its number, as in U+200B."""
    return f"U+{ord(letter):04X}"


def display_tokens(tokens: Sequence[str]) -> list[str]:
    """Tokens of a running text as they are shown, one for one.

    Of a character that several tokens share, the first token has the text and the others are empty: `🥰`, ``. They are
    shown as that character with their part: `🥰 1/2`, `🥰 2/2`. An accent that begins a token stands on a circle.
    """
    shown: list[str] = []
    for _, group in groupby(zip(tokens, accumulate(map(bool, tokens)), strict=True), lambda pair: pair[1]):
        first, *rest = (token for token, _ in group)
        letter = first[-1:]
        if rest and letter and not letter.isascii():  # an ASCII character is one byte, and has no parts
            parts = [first, *[letter] * len(rest)]
            shown += [f"{standing(part)} {number}/{len(parts)}" for number, part in enumerate(parts, 1)]
        else:
            shown += [standing(token) if token else NOTHING for token in (first, *rest)]
    return shown


def broken_tokens(tokens: Sequence[str]) -> list[str]:
    """Tokens of a running text as they are shown, where a line break is named and breaks the line too."""
    pairs = zip(tokens, display_tokens(tokens), strict=True)
    return [shown.replace(NAMES["\n"], NAMES["\n"] + "\n") if "\n" in token else shown for token, shown in pairs]


def standing(text: str) -> str:
    """A token's text, named; a mark that would merge into the token before it stands on a circle of its own."""
    whole = named(text)
    return f"◌{whole}" if unicodedata.category(whole[0]).startswith("M") else whole


def labels(tokens: Sequence[str]) -> list[str]:
    """Tokens that stand each for itself, as in a list: without the spaces around them, and never blank."""
    return [shown.strip(" ") or "␣" * len(shown) for shown in display_tokens(tokens)]


def label(token: str) -> str:
    """One token that stands for itself, such as a target."""
    return labels([token])[0]
