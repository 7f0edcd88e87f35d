"""Damaged profiles, ledgers and files of papers: a reader gives what is there or ends with one of our own errors."""

import io
import random
import shutil

import pandas as pd
import pytest
from conftest import ROOT, mutated

from attribook.check.committed import ledger_drift
from attribook.check.files import file_drift
from attribook.errors import AttribookError
from attribook.ledger.links import read_links
from attribook.ledger.stored import LEDGER, NUMBERS
from attribook.papers.cells import read_cells
from attribook.papers.claims import read_claims
from attribook.papers.registry import paper_folders, read_toml
from attribook.site.matrix import load_matrix, matrix_row
from attribook.site.profiles import parameters

LINES = 20  # of a table that are kept, so that a mutation hits what matters


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A checkout with what the readers read, small; the files by what reads each."""
    root, paper = tmp_path / "checkout", paper_folders()["noiser"]
    for folder in ("params", "results"):
        (root / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copy(ROOT / "params" / "smoke.yml", root / "params" / "smoke.yml")
    for name in (LEDGER, "matrix.csv", "SHA256SUMS"):
        lines = (ROOT / "results" / name).read_bytes().splitlines(keepends=True)
        (root / "results" / name).write_bytes(b"".join(lines[:LINES]))
    for name in ("cells.csv", "claims.toml", "links.toml", "tables.toml"):
        shutil.copy(paper / name, root / name)
    for name in ("_toc.yml", "_config.yml"):
        shutil.copy(ROOT / name, root / name)
    monkeypatch.setenv("ATTRIBOOK_ROOT", str(root))
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(root / "results"))
    rows = numbers(root)
    return {
        root / "params" / "smoke.yml": lambda _: parameters("smoke", ["noiser/table_1"]),
        root / "results" / LEDGER: lambda _: ledger_drift(rows),
        root / "results" / "matrix.csv": lambda _: (load_matrix(), matrix_row("occlusion")),
        root / "results" / "SHA256SUMS": lambda _: file_drift(),
        root / "cells.csv": lambda path: read_cells(io.StringIO(text(path), newline=""), "noiser"),
        root / "claims.toml": lambda path: read_claims(text(path), "noiser"),
        root / "links.toml": lambda path: read_links({"noiser": text(path)}),
        root / "tables.toml": read_toml,
    }


def numbers(root):
    """Rows as the ledger has them, whose keys are those of the committed ones and whose numbers differ."""
    table = pd.read_csv(root / "results" / LEDGER, dtype=str, keep_default_na=False)
    return [row | dict.fromkeys(NUMBERS, 0.5) for row in table.to_dict("records")]


def fuzz_all(places, times):
    """How often each reader told of a damage; anything but an error of ours gets through."""
    chance, told = random.Random(1), {}
    for path, read in places.items():
        content, told[path.name] = path.read_bytes(), []
        read(path)  # undamaged, it is read
        for _ in range(times):
            path.write_bytes(mutated(content, chance))
            try:
                read(path)
            except AttribookError as error:
                told[path.name].append(str(error))
        path.write_bytes(content)
    assert not [text for texts in told.values() for text in texts if "\n" in text]
    return {name: len(texts) for name, texts in told.items()}


def test_damaged_settings_end_in_our_own_errors(places):
    failed = fuzz_all(places, 60)
    told = {name: times for name, times in failed.items() if name != "SHA256SUMS"}  # what is wrong there is its finding
    assert min(told.values()) > 5, f"the mutations do harm: {failed}"


@pytest.mark.slow
def test_thousands_of_damaged_settings_end_in_our_own_errors(places):
    fuzz_all(places, 1_000)


def text(path):
    """What a reader of text is given of bytes that may be none."""
    return path.read_bytes().decode(errors="replace")
