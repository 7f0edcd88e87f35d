"""The folders of the project, named once. No other file builds a path from `..`."""

import os
from pathlib import Path

import platformdirs

from attribook.errors import AttribookError

FOLDERS = ("ATTRIBOOK_ROOT", "ATTRIBOOK_HOME", "ATTRIBOOK_DATA", "ATTRIBOOK_RESULTS")


def named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, from the root of the disk; None where it is not set.

    Raises: AttribookError where it names something else.
    """
    value = os.environ.get(variable)
    if not value:
        return None
    folder = Path(value).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise AttribookError(f"${variable} names {folder}, which is no folder. Set it to one, or unset it.")
    return folder


def fix_folders() -> None:
    """Let processes that start elsewhere, as kernels do, find the same folders by the same variables."""
    os.environ.update({name: str(folder) for name in FOLDERS if (folder := named_folder(name))})


def home() -> Path:
    """Cache of fetched and converted models: `$ATTRIBOOK_HOME`, else the user's cache folder."""
    return named_folder("ATTRIBOOK_HOME") or Path(platformdirs.user_cache_dir("attribook"))


def data_home() -> Path | None:
    """Folder of the papers' own data sets, `$ATTRIBOOK_DATA`; None where it is not set."""
    return named_folder("ATTRIBOOK_DATA")


def checkout() -> Path:
    """Root of the book: `$ATTRIBOOK_ROOT`, else the checkout that holds this package, else the current folder.

    Raises: AttribookError where none of them holds the book's `_toc.yml`.
    """
    named = named_folder("ATTRIBOOK_ROOT")
    candidates = [named] if named else [Path(__file__).resolve().parents[2], Path.cwd()]
    for folder in candidates:
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise AttribookError(
        "The book's files (_toc.yml, notebooks/) were not found. Run this inside a clone of attribook, "
        "or set ATTRIBOOK_ROOT to one."
    )


def results_folder() -> Path:
    """Rows: `$ATTRIBOOK_RESULTS`, else the committed ones of the book."""
    return named_folder("ATTRIBOOK_RESULTS") or checkout() / "results"


def study_folder(profile: str, study: str, model: str) -> Path:
    """`<results>/<profile>/<study>/<model>`, where a model's slashes are dashes.

    Raises: AttribookError for names that would lead elsewhere.
    """
    names = (profile, study, model.strip("/").replace("/", "--"))
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\\" in name:
            raise AttribookError(f"{name!r} is no name of a folder for results. Give a plain name.")
    return results_folder().joinpath(*names)


def stored_results() -> Path:
    """The rows that are there to be read. Raises: AttribookError where $ATTRIBOOK_RESULTS names no folder."""
    folder = results_folder()
    if not folder.is_dir():
        raise AttribookError(f"$ATTRIBOOK_RESULTS names {folder}, and there is no such folder. Set it, or unset it.")
    return folder


def build_folder(profile: str) -> Path:
    """Ignored folder with executed notebooks and the site of one profile."""
    return checkout() / "_build" / profile
