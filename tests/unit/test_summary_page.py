"""The first page's summary is counted from the ledger."""

import re

from attribook.ledger.verdicts import NO_ROWS, OPPOSITE, SAME, UNDECIDED
from attribook.site.summary_page import summary, write_summary


def row(paper: str, column: str, verdict: str, claim: str = "", reason: str = "") -> dict[str, str]:
    return {"paper": paper, "column": column, "verdict": verdict, "claim": claim, "reason": reason}


ROWS = [
    row("reagent", "OPT", SAME),
    row("reagent", "GPT", SAME),
    row("reagent", "GPT", OPPOSITE),
    row("rpi", "BERT", NO_ROWS),
    row("noiser", "", UNDECIDED, "Noiser <leads>.", "2 of 3 have rows"),
    row("rpi", "", NO_ROWS, "Nobody asked this."),
]


def test_cells_are_counted_by_paper_and_verdict():
    page = summary(ROWS)
    heads = re.findall(r"<th>([^<]*)</th>", page.split("</thead>")[0])
    assert heads == ["", SAME, OPPOSITE, NO_ROWS, "cells"]
    assert "<tr><td>ReAGent</td><td>2</td><td>1</td><td>0</td><td>3</td></tr>" in page
    assert "<tr><td>RPI</td><td>0</td><td>0</td><td>1</td><td>1</td></tr>" in page


def test_claims_in_words_are_those_that_rows_were_asked_about_and_are_escaped():
    page = summary(ROWS)
    assert "Claims in words: 1 of 2 could be asked" in page
    assert "Noiser &lt;leads&gt;." in page
    assert "<leads>" not in page
    assert "Nobody asked this." not in page


def test_the_summary_lies_where_the_first_page_includes_it(tmp_path):
    write_summary(tmp_path, ROWS)
    assert (tmp_path / "claims" / "summary.inc").read_text() == summary(ROWS)
