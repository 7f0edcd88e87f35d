"""The folders of the project, named once. No other file builds a path from `..`."""

import os
from pathlib import Path

import platformdirs

from attribook.errors import AttribookError


def home() -> Path:
    """Cache of fetched and converted models: `$ATTRIBOOK_HOME`, else the user's cache folder."""
    return Path(os.environ.get("ATTRIBOOK_HOME") or platformdirs.user_cache_dir("attribook")).expanduser()


def data_home() -> Path | None:
    """Folder of the papers' own data sets, `$ATTRIBOOK_DATA`; None where it is not set."""
    value = os.environ.get("ATTRIBOOK_DATA")
    return Path(value).expanduser() if value else None


def checkout() -> Path:
    """Root of the book: `$ATTRIBOOK_ROOT`, else the checkout that holds this package, else the current folder.

    Raises: AttribookError where none of them holds the book's `_toc.yml`.
    """
    named = os.environ.get("ATTRIBOOK_ROOT")
    candidates = [Path(named)] if named else [Path(__file__).resolve().parents[2], Path.cwd()]
    for folder in candidates:
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise AttribookError(
        "The book's files (_toc.yml, notebooks/) were not found. Run this inside a clone of attribook, "
        "or set ATTRIBOOK_ROOT to one."
    )


def results_folder() -> Path:
    """Committed rows of the book."""
    return Path(os.environ.get("ATTRIBOOK_RESULTS") or checkout() / "results")


def build_folder(profile: str) -> Path:
    """Ignored folder with executed notebooks and the site of one profile."""
    return checkout() / "_build" / profile
