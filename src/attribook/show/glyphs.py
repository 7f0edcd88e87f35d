"""What figures can write: which installed fonts have which characters, and what stands for those that none has."""

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Any

from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font

from attribook.show.tokens import code_point, named

FIRST = "DejaVu Sans"  # comes with matplotlib
UNFIT = ("cm", "STIXNon", "STIXSize", "Last Resort")  # their glyphs are parts of formulas, or a box for every character
OUTLINES, COLOURED = 1, 1 << 14  # FreeType's flags of a face
KEPT = " \n"  # a name may have several lines
TOLD = 12  # characters that an alternative text tells one by one


@cache
def characters(family: str) -> frozenset[int]:
    """What an installed family can draw; nothing for a font of bitmaps or colours, as those of emoji are."""
    try:
        face = FT2Font(findfont(family, fallback_to_default=False))
    except (RuntimeError, ValueError, OSError):  # matplotlib cannot read it
        return frozenset()
    told: Any = face.face_flags
    flags = int(getattr(told, "value", told))  # before matplotlib 3.10 a number
    return frozenset(face.get_charmap()) if flags & OUTLINES and not flags & COLOURED else frozenset()


@cache
def family_of(letter: str) -> str | None:
    """The family that draws a character: the one of figures, or else the first by name that has it."""
    upright = (entry.name for entry in fontManager.ttflist if (entry.style, entry.weight) == ("normal", 400))
    others = sorted({name for name in upright if not name.startswith(UNFIT)})
    return next((family for family in (FIRST, *others) if ord(letter) in characters(family)), None)


def families(texts: Iterable[str]) -> list[str]:
    """The families that draw some texts, the one of figures first."""
    others = {family_of(letter) for text in texts for letter in writable(text)} - {None, FIRST}
    return [FIRST, *sorted(map(str, others))]


def can_be_drawn(letter: str) -> bool:
    """Whether an installed font has a character."""
    return letter in KEPT or family_of(letter) is not None


def writable(text: str) -> str:
    """A text as figures write it: what no font has, by its number, so that two texts never look alike.

    What begins with an underscore begins with a space here, since matplotlib takes it out of legends.
    """
    whole = named(text, kept=KEPT)
    if not all(map(can_be_drawn, whole)):
        parts = []
        for drawn, letters in groupby(whole, can_be_drawn):
            part = "".join(letters)
            parts.append(part.removeprefix(" ").removesuffix(" ") if drawn else " ".join(map(code_point, part)))
        whole = " ".join(parts)
    return f" {whole}" if whole.startswith("_") else whole


def missing(texts: Iterable[str]) -> str:
    """A sentence for the alternative text of a figure; nothing where fonts have every character."""
    unseen = sorted({letter for text in texts for letter in named(text, kept=KEPT) if not can_be_drawn(letter)})
    if not unseen:
        return ""
    told = ", ".join(f"{code_point(letter)} is {letter}" for letter in unseen[:TOLD])
    more = f", and {len(unseen) - TOLD} more" if len(unseen) > TOLD else ""
    return f". No font here has these characters, so they are written as code points: {told}{more}"
