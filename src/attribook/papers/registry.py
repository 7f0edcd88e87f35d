"""Which papers there are: every folder here that holds printed cells is one."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from attribook.errors import AttribookError

FIRST = ("reagent", "noiser", "rpi")  # the order of the book; others follow by name
CELLS = "cells.csv"


@lru_cache
def paper_folders() -> dict[str, Path]:
    """The folder of each paper by its name, in the order of the book."""
    found = [path.parent for path in Path(__file__).parent.glob(f"*/{CELLS}")]
    found.sort(key=lambda folder: (FIRST.index(folder.name) if folder.name in FIRST else len(FIRST), folder.name))
    return {folder.name: folder for folder in found}


def paper_names() -> list[str]:
    """Names of all papers, in the order of the book."""
    return list(paper_folders())


def paper_title(paper: str) -> str:
    """The name of a paper as pages write it."""
    return str(paper_data(paper, "tables.toml")["title"])


def paper_file(paper: str, name: str) -> Path:
    """A file of one paper. Raises: AttribookError for an unknown paper."""
    folders = paper_folders()
    if paper not in folders:
        raise AttribookError(f"No values of a paper {paper!r} are here. Known papers: {', '.join(folders)}.")
    return folders[paper] / name


def paper_data(paper: str, name: str) -> dict[str, Any]:
    """A TOML file of one paper. Raises: AttribookError for an unknown paper, or a file that is no TOML."""
    path = paper_file(paper, name)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AttribookError(f"{path} cannot be read as TOML: {error}. Mend it there.") from error
