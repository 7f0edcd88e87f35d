"""Write requirements.lock, requirements-torch.txt and environment.yml from pyproject.toml.

`make lock` runs it in the project's environment. The lock holds hashes for everything but torch, whose builds
differ by platform (CPU, CUDA); torch is pinned by version alone. environment.yml lists the same pins for conda.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml; do not edit.\n"
TORCH = "torch==2.13.0"
# Libraries of torch's CUDA builds: torch itself pins them, and the CPU build has none.
CUDA_ONLY = re.compile(r"(nvidia|cuda|triton)\b")
COMPILE = [
    "--quiet", "--strip-extras", "--allow-unsafe", "--generate-hashes", "--no-header", "--annotation-style=line",
    "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host",
    "--extra=book", "--extra=dev", "--output-file=-", "pyproject.toml",
]  # fmt: skip


def compile_lock(*extra: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraint:
        constraint.write(TORCH + "\n")
        constraint.flush()
        command = [
            sys.executable,
            "-m",
            "piptools",
            "compile",
            f"--constraint={constraint.name}",
            *extra,
            *COMPILE,
        ]
        return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def blocks(lock: str) -> dict[str, str]:
    """One entry per package: its pin line with the hash lines that follow."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==.*?(?=^[A-Za-z0-9_.-]+==|\Z)", lock, flags=re.M | re.S)
    parts = re.split(r"^(?=[A-Za-z0-9_.-]+==)", lock, flags=re.M)
    return dict(zip(found, [p for p in parts if "==" in p], strict=True))


def main() -> None:
    packages = blocks(compile_lock(*sys.argv[1:]))
    packages = {name: block for name, block in packages.items() if not CUDA_ONLY.match(name)}
    pins = [re.match(r"[^\s;\\]+", block)[0] for block in packages.values()]  # type: ignore[index]
    pins = [pin.split("+")[0] for pin in pins]  # a local build label such as +cpu is not part of the pin
    packages.pop("torch")
    (ROOT / "requirements.lock").write_text(HEADER + "".join(packages.values()))
    (ROOT / "requirements-torch.txt").write_text(HEADER + TORCH + "\n")
    pip_lines = "".join(f"      - {pin}\n" for pin in pins)
    (ROOT / "environment.yml").write_text(
        f"{HEADER}name: attribook\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n"
        f"  - pip:\n{pip_lines}      - -e .\n"
    )


if __name__ == "__main__":
    main()
