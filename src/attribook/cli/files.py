"""Files that commands write for a user: whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

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


def write_whole(path: Path, content: str) -> None:
    """Write a file in one step, or leave what was there. Raises: AttribookError where that is not possible."""
    refuse_no_file(path)
    scratch = path.with_name(f".part-{token_hex()}")  # a name that nobody can foresee
    try:
        with scratch.open("x", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        raise AttribookError(f"Cannot write {path}: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            scratch.unlink()
