"""Where commands may write for a user."""

from pathlib import Path

from attribook.errors import AttribookError


def refuse_no_file(path: Path) -> None:
    """Raises: AttribookError for a path that cannot become an ordinary file, or is something else already.

    A device, a pipe or a link would be replaced by a file of that name.
    """
    if not path.name or path.is_dir():
        raise AttribookError(f"{str(path)!r} is no name of a file. Give one, such as why.html.")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise AttribookError(f"{path} is no ordinary file, and would be replaced by one. Give another name.")
    if not path.parent.is_dir():
        raise AttribookError(f"Cannot write {path}: there is no folder {path.parent}.")
