"""Pages that show rows of other pages' studies: they say so, and come out the same whatever ran first."""

import re

import nbformat
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.site.build import run_notebooks
from attribook.site.reads import LEDGER, reads_of, rows_digest

HEADER = (ROOT / "notebooks" / "shared" / "classifiers.py").read_text(encoding="utf-8").split("# %%")[0]
PARAMETERS = '# %% tags=["parameters"]\nprofile: str = "mine"  # p\n\n# %%\n'
WRITES = "import os, pathlib, time\nfolder = pathlib.Path(os.environ['ATTRIBOOK_RESULTS']) / profile / '{study}'\n"
WRITES += "time.sleep({wait})\nfolder.mkdir(parents=True, exist_ok=True)\n(folder / '{file}').write_text('{file}')\n"
READS = "import os, pathlib\nplace = pathlib.Path(os.environ['ATTRIBOOK_RESULTS'])\n"
READS += "print(sorted(path.name for path in place.glob('*/{study}/*.csv')) or 'nothing yet')\n"


def reading(studies):
    return HEADER.replace("# jupyter:\n", f"# jupyter:\n#   attribook:\n#     reads: [{studies}]\n")


@pytest.fixture
def pages(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    for folder in ("notebooks", "params"):
        (root / folder).mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n", encoding="utf-8")
    monkeypatch.setenv("ATTRIBOOK_ROOT", str(root))

    def made(**texts):
        for name, (studies, code) in texts.items():
            header = reading(studies) if studies else HEADER
            (root / "notebooks" / f"{name}.py").write_text(header + PARAMETERS + code, encoding="utf-8")
        (root / "params" / "mine.yml").write_text(f"{next(iter(texts))}:\n  profile: mine\n", encoding="utf-8")
        return root

    return made


def printed(root, name):
    notebook = nbformat.read(root / "_build" / "mine" / "book" / "notebooks" / f"{name}.ipynb", as_version=4)
    return notebook.cells[-1].outputs[-1].text.strip()


SOON = {
    "a_reads": ("studied", READS.format(study="studied")),
    "b_writes": ("", WRITES.format(study="studied", file="b.csv", wait=1)),
    "c_writes": ("", WRITES.format(study="studied", file="c.csv", wait=0)),
}


@pytest.mark.parametrize(
    ("jobs", "order"), [(1, ["a_reads", "b_writes", "c_writes"]), (2, ["c_writes", "a_reads", "b_writes"])]
)
def test_what_reads_runs_after_what_writes(pages, capsys, jobs, order):
    root = pages(**SOON)
    assert run_notebooks(order, "mine", jobs=jobs) == {}
    assert printed(root, "a_reads") == "['b.csv', 'c.csv']"
    assert "once more" not in capsys.readouterr().out


def test_what_reads_alone_runs_again_once_there_are_rows(pages, capsys):
    root = pages(**SOON)
    assert run_notebooks(["a_reads"], "mine") == {}
    assert printed(root, "a_reads") == "nothing yet"
    assert run_notebooks([], "mine") == {}
    assert printed(root, "a_reads") == "['b.csv', 'c.csv']"
    capsys.readouterr()
    assert run_notebooks(["a_reads"], "mine") == {}
    assert capsys.readouterr().out == "a_reads: unchanged\n"


@pytest.mark.parametrize(("jobs", "order"), [(1, ["one", "two"]), (1, ["two", "one"]), (2, ["one", "two"])])
def test_pages_that_show_what_each_other_computes_show_all_of_it(pages, capsys, jobs, order):
    both = {
        name: ("studied", WRITES.format(study="studied", file=f"{name}.csv", wait=0) + READS.format(study="studied"))
        for name in ("one", "two")
    }
    root = pages(**both)
    assert run_notebooks(order, "mine", jobs=jobs) == {}
    assert [printed(root, name) for name in order] == ["['one.csv', 'two.csv']"] * 2
    assert "once more, as rows were added that they read: " in capsys.readouterr().out
    assert run_notebooks(order, "mine", jobs=jobs) == {}
    assert capsys.readouterr().out.count("unchanged") == 2


def test_a_page_that_failed_for_want_of_rows_is_told_as_what_it_came_to(pages):
    needs = "import os, pathlib\n" + READS.format(study="studied")
    needs += "assert len(list(place.glob('*/studied/*.csv'))) == 2\n"
    writes = WRITES.format(study="studied", file="b.csv", wait=0)
    root = pages(a=("studied", needs), b=("studied", writes), c=("", writes.replace("b.csv", "c.csv")))
    assert run_notebooks(["a", "b", "c"], "mine", jobs=1) == {}
    (root / "notebooks" / "b.py").write_text(
        reading("studied") + PARAMETERS + "raise ValueError('planted')\n", encoding="utf-8"
    )
    (root / "notebooks" / "a.py").write_text(
        reading("studied") + PARAMETERS + needs.replace("== 2", "== 3"), encoding="utf-8"
    )
    failures = run_notebooks([], "mine", jobs=1)
    assert failures == {"a": "AssertionError: ", "b": "ValueError: planted"}


def test_a_page_whose_inputs_cannot_be_looked_at_fails_alone(pages, monkeypatch):
    root = pages(a=("", "print('x')\n"), b=("", "print('y')\n"))

    def unreadable(source, injected):
        if source.stem == "a":
            raise PermissionError(13, "Permission denied", "models/own")
        return "digest"

    monkeypatch.setattr("attribook.site.build.inputs_hash", unreadable)
    failures = run_notebooks([], "mine")
    assert list(failures) == ["a"]
    assert "Permission denied" in failures["a"]
    assert printed(root, "b") == "y"


def test_a_header_that_says_it_wrongly_is_told(tmp_path):
    page = tmp_path / "page.py"
    page.write_text(reading("one, two"), encoding="utf-8")
    assert reads_of(page) == ("one", "two")
    for wrong in ("reads: one", "reads: [1]", "read: [one]"):
        page.write_text(re.sub("reads: .*", wrong, reading("one")), encoding="utf-8")
        with pytest.raises(AttribookError, match=r"say `attribook: \{reads: \[names of studies\]\}`"):
            reads_of(page)
    page.write_text(HEADER, encoding="utf-8")
    assert reads_of(page) == ()


def test_the_digest_is_of_the_rows_that_are_read(tmp_path):
    def moved(place, studies):
        before = rows_digest(studies)
        path = tmp_path / "results" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text(encoding="utf-8") + "x" if path.exists() else "", encoding="utf-8")
        return rows_digest(studies) != before

    assert rows_digest(()) == ""
    assert moved("laptop/studied/m/p/rows.csv", ["studied"])
    assert moved("original/studied/m/p/scores.jsonl", ["other", "studied"])
    assert moved("original/studied/m/p/scores.jsonl", [LEDGER])
    assert not moved("laptop/other/m/p/rows.csv", ["studied"])
    assert not moved("smoke/studied/m/p/rows.csv", [LEDGER])  # they answer nothing
    assert not moved("laptop/studied/m/p/.lock", [LEDGER, "studied"])
