"""What the first page says: how often each verdict was given to each paper, and the verdicts on claims in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from attribook.ledger.words import NO_ROWS, NOT_HERE, RULES
from attribook.papers.registry import paper_names, paper_title
from attribook.show.tables import table
from attribook.site.pages import write_page

Row = Mapping[str, Any]


def write_summary(book: Path, rows: Sequence[Row]) -> None:
    """`claims/summary.inc`, which the first page includes."""
    write_page(book / "claims" / "summary.inc", summary(rows))


def summary(rows: Sequence[Row]) -> str:
    """Both tables, as raw HTML for a page in `book/`."""
    titles = {name: paper_title(name) for name in paper_names()}
    frame = pd.DataFrame([dict(row) for row in rows])
    frame["paper"] = frame["paper"].map(titles)
    in_words = frame["column"] == ""
    cells, words = frame[~in_words], frame[in_words]
    counts = pd.crosstab(cells["verdict"], cells["paper"])
    counts = counts.reindex(index=[verdict for verdict in RULES if verdict in counts.index])
    counts = counts[[title for title in titles.values() if title in counts]]
    counts.loc["all cells"] = counts.sum()
    tested = words.loc[~words["verdict"].isin([NO_ROWS, NOT_HERE]), ["paper", "claim", "verdict", "reason"]]
    tables = [
        table(counts.reset_index(), "Printed cells by verdict"),
        table(tested, f"Claims in words: {len(tested)} of {len(words)} could be tested"),
    ]
    html = "\n".join(f'<div class="attribook-summary">{one.source}</div>' for one in tables)
    return f"```{{raw}} html\n{html}\n```\n"
