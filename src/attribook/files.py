"""Files are written whole or not at all."""

import os
from contextlib import suppress
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
