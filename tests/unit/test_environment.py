"""The lock, environment.yml, pyproject.toml, the Makefile and the workflows tell the same."""

import re
import tomllib
from importlib import metadata

import pytest
import yaml
from conftest import ROOT
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def pins() -> list[str]:
    """The pins with their markers, torch's included."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8") + (ROOT / "requirements-torch.txt").read_text(
        encoding="utf-8"
    )
    return [line.rstrip("\\ ") for line in text.splitlines() if re.match(r"[A-Za-z0-9_.-]+==", line)]


def locked() -> dict[str, str]:
    return {pin.split("==")[0]: re.split(r"==|\s", pin)[1] for pin in pins()}


def supported() -> list[str]:
    named = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in PROJECT["classifiers"]]
    return [match[1] for match in named if match]


def test_environment_yml_gives_the_locked_versions():
    parts = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip = next(part["pip"] for part in parts if isinstance(part, dict))
    assert pip[-1] == "-e ."
    assert sorted(pip[:-1]) == sorted(pins())
    assert f"python={supported()[0]}" in parts


def test_everything_but_torch_has_a_hash():
    blocks = re.split(r"^(?=[A-Za-z0-9_.-]+==)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.M)[
        1:
    ]
    assert len(blocks) > 50
    assert all("--hash=sha256:" in block for block in blocks)
    assert not any(block.startswith("torch==") for block in blocks)


def test_all_declared_dependencies_are_locked():
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["book"], *extras["dev"]]
    names = {re.match(r"[A-Za-z0-9_-]+", line)[0].lower() for line in wanted}
    assert names <= {name.lower() for name in locked()}


@pytest.mark.parametrize(("package", "platform"), [("appnope", "darwin"), ("colorama", "win32")])
def test_what_another_platform_needs_is_locked_for_it_alone(package: str, platform: str):
    (pin,) = (pin for pin in pins() if pin.startswith(f"{package}=="))
    marker = Marker(pin.split(" ; ")[1])
    holds = {name for name in ("linux", "darwin", "win32") if marker.evaluate({"sys_platform": name})}
    assert holds == {platform}


def test_locked_versions_install_on_the_oldest_supported_python():
    refused = []
    for name, version in locked().items():
        try:
            installed = metadata.metadata(name)
        except metadata.PackageNotFoundError:  # for another platform or Python
            continue
        if installed["Version"] == version:
            wanted = SpecifierSet(installed["Requires-Python"] or "")
            if not wanted.contains(f"{supported()[0]}.0"):
                refused.append(f"{name}=={version} needs Python {wanted}")
    assert not refused


def test_supported_pythons_are_the_same_everywhere():
    first, last = supported()[0], supported()[-1]
    assert PROJECT["requires-python"] == f">={first}"
    bounds = re.compile(r"\((\d+), (\d+)\) <= sys\.version_info\[:2\] <= \((\d+), (\d+)\)")
    for name in ("Makefile", ".ci/run"):
        (found,) = bounds.findall((ROOT / name).read_text(encoding="utf-8"))
        assert (f"{found[0]}.{found[1]}", f"{found[2]}.{found[3]}") == (first, last), name


def test_lock_files_name_no_address():
    for name in ("requirements.lock", "requirements-torch.txt", "environment.yml"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_torch_and_jupyter_book_are_the_agreed_ones():
    assert locked()["torch"] == "2.13.0"
    assert locked()["jupyter-book"] == "1.0.4.post1"
    assert not any("+" in version for version in locked().values())  # no label of one machine's build


def used_actions(text: str) -> set[str]:
    return set(re.findall(r"uses: (\S+)", text))


def test_the_guide_names_the_actions_that_the_workflows_use():
    guide = (ROOT / "book" / "checks.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```yaml\n(.*?)^```", guide, flags=re.M | re.S)
    assert all(yaml.safe_load(snippet) for snippet in snippets)
    workflows = set.union(*(used_actions(path.read_text(encoding="utf-8")) for path in WORKFLOWS))
    assert used_actions(guide)
    assert used_actions(guide) <= workflows


def test_both_workflows_key_the_weights_alike():
    keys = {key for path in WORKFLOWS for key in re.findall(r" key: (.*)", path.read_text(encoding="utf-8"))}
    assert len(keys) == 1
    for named in re.findall(r"hashFiles\('([^']+)'\)", "".join(keys)):
        assert (ROOT / named).is_file()
