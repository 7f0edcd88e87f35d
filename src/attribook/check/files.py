"""Files that hold numbers, against the SHA-256 that were committed for them: which one changed, and in which line.

The hashes tell the file. Git, where it is there and still knows the file as it was hashed, tells the line.
"""

import hashlib
import subprocess
from importlib import resources
from pathlib import Path

from attribook.check.drift import Drift
from attribook.files import write_whole
from attribook.paths import results_folder

SUMS = "SHA256SUMS"
ENDINGS = {".csv", ".json", ".jsonl", ".toml", ".svg"}
VERSIONS = 20  # of a file that are looked through in git
SHOWN = 3  # lines of a file that are named
CUT = 110  # letters of a line


def folders() -> dict[str, Path]:
    """Stored rows and the papers' printed values, each with its own list of hashes."""
    return {"results": results_folder(), "papers": Path(str(resources.files("attribook.papers")))}


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that holds numbers, by its place in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in paths}


def sha256(content: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(content).hexdigest()


def write_sums() -> list[Path]:
    """Write the hashes of what is there now. Returns the files."""
    for folder in folders().values():
        write_whole(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums(folder).items()))
    return [folder / SUMS for folder in folders().values()]


def file_drift() -> tuple[list[Drift], str]:
    """Files that are not as their committed hashes say, and how many were compared."""
    found, compared = [], 0
    for title, folder in folders().items():
        if not (folder / SUMS).is_file():
            found.append(Drift("files", f"{title}/{SUMS}", "is missing; bring it back from git"))
            continue
        lines = [line.split("  ", 1) for line in (folder / SUMS).read_text("utf-8", errors="replace").splitlines()]
        if bad := [number for number, line in enumerate(lines, start=1) if len(line) < 2]:
            found.append(Drift("files", f"{title}/{SUMS}", f"line {bad[0]} is damaged; bring it back from git"))
        committed, now = {line[1]: line[0] for line in lines if len(line) == 2}, sums(folder)
        compared += len(committed)
        for name, digest in committed.items():
            if name not in now:
                found.append(Drift("files", f"{title}/{name}", "is missing"))
            elif now[name] != digest:
                found += [Drift("files", f"{title}/{name}", what) for what in changes(folder, name, digest)]
        for name in sorted(now.keys() - committed.keys()):
            found.append(Drift("files", f"{title}/{name}", "has no committed hash; write it: attribook check --update"))
    return found, f"{compared} files against their committed SHA-256"


def changes(folder: Path, name: str, digest: str) -> list[str]:
    """What is different in a file, in words: the lines that the hashed version has not."""
    what = "was changed after its hash was committed"
    before = as_hashed(folder, name, digest)
    if before is None:
        return [what]
    known = set(before.decode(errors="replace").splitlines())
    lines = enumerate((folder / name).read_text("utf-8", errors="replace").splitlines(), start=1)
    new = [f"line {number}: {line.strip()[:CUT]}" for number, line in lines if line not in known]
    if not new:
        return [f"{what}: lines are gone or in another order"]
    return [f"{what}, {line}" for line in new[:SHOWN]] + [f"{len(new) - SHOWN} more lines"] * (len(new) > SHOWN)


def as_hashed(folder: Path, name: str, digest: str) -> bytes | None:
    """The version of a file that has this hash, from git; None where there is none."""
    listed = git(folder, "log", f"-{VERSIONS}", "--format=%H", "--", name)
    for commit in (listed or b"").decode().split():
        content = git(folder, "show", f"{commit}:./{name}")
        if content is not None and sha256(content) == digest:
            return content
    return None


def git(folder: Path, *words: str) -> bytes | None:
    """What git prints; None where it cannot."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
