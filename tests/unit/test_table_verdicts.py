"""Verdicts on one printed table, counted."""

import pytest

from attribook.errors import AttribookError
from attribook.ledger.table_verdicts import verdict_counts
from attribook.ledger.words import NO_ROWS, NOT_HERE
from attribook.papers.cells import published


def test_every_cell_of_the_table_is_counted_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    counts = verdict_counts("reagent", 2).set_index("verdict")
    cells = published("reagent").query("table == 2")
    assert counts.sum().to_dict() == cells["metric"].value_counts().to_dict()
    assert set(counts.index) <= {NO_ROWS, NOT_HERE}


def test_only_chosen_cells_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    counts = verdict_counts("reagent", 2, dataset="LongRA", row="Lime").set_index("verdict")
    cells = published("reagent").query("table == 2 and dataset == 'LongRA' and row == 'Lime'")
    assert int(counts.to_numpy().sum()) == len(cells) > 0
    with pytest.raises(AttribookError, match="no printed cell"):
        verdict_counts("reagent", 2, dataset="nothing")
