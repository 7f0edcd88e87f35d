"""Files are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from attribook.errors import AttribookError


def write_whole(path: Path, content: str) -> None:
    """Write a file in one step, or leave what was there. Raises: AttribookError where that is not possible."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=".part-", delete=False
        ) as file:
            scratch = Path(file.name)  # a name that nobody can foresee, made by this call alone
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                scratch.chmod(0o666 & ~current_umask())
                os.replace(scratch, path)
            except BaseException:
                scratch.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise AttribookError(f"Cannot write {path}: {error.strerror}.") from error


def current_umask() -> int:
    """What new files of this process may not allow; scratch files allow their owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
