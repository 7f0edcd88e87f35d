"""The first page's summary is counted from the ledger."""

import re

from attribook.ledger.words import NO_ROWS, OPPOSITE, SAME, UNDECIDED
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


def texts(html: str, kind: str) -> list[str]:
    return re.findall(rf"<{kind}[^>]*>([^<]*)</{kind}>", html)


def test_cells_are_counted_by_paper_and_verdict():
    page = summary(ROWS).split("</table>")[0]
    assert texts(page, "th") == ["verdict", "ReAGent", "RPI"]
    cells = texts(page, "td")
    assert cells == [SAME, "2", "0", OPPOSITE, "1", "0", NO_ROWS, "0", "1", "all cells", "3", "1"]


def test_claims_in_words_are_those_that_rows_could_test_and_are_escaped():
    page = summary(ROWS)
    assert "Claims in words: 1 of 2 could be tested" in page
    assert "Noiser &lt;leads&gt;." in page
    assert "<leads>" not in page
    assert "Nobody asked this." not in page


def test_the_summary_lies_where_the_first_page_includes_it(tmp_path):
    write_summary(tmp_path, ROWS)
    assert (tmp_path / "claims" / "summary.inc").read_text(encoding="utf-8") == summary(ROWS)
