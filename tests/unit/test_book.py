"""From notebooks to pages: a failure is a failure, what is unchanged is not run again, and stages stay in step."""

import nbformat
import pytest
from conftest import ROOT

from attribook.book import build_site, parameters, run_notebooks, stage
from attribook.errors import AttribookError

HEADER = (ROOT / "notebooks" / "protocols.py").read_text().split("# %%")[0]
GOOD = HEADER + '# %% tags=["parameters"]\nprofile: str = "laptop"  # p\nx: int = 1  # x\n\n# %%\nprint("x is", x)\n'
BAD = HEADER + '# %% tags=["parameters"]\nprofile: str = "laptop"  # p\n\n# %%\nraise ValueError("planted")\n'


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    for folder in ("notebooks", "params", "book", "results"):
        (root / folder).mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    (root / "_config.yml").write_text("title: t\n")
    (root / "notebooks" / "good.py").write_text(GOOD)
    (root / "notebooks" / "bad.py").write_text(BAD)
    (root / "params" / "mine.yml").write_text("good:\n  x: 5\n")
    monkeypatch.setenv("ATTRIBOOK_ROOT", str(root))
    return root


def test_notebooks_run_with_their_parameters_and_failures_are_told(checkout, capsys):
    failures = run_notebooks([], "mine")
    assert [(f.notebook, f.reason) for f in failures] == [("bad", "ValueError: planted")]
    pages = checkout / "_build" / "mine" / "book" / "notebooks"
    notebook = nbformat.read(pages / "good.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[0].text == "x is 5\n"
    assert str(checkout) not in (pages / "good.ipynb").read_text()
    assert not (pages / "bad.ipynb").exists()
    with pytest.raises(AttribookError, match="Not executed yet: bad"):
        build_site("mine")
    capsys.readouterr()
    run_notebooks(["good"], "mine")
    assert "good: unchanged" in capsys.readouterr().out
    (checkout / "params" / "mine.yml").write_text("good:\n  x: 6\n")
    run_notebooks(["good"], "mine")
    assert "good: running" in capsys.readouterr().out


def test_notebooks_that_run_at_once_give_what_they_give_alone(checkout):
    failures = run_notebooks([], "mine", jobs=2)
    assert [(f.notebook, f.reason) for f in failures] == [("bad", "ValueError: planted")]
    page = checkout / "_build" / "mine" / "book" / "notebooks" / "good.ipynb"
    assert nbformat.read(page, as_version=4).cells[-1].outputs[0].text == "x is 5\n"


def test_profiles_merge_and_unknown_ones_are_named(checkout):
    assert parameters("mine", "good") == {"profile": "mine", "x": 5}
    assert parameters("mine", "bad") == {"profile": "mine"}
    with pytest.raises(AttribookError, match=r"Unknown profile 'other'\. Known: mine"):
        parameters("other", "good")
    with pytest.raises(AttribookError, match="Unknown notebook gone"):
        run_notebooks(["gone"], "mine")


def test_staging_touches_only_what_differs_and_forgets_what_is_gone(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "part").mkdir(parents=True)
    (source / "a.md").write_text("a")
    (source / "part" / "b.md").write_text("b")
    stage(source, target)
    before = (target / "a.md").stat().st_mtime_ns
    (source / "part" / "b.md").write_text("changed")
    (source / "c.md").write_text("c")
    stage(source, target)
    assert (target / "a.md").stat().st_mtime_ns == before
    assert (target / "part" / "b.md").read_text() == "changed"
    (source / "c.md").unlink()
    stage(source, target)
    assert not (target / "c.md").exists()
