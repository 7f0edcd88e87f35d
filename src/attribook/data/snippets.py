"""Rotten Tomatoes snippets with the mean valence of 15 or more human raters (Hutto and Gilbert 2014).

A snippet is positive where its mean is above 0 and negative where it is below. Those of mean 0 have no label and are
left out. The snippet's own words decide its part, so no part can leak into another, whatever the order of the file.
"""

import hashlib

from attribook.archives import Archive, Member
from attribook.data.prompts import Prompt
from attribook.errors import AttribookError

VADER = Archive(
    package="vaderSentiment==3.3.2",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    megabytes=2.5,
    licence="MIT",
    source_distribution=True,
)
SNIPPETS = Member(
    path=(
        "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
        "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
    ),
    sha256="c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
)
SEED = 0


def split(text: str, seed: int = SEED) -> str:
    """Part of a text: `held-out` and `validation` a tenth each, `train` the rest. Case and spaces do not count."""
    words = " ".join(text.casefold().split())
    tenth = int.from_bytes(hashlib.sha256(f"{seed}:{words}".encode()).digest()[:8], "big") % 10
    return {0: "held-out", 1: "validation"}.get(tenth, "train")


def snippets(content: str) -> list[Prompt]:
    """Labelled snippets, one a line: number, mean valence, text. Runs of spaces become one."""
    items = []
    for line in content.splitlines():
        number, valence, text = line.split("\t")
        if not -4 <= float(valence) <= 4:
            raise AttribookError(f"Snippet {number} has the valence {valence}, outside of -4 to 4.")
        if float(valence) == 0:
            continue
        label = "positive" if float(valence) > 0 else "negative"
        text = " ".join(text.split())
        items.append(Prompt(f"snippet-{number}", text, label, label, split=split(text), rating=float(valence)))
    return items


def held_out(content: str) -> list[Prompt]:
    """The snippets on which no model here was tuned and no recipe chosen."""
    return [prompt for prompt in snippets(content) if prompt.split == "held-out"]
