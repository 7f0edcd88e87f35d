"""The ledger that is read in place of being computed: the same rows, and never one that is out of date."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from attribook.cli.main import app
from attribook.ledger import ledger as computing
from attribook.ledger import stored
from attribook.ledger.stored import LEDGER, NUMBERS, RULES_IN, fingerprint, row_of, short, stored_ledger, write_ledger

ROW = dict.fromkeys(stored.COLUMNS, "") | {
    "paper": "rpi", "table": 2, "row": "RPI", "column": "BERT", "metric": "log_odds", "published": -1.5,
    "ours": -1.23456, "low": None, "high": None, "n": 60, "profile": "laptop", "protocol": "p",
    "claim": 'order, "best"', "model": None, "data": None, "detectable": None, "rows": None,
}  # fmt: skip


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Results with one file of rows, and a copy of the code that decides verdicts, which may be changed."""
    results, code = tmp_path / "results", tmp_path / "code"
    (results / "laptop").mkdir(parents=True)
    (results / "laptop" / "rows.csv").write_text("key\na\n", encoding="utf-8")
    source = Path(stored.__file__).parents[1]
    for name in RULES_IN:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (source / name).is_dir() else shutil.copy)(source / name, code / name)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(results))
    monkeypatch.setattr(stored, "__file__", str(code / "ledger" / "stored.py"))
    return results, code


def test_a_row_comes_back_as_it_was_but_for_its_last_digits():
    again = row_of(short(ROW))
    assert again == ROW | {"ours": -1.2346}


def test_what_was_written_is_read_until_something_that_decides_changes(places):
    results, code = places
    assert stored_ledger() is None, "nothing is written yet"
    write_ledger([ROW])
    assert stored_ledger() == [ROW | {"ours": -1.2346}]
    rules = ("papers/rpi/cells.csv", "statistics/tests.py", "ledger/verdicts.py", "metrics/names.py")
    for path in [results / "laptop" / "rows.csv", *(code / name for name in rules)]:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert stored_ledger() is None, path
        path.write_bytes(content)
    assert stored_ledger() is not None
    (results / "laptop" / "more.csv").write_text("key\n", encoding="utf-8")
    assert stored_ledger() is None, "rows came to it"


def test_the_command_computes_where_it_has_to_or_is_asked(places, monkeypatch):
    monkeypatch.setattr(computing, "full_ledger", lambda: [ROW | {"row": "computed"}])

    def rows_of(*options):
        return [row["row"] for row in json.loads(CliRunner().invoke(app, ["claims", "--json", *options]).stdout)]

    assert rows_of() == ["computed"]
    write_ledger([ROW])
    assert rows_of() == ["RPI"]
    assert rows_of("--recompute") == ["computed"]
    (places[0] / "laptop" / "rows.csv").write_text("key\nb\n", encoding="utf-8")
    assert rows_of() == ["computed"]


def test_a_damaged_ledger_is_one_line(places):
    write_ledger([ROW])
    (places[0] / LEDGER).write_text("paper,table\nrpi,2\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["claims"])
    assert "is damaged" in str(result.exception)


def test_all_code_that_decides_verdicts_is_in_the_fingerprint():
    graph = grimp.build_graph("attribook", exclude_type_checking_imports=True)
    claims = {name for name in graph.modules if name.endswith(".figure_claims") and ".papers." in name}
    deciding = set().union(
        *(graph.find_upstream_modules(each) for each in {"attribook.ledger.ledger", *claims}), claims
    )
    elsewhere = {"attribook.errors", "attribook.files", "attribook.paths", "attribook.archives"}  # decide nothing
    rooms = tuple(f"attribook.{name.removesuffix('.py').replace('/', '.')}" for name in RULES_IN)
    assert {name for name in deciding - elsewhere if not name.startswith(rooms)} == set()


def test_the_committed_ledger_is_that_of_the_committed_rows_and_rules(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    rows = stored_ledger()
    assert rows is not None, "rows or rules changed since it was written: type `attribook check --update`"
    assert fingerprint() == (ROOT / "results" / stored.FINGERPRINT).read_text(encoding="utf-8").strip()
    assert all(row[name] is None or isinstance(row[name], float) for row in rows for name in NUMBERS)


@pytest.mark.parametrize("command", ["--help", "methods", "models list", "claims", "data list"])
def test_commands_that_list_need_neither_torch_nor_pandas(command):
    code = (
        "import sys\nfrom attribook.cli.main import app\n"
        f"try: app({command.split()!r})\nexcept SystemExit: pass\n"
        "print('IMPORTED', *({'torch', 'transformers', 'pandas', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    environment = os.environ | {"ATTRIBOOK_RESULTS": str(ROOT / "results")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "IMPORTED"


def test_the_comparisons_that_a_claim_in_words_counts_add_up(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    counted = [row["reason"] for row in stored_ledger() or () if " printed comparison" in row["reason"]]
    assert len(counted) > 10
    for reason in counted:
        total, parts = re.match(r"(\d+) printed comparisons?: (.*?) \(they rest on", reason).groups()
        assert int(total) == sum(map(int, re.findall(r"(\d+) ", parts))), reason
