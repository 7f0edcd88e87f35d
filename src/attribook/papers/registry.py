"""Which papers there are: a folder with printed cells in this package, or in another folder of its search path.

A further paper is a folder. It holds `cells.csv`, `tables.toml`, `claims.toml` and `links.toml`; where stored rows of
another kind than metric values answer a claim, also `figure_claims.py` with `ANSWERS`.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import attribook.papers
from attribook.errors import AttribookError

CELLS, TABLES = "cells.csv", "tables.toml"


def paper_folders() -> dict[str, Path]:
    """The folder of each paper by its name, in the order of the book."""
    return _folders(tuple(attribook.papers.__path__))


@lru_cache
def _folders(places: tuple[str, ...]) -> dict[str, Path]:
    found = [path.parent for place in places for path in Path(place).glob(f"*/{CELLS}")]
    order = {folder: read_toml(folder / TABLES).get("order", len(found)) for folder in found}
    return {folder.name: folder for folder in sorted(found, key=lambda folder: (order[folder], folder.name))}


def paper_names() -> list[str]:
    """Names of all papers, in the order of the book: by `order` in their `tables.toml`, those without one last."""
    return list(paper_folders())


def paper_title(paper: str) -> str:
    """The name of a paper as pages write it."""
    return str(paper_data(paper, TABLES)["title"])


def paper_file(paper: str, name: str) -> Path:
    """A file of one paper. Raises: AttribookError for an unknown paper."""
    folders = paper_folders()
    if paper not in folders:
        raise AttribookError(f"No values of a paper {paper!r} are here. Known papers: {', '.join(folders)}.")
    return folders[paper] / name


def paper_data(paper: str, name: str) -> dict[str, Any]:
    """A TOML file of one paper. Raises: AttribookError for an unknown paper, or a file that is no TOML."""
    return read_toml(paper_file(paper, name))


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises: AttribookError where it cannot be read."""
    try:
        return parsed(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise AttribookError(f"{path} cannot be read as TOML: {error}. Mend it there.") from error


def parsed(text: str, place: str) -> dict[str, Any]:
    """What a text of TOML holds. Raises: AttribookError that names the place."""
    with sound(place):
        return tomllib.loads(text)


@contextmanager
def sound(place: str) -> Iterator[None]:
    """Say in one line where a file is wrong: no TOML, or a text where a table should be. Raises: AttribookError."""
    try:
        yield
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise AttribookError(f"{place} cannot be read as TOML with what it should hold: {reason}. Mend it.") from error


def figure_answers(paper: str) -> Mapping[str, Callable[[], Any]]:
    """For claims of a paper that no printed table decides: what answers each from stored rows, by the claim's name."""
    if not paper_file(paper, "figure_claims.py").is_file():
        return {}
    answers: Mapping[str, Callable[[], Any]] = import_module(f"attribook.papers.{paper}.figure_claims").ANSWERS
    return answers
