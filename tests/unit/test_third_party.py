"""Numbers of SIG's authors beside RPI's: the file is what its source says, and the comparison is made by hand too."""

import pandas as pd
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.papers.rpi.sig_released import sig_values
from attribook.papers.rpi.third_party import CELL, agreement_table, third_party_table, third_party_told


@pytest.fixture
def stored(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    return third_party_table()


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
    pd.testing.assert_frame_equal(third_party_table(), stored)


def test_cells_of_the_table_by_hand(stored):
    assert len(stored) == 5 * 3 * 2 * 3  # methods, classifiers, data sets, metrics
    cell = stored.set_index(CELL).loc[("RTN", "BERT", "log_odds", "sequential_integrated_gradients")]
    assert cell.tolist() == [-1.524, -1.518, -1.548]
    cell = stored.set_index(CELL).loc[("SST2", "DistilBERT", "comprehensiveness", "deeplift")]
    assert cell.tolist() == [0.162, 0.1696, 0.05347]


def test_agreement_by_hand():
    cells = [("SST2", "BERT", "comprehensiveness", name, ours, mask, 0.0)
             for name, ours, mask in (("a", 0.3, 0.4), ("b", 0.2, 0.1), ("c", 0.1, 0.2))]  # fmt: skip
    more = [(data, model, metric, *rest) for data, model, _, *rest in cells for metric in ("sufficiency", "log_odds")]
    frame = pd.DataFrame([*cells, *more], columns=[*CELL, "printed", "mask", "pad"])
    found = agreement_table(frame).set_index(["metric", "reference"])
    line = found.loc[("comprehensiveness", "mask")]
    assert line["median apart"] == pytest.approx(0.1)
    assert line["difference"] == pytest.approx((-0.1 + 0.1 - 0.1) / 3)
    assert line["order"] == pytest.approx(0.5)
    assert (line["same order"], line["same best"]) == (0, 1)
    assert found.loc[("sufficiency", "mask"), "same best"] == 0  # lower is better there: c against b


def test_the_sentence_counts_what_the_table_counts(stored):
    told = third_party_told(stored)
    line = agreement_table(stored).set_index(["metric", "reference"]).loc[("comprehensiveness", "mask")]
    assert f"same order in {line['same order']:.0f} of {line['columns']:.0f} columns" in told
    assert told.startswith("90 cells; those with the mask token")


def test_without_data_and_rows_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    with pytest.raises(AttribookError, match=r"\$ATTRIBOOK_DATA"):
        third_party_table()
    (tmp_path / "golden" / "tint_nlp").mkdir(parents=True)
    (tmp_path / "golden" / "tint_nlp" / "results_tidy.csv").write_text("model\n")
    monkeypatch.setenv("ATTRIBOOK_DATA", str(tmp_path))
    with pytest.raises(AttribookError, match="is not the registered file"):
        sig_values()
