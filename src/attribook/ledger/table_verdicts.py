"""What the ledger says to the cells of one printed table, as pages show it."""

import pandas as pd

from attribook.errors import AttribookError
from attribook.ledger.cell_rows import table_rows
from attribook.ledger.hypothesis_tests import HypothesisTests
from attribook.ledger.stored import stored_ledger
from attribook.ledger.words import RULES
from attribook.papers.cells import published


def verdict_counts(paper: str, table: int, **where: str) -> pd.DataFrame:
    """How many cells of a printed table have each verdict: a row for each verdict, a column for each metric.

    where: only cells whose columns have these values are counted, for example `dataset="RTN"`. The p-values are
        adjusted for the whole table all the same, as in the ledger.
    Raises: AttribookError where the table has no such cell.
    """
    cells = published(paper, table)
    stored = [row for row in stored_ledger() or () if (row["paper"], row["table"]) == (paper, table) and row["column"]]
    rows = pd.DataFrame(stored or table_rows(cells, HypothesisTests()))
    rows = rows[rows[list(where)].eq(pd.Series(where, dtype=object)).all(axis=1)]
    if rows.empty:
        raise AttribookError(f"Table {table} of {paper} has no printed cell with {where}.")
    counts = pd.crosstab(rows["verdict"], rows["metric"])
    order = [verdict for verdict in RULES if verdict in counts.index]
    return counts.loc[order, list(rows["metric"].unique())].reset_index().rename_axis(columns=None)
