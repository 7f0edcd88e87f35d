"""Files that commands write for a user: whole or not at all."""

import os
import tempfile
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


def write_whole(path: Path, content: str) -> None:
    """Write a file in one step, or leave what was there. Raises: AttribookError where that is not possible."""
    refuse_no_file(path)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".part-", delete=False) as file:
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
