"""Claims that no printed table decides, where a paper's folder says how stored rows answer them."""

from attribook.ledger.rows import Row
from attribook.ledger.verdicts import WORDS
from attribook.papers.registry import figure_answers, paper_names


def answered_claim(name: str) -> Row | None:
    """What stored rows say to a claim: columns of the ledger, or None without such rows."""
    for paper in paper_names():
        if (answer := figure_answers(paper).get(name)) and (found := answer()):
            words = {"verdict": WORDS[found.decision], "reason": found.reason}
            return words | {"notebook": found.notebook, "n": found.n} | found.source
    return None
