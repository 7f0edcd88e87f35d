"""Notebooks as text: parameters that profiles inject exist, and notebooks stay thin. `make test` also runs them all."""

import ast
import re

import jupytext
import papermill
import pytest
import yaml
from conftest import ROOT

from attribook.attribution.registry import METHODS
from attribook.models.registry import SOURCES
from attribook.site.profiles import METHOD_PAGES, NAMES_A_MODEL, declared, executions, models_named
from attribook.site.reads import LEDGER, reads_of

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.py"))
PROFILES = sorted((ROOT / "params").glob("*.yml"))
# What shows rows that its page does not compute, and the studies that these are of.
READERS = {
    "verdict_counts": {LEDGER}, "answered_claim": {LEDGER}, "StoredRows": {LEDGER}, "stored_frames": set(),
}  # fmt: skip


def page_name(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: page_name(path))
def notebook(request):
    return request.param


def inspected(path, tmp_path):
    target = tmp_path / f"{path.stem}.ipynb"
    jupytext.write(jupytext.read(path), target)
    return papermill.inspect_notebook(str(target))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_injected_parameter_exists(notebook, profile, tmp_path):
    declared = inspected(notebook, tmp_path)
    (first, *_) = executions(profile.stem, [page_name(notebook)])[page_name(notebook)]
    assert set(first) <= set(declared), "papermill would inject a parameter that nothing reads"
    assert "profile" in declared


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_profiles_name_only_notebooks_that_exist(profile):
    assert set(yaml.safe_load(profile.read_text(encoding="utf-8"))) - {METHOD_PAGES} <= {
        page_name(path) for path in NOTEBOOKS
    }


def test_a_copied_profile_names_every_model_and_no_default_asks_for_consent(notebook, tmp_path):
    named = yaml.safe_load((ROOT / "params" / "laptop.yml").read_text(encoding="utf-8")).get(page_name(notebook), {})
    for name, parameter in inspected(notebook, tmp_path).items():
        default = ast.literal_eval(parameter["default"])
        if name in {*NAMES_A_MODEL, "models"} and default:
            assert name in named, f"{name} is not in laptop.yml, so who copies that does not see it"
        if "a folder, or a hub id" in parameter["help"]:
            assert models_named(notebook, {"profile": "mine", name: "own"}).count("own") == 1, (
                f"{name} is not looked at"
            )
        if isinstance(default, str):
            asking = [each for each, source in SOURCES.items() if source.terms and each in default]
            assert not asking, f"{name} is {default}, which a profile may name and a notebook may not"


def test_profiles_are_checked_against_what_papermill_sees(notebook, tmp_path):
    seen = {name: (p["inferred_type_name"], p["default"]) for name, p in inspected(notebook, tmp_path).items()}
    assert {name: p.kind for name, p in declared(notebook).items()} == {name: kind for name, (kind, _) in seen.items()}
    assert [p.default for p in declared(notebook).values()] == [
        ast.literal_eval(default) for _, default in seen.values()
    ]


def test_parameters_are_literals_with_types(notebook, tmp_path):
    for name, parameter in inspected(notebook, tmp_path).items():
        assert parameter["inferred_type_name"] in {"str", "int", "bool", "float"}, name
        assert parameter["help"], f"{name} has no comment"


def test_a_page_says_whose_rows_it_reads(notebook):
    text = notebook.read_text(encoding="utf-8")
    needed = set().union(*(studies for name, studies in READERS.items() if re.search(rf"\b{name}\(", text)))
    said = set(reads_of(notebook))
    assert needed <= said
    assert bool(said) is bool(needed or "stored_frames(" in text), "it reads nothing of others"
    known = {path.name for path in (ROOT / "results").glob("*/*") if path.is_dir()}
    assert said <= known | {LEDGER}


def test_headers_keep_the_kernel_and_no_version(notebook):
    header = notebook.read_text(encoding="utf-8").split("# %%")[0]
    assert "language: python" in header
    assert "jupytext_version" not in header


def test_every_notebook_is_in_the_contents_and_in_the_smoke_profile():
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        assert f"notebooks/{page_name(path)}" in contents


def test_every_method_has_its_page_in_the_contents():
    listed = re.findall(r"file: methods/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert listed == list(METHODS)
