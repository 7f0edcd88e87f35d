"""Write requirements.lock, requirements-torch.txt and environment.yml from pyproject.toml, and check them.

`make lock` runs it in the project's environment. uv resolves for every supported Python and platform at once; markers
say what only some of them need. Versions that are locked already stay, unless `--upgrade` or `--upgrade-package NAME`
is given. The lock has hashes for everything but torch, whose builds differ (CPU, CUDA) and which is pinned by version
alone. environment.yml lists the same pins for conda.

At the end uv resolves what was written once more for each platform and Python, with wheels alone and without installing
anything, so no other machine is needed.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TORCH_LOCK = ROOT / "requirements-torch.txt"
HEADER = "# Written by `make lock` from pyproject.toml; do not edit.\n"
TORCH = "torch==2.13.0"
# Libraries of torch's CUDA builds: torch itself pins them, and the CPU build has none.
CUDA_ONLY = re.compile(r"(nvidia|cuda|triton)\b")
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")
MACOS = "14.0"  # the oldest that torch's wheels run on
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==", flags=re.M)
HASH = re.compile(r"--hash=(\S+)")
# pip's settings that uv reads under other names. A folder or a second index beside the first may hold only some files
# of a version, and the lock needs the hashes of all of them, so `find-links` and `extra-index-url` are left alone.
PIP_SETTINGS = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}


def environment() -> dict[str, str]:
    """The process's environment with pip's index, so that uv asks the index that pip is set up for."""
    environ = dict(os.environ, MACOSX_DEPLOYMENT_TARGET=MACOS)
    listed = run([sys.executable, "-m", "pip", "config", "list"], environ)
    configured = dict(re.findall(r"^(\S+?)='(.*)'$", listed, flags=re.M))
    for name, uv_name in PIP_SETTINGS.items():
        value = configured.get(f":env:.{name}", configured.get(f"global.{name}"))
        if value is not None:
            environ.setdefault(uv_name, value)
    return environ


def run(command: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environ, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:  # the command itself has said why
        sys.exit(f"failed: {' '.join(command[1:])}")
    return done.stdout


def uv(*arguments: str, environ: dict[str, str]) -> str:
    return run([sys.executable, "-m", "uv", "--no-progress", *arguments, "--quiet", "--only-binary=:all:"], environ)


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pythons() -> list[str]:
    """The supported versions of Python, lowest first."""
    named = re.findall(r"Python :: (3\.\d+)$", "\n".join(project()["project"]["classifiers"]), flags=re.M)
    return sorted(named, key=lambda version: int(version.split(".")[1]))


def name_of(pin: str) -> str:
    return pin.split("==")[0]


def blocks(lock: str) -> dict[str, str]:
    """One entry per pin line with the hash lines that follow; a package has several if platforms differ."""
    parts = [part for part in re.split(f"(?={PIN.pattern})", lock, flags=re.M) if PIN.match(part)]
    return {part.split("\\")[0].strip(): part for part in parts}


def hashes(lock: str) -> dict[str, set[str]]:
    """The hashes of each pin, which stands here without its marker."""
    return {pin.split(" ;")[0]: set(HASH.findall(block)) for pin, block in blocks(lock).items()}


def resolve(environ: dict[str, str], *extra: str) -> str:
    """uv's lock for all platforms, torch and its CUDA libraries included."""
    with tempfile.TemporaryDirectory() as folder:
        output, constraint = Path(folder, "lock.txt"), Path(folder, "torch.txt")
        output.write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")  # uv keeps these versions where it can
        constraint.write_text(TORCH + "\n", encoding="utf-8")
        uv(
            "pip", "compile", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--strip-extras",
            "--fork-strategy=fewest", f"--python-version={pythons()[0]}", "--extra=book", "--extra=dev",
            f"--constraint={constraint}", f"--output-file={output}", *extra, "pyproject.toml", environ=environ,
        )  # fmt: skip
        return output.read_text(encoding="utf-8")


def without(marker_terms: list[str], lock: str) -> str:
    """The lock without those parts of its markers that hold wherever attribook runs."""
    for term in marker_terms:
        lock = lock.replace(f"{term} and ", "").replace(f" and {term}", "").replace(f" ; {term} ", " ")
    return lock


def write(lock: str) -> None:
    (terms,) = project()["tool"]["uv"]["environments"]
    entries = blocks(without(terms.split(" and "), lock))
    entries = {pin: block for pin, block in entries.items() if not CUDA_ONLY.match(pin) and name_of(pin) != "torch"}
    LOCK.write_text(HEADER + "".join(entries.values()), encoding="utf-8")
    TORCH_LOCK.write_text(HEADER + TORCH + "\n", encoding="utf-8")
    pip_lines = "".join(f"      - {pin}\n" for pin in sorted([*entries, TORCH], key=name_of))
    (ROOT / "environment.yml").write_text(
        f"{HEADER}name: attribook\nchannels:\n  - conda-forge\ndependencies:\n  - python={pythons()[0]}\n  - pip\n"
        f"  - pip:\n{pip_lines}      - -e .\n",
        encoding="utf-8",
    )


def check(platform: str, python: str, environ: dict[str, str]) -> int:
    """How many packages that platform and Python install, each from a wheel; the index's hashes are the lock's.

    Raises: SystemExit if a package has no wheel there, or a package or a hash is not in the lock.
    """
    found = uv(
        "pip", "compile", "--generate-hashes", "--no-header", "--no-annotate", f"--python-platform={platform}",
        f"--python-version={python}", str(LOCK), str(TORCH_LOCK), environ=environ,
    )  # fmt: skip
    locked = hashes(LOCK.read_text(encoding="utf-8"))
    needed = hashes(found)
    for pin, wanted in needed.items():
        if CUDA_ONLY.match(pin) or name_of(pin) == "torch":
            continue
        if not wanted or not wanted <= locked.get(pin, set()):
            sys.exit(f"{platform}, Python {python}: {pin} or one of its hashes is not in the lock.")
    return len(needed)


def main() -> None:
    environ = environment()
    write(resolve(environ, *sys.argv[1:]))
    for platform in PLATFORMS:
        for python in pythons():
            print(f"{platform}, Python {python}: {check(platform, python, environ)} wheels")


if __name__ == "__main__":
    main()
