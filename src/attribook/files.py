"""Files are written whole or not at all, and a damaged one is named by who reads it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from attribook.errors import AttribookError


def write_whole(path: Path, content: str) -> None:
    """Write a file in one step, or leave what was there. Raises: AttribookError where that is not possible."""
    scratch = path.with_name(f".part-{token_hex()}")  # a name that nobody can foresee
    try:
        with scratch.open("x", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        raise AttribookError(f"Cannot write {path}: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            scratch.unlink()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What goes wrong while a file is read is said of the file, in one line. Raises: AttribookError."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        raise AttribookError(f"{path} is damaged: {why}. Bring it back from git, or run its notebook again.") from error
