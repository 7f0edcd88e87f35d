"""Claims that no printed table decides, where a paper's folder says how stored rows answer them."""

from attribook.ledger.rows import Row
from attribook.ledger.verdicts import WORDS
from attribook.papers.registry import figure_answers, paper_names
from attribook.paths import results_folder


def answered_claim(name: str) -> Row | None:
    """What stored rows say to a claim: columns of the ledger, or None without such rows."""
    for paper in paper_names():
        if (answer := figure_answers(paper).get(name)) and (found := answer()):
            source = found.source
            return {
                "verdict": WORDS[found.decision], "reason": found.reason, "notebook": found.notebook, "n": found.n,
                "profile": source.profile, "model": source.model, "data": source.dataset, "protocol": source.protocol,
                "rows": str(source.path.relative_to(results_folder())),
            }  # fmt: skip
    return None
