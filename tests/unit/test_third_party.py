"""Numbers of SIG's authors beside RPI's: the file is what its source says, and cells are joined by hand."""

import pandas as pd
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.papers.cells import published
from attribook.papers.rpi.third_party import CELL, SIG, sig_values


@pytest.fixture
def stored(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    return SIG.frame()


def test_the_file_is_what_its_source_says(originals):
    told = sig_values()
    assert len(told) == 398
    assert told["block"].value_counts().to_dict()[3] == 20
    # Input x gradient has no baseline: the reference token moves its log-odds alone.
    keys = ["dataset", "model", "metric"]
    own = told[(told["method"] == "input_x_gradient") & told["dataset"].isin(["sst2", "rotten"])]
    pad, mask = (own[own["block"] == block].set_index(keys)["value"].sort_index() for block in (1, 2))
    same = (pad == mask).groupby(level="metric").all()
    assert same.to_dict() == {"comprehensiveness": True, "log_odds": False, "sufficiency": True}


def test_the_stored_table_is_made_of_the_file(originals, stored, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_DATA", originals)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    pd.testing.assert_frame_equal(SIG.frame(), stored)


def test_cells_of_the_table_by_hand(stored):
    printed = published("rpi", table=2)[[*CELL, "value"]]
    cells = printed.merge(stored, on=CELL, validate="one_to_one").set_index(CELL)
    assert len(cells) == len(stored) == 5 * 3 * 2 * 3  # methods, classifiers, data sets, metrics
    cell = cells.loc[("RTN", "BERT", "log_odds", "sequential_integrated_gradients")]
    assert cell.tolist() == [-1.524, -1.518, -1.548]
    cell = cells.loc[("SST2", "DistilBERT", "comprehensiveness", "deeplift")]
    assert cell.tolist() == [0.162, 0.1696, 0.05347]


def test_without_data_and_rows_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    with pytest.raises(AttribookError, match=r"\$ATTRIBOOK_DATA"):
        SIG.frame()
    (tmp_path / "golden" / "tint_nlp").mkdir(parents=True)
    (tmp_path / "golden" / "tint_nlp" / "results_tidy.csv").write_text("model\n", encoding="utf-8")
    monkeypatch.setenv("ATTRIBOOK_DATA", str(tmp_path))
    with pytest.raises(AttribookError, match="is not the registered file"):
        sig_values()
