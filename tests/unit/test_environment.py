"""The lock, environment.yml and pyproject.toml tell the same."""

import re
import tomllib

import yaml
from conftest import ROOT


def locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text() + (ROOT / "requirements-torch.txt").read_text()
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s\\;]+)", text, flags=re.M))


def test_environment_yml_gives_the_locked_versions():
    parts = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(part["pip"] for part in parts if isinstance(part, dict))
    assert pip[-1] == "-e ."
    assert dict(line.split("==") for line in pip[:-1]) == locked()
    assert "python=3.11" in parts


def test_everything_but_torch_has_a_hash():
    blocks = re.split(r"^(?=[A-Za-z0-9_.-]+==)", (ROOT / "requirements.lock").read_text(), flags=re.M)[1:]
    assert len(blocks) > 50
    assert all("--hash=sha256:" in block for block in blocks)
    assert not any(block.startswith("torch==") for block in blocks)


def test_all_declared_dependencies_are_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["book"],
        *project["optional-dependencies"]["dev"],
    ]
    names = {re.match(r"[A-Za-z0-9_-]+", line)[0].lower() for line in wanted}
    assert names <= {name.lower() for name in locked()}


def test_lock_files_name_no_address():
    for name in ("requirements.lock", "requirements-torch.txt", "environment.yml"):
        assert "://" not in (ROOT / name).read_text()


def test_torch_and_jupyter_book_are_the_agreed_ones():
    assert locked()["torch"] == "2.13.0"
    assert locked()["jupyter-book"] == "1.0.4.post1"
