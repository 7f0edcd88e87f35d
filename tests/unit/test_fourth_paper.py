"""A further paper is a folder: its printed cells and claims get verdicts, and nothing else has to be edited."""

import csv
import json

import numpy as np
import pytest

import attribook.papers
from attribook.ledger.ledger import full_ledger
from attribook.ledger.rows import COLUMNS
from attribook.ledger.table_verdicts import verdict_counts
from attribook.ledger.words import CODE_ONLY, NO_ROWS, OPPOSITE, SAME
from attribook.papers.cells import COLUMNS as CELL_COLUMNS
from attribook.papers.registry import paper_names, paper_title
from attribook.site.ledger_page import ledger_page
from attribook.site.summary_page import summary

TABLES = """
title = "Toy"

[notes]

[[table]]
table = 1
cells = 2
subject = "two methods on one task"
remark = ""
"""
CLAIMS = """
[[claim]]
id = "toy-best"
says = "Occlusion is the most faithful."
tables = [1]
query = { kind = "best", row = ["Occ"], where = { table = 1 } }

[[claim]]
id = "toy-figure"
says = "LIME has scores."
needs = "a figure"

[[claim]]
id = "toy-lost"
says = "Nobody can tell."
needs = "what is lost"
"""
LINKS = """
[[link]]
table = 1
studies = ["toy_study"]
notebook = "toy/table_1"
protocols = { ours = "attribook" }

[data]
Facts = { own = "knowns", stand_in = "knowns-mini" }

[models]
"""
FIGURES = """
from attribook.papers.claim_tests import ClaimAnswer, source_of, study_folders
from attribook.statistics.tests import ABOVE


def has_scores():
    for folder in study_folders("toy_study"):
        return ClaimAnswer(ABOVE, "they are there", "toy/figure_1", 30, source_of(folder, "rows.csv"))
    return None


ANSWERS = {"toy-figure": has_scores}
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The folder of a paper outside the package, and rows of its study."""
    folder = tmp_path / "papers" / "toy"
    folder.mkdir(parents=True)
    common = {"paper": "toy", "table": 1, "column": "GPT", "model": "GPT", "dataset": "Facts", "metric": "soft_nc"}
    cells = [
        {"row": "Occ", "method": "occlusion", "value": 0.5, "best": "yes", "claim": "order direction:random"},
        {"row": "LIME", "method": "lime", "value": 0.3, "best": "no", "claim": "order"},
    ]
    with (folder / "cells.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, CELL_COLUMNS, restval="")
        out.writeheader()
        out.writerows(common | {"best_from": "computed", "underlined": "no"} | cell for cell in cells)
    for name, text in {"tables.toml": TABLES, "claims.toml": CLAIMS, "links.toml": LINKS}.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(attribook.papers, "__path__", [*attribook.papers.__path__, str(tmp_path / "papers")])
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "results"))
    return folder


def plant(results, means):
    folder = results / "laptop" / "toy_study" / "smollm2-135m" / "attribook"
    folder.mkdir(parents=True)
    study = {"name": "toy_study", "profile": "laptop", "model": "smollm2-135m", "dataset": "knowns-mini",
             "protocol": "attribook", "metrics": ["soft_nc"], "methods": list(means)}  # fmt: skip
    (folder / "manifest.json").write_text(
        json.dumps({"weights": "w", "files": {}, "runs": [{"study": study}]}), encoding="utf-8"
    )
    draw = np.random.default_rng(0)
    lines = ["key,item,method,seed,metric,draw,value,status,options_hash"]
    lines += [f"k,i{item},{method},0,soft_nc,0,{mean + 0.01 * draw.standard_normal()},ok,x"
              for method, mean in means.items() for item in range(60)]  # fmt: skip
    (folder / "rows.csv").write_text("\n".join(lines), encoding="utf-8")


def test_a_folder_alone_makes_a_paper(toy, tmp_path):
    assert paper_names() == ["reagent", "noiser", "rpi", "toy"]
    assert paper_title("toy") == "Toy"
    rows = full_ledger(["toy"])
    assert {row["verdict"] for row in rows} == {NO_ROWS}
    assert [row["row"] for row in rows] == ["Occ", "LIME", "toy-best", "toy-figure", "toy-lost"]


def test_its_cells_and_claims_get_verdicts_from_stored_rows(toy, tmp_path):
    (toy / "figure_claims.py").write_text(FIGURES, encoding="utf-8")
    plant(tmp_path / "results", {"random": 0.2, "occlusion": 0.3, "lime": 0.4})
    found = {row["row"]: row for row in full_ledger(["toy"])}
    assert all(set(row) == set(COLUMNS) for row in found.values())
    assert found["Occ"]["verdict"] == found["LIME"]["verdict"] == found["toy-best"]["verdict"] == OPPOSITE
    assert found["Occ"]["ours"] == pytest.approx(np.log(1.5), abs=0.05)
    assert (found["LIME"]["n"], found["LIME"]["notebook"]) == (60, "toy/table_1")
    assert (found["toy-figure"]["verdict"], found["toy-figure"]["reason"]) == (SAME, "they are there")
    assert found["toy-lost"]["verdict"] == NO_ROWS
    assert verdict_counts("toy", 1).to_dict("records") == [{"verdict": OPPOSITE, "soft_nc": 2}]
    assert CODE_ONLY not in {row["verdict"] for row in found.values()}


def test_its_rows_stand_on_the_generated_pages(toy, tmp_path):
    plant(tmp_path / "results", {"random": 0.2, "occlusion": 0.4, "lime": 0.3})
    rows = full_ledger(["toy"])
    assert ">Toy</th>" in summary(rows)
    assert "Occlusion is the most faithful." in ledger_page(rows)
