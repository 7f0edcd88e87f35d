"""Values printed in the papers, transcribed cell by cell, and what the papers claim of them."""

from attribook.published.cells import notes, published, tables
from attribook.published.headlines import Claim, Support, claims, ledger, support, verdict

__all__ = ["Claim", "Support", "claims", "ledger", "notes", "published", "support", "tables", "verdict"]
