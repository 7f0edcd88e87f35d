"""The ledger: a row with a verdict for every printed cell and every claim in words, computed from stored rows.

A claim becomes one hypothesis test or several, which are made on the rows of every protocol that `links.toml` names.
Nothing is computed but statistics, and nothing is typed: where no row answers a cell, `links.toml` says whether
something could.
"""

from collections.abc import Sequence

from attribook.ledger.cell_rows import cell_rows
from attribook.ledger.claim_rows import claim_rows
from attribook.ledger.hypothesis_tests import HypothesisTests
from attribook.ledger.rows import Row
from attribook.papers.registry import paper_names


def full_ledger(papers: Sequence[str] | None = None) -> list[Row]:
    """Rows of the printed cells, then of the claims in words, of the papers; see `rows.COLUMNS`."""
    tests, papers = HypothesisTests(), papers or paper_names()
    return cell_rows(papers, tests) + claim_rows(papers, tests)
