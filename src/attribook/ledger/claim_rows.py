"""A row of the ledger for every claim in words: the comparisons that it makes of printed cells, made of our rows.

`papers.claims` says whether a claim holds in the paper's own tables; this says what our rows show. Claims that a
printed table alone can decide (`equal`, `gap`) have no verdict from rows, nor have those that need what is not stored.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from attribook.ledger.cell_rows import is_own, other_judge
from attribook.ledger.figure_claims import answered_claim
from attribook.ledger.hypothesis_tests import Case, Cell, Hypothesis, HypothesisTests, Key
from attribook.ledger.rows import COLUMNS, ROLES, Row
from attribook.ledger.verdicts import Outcome, together, verdict
from attribook.ledger.words import CERTAIN, NO_ROWS, NOT_HERE, OPPOSITE, SAME, UNDECIDED, UNLIKE
from attribook.papers.cells import RANKED, better, published, select
from attribook.papers.claim_tests import tally
from attribook.papers.claims import Claim, claims, support
from attribook.statistics.evidence import Evidence

Pair = tuple[int, int | None]  # a cell, and the cell that it should be ahead of; None: random
Comparison = list[list[Pair]]  # it holds where all pairs of any one list do
FROM_ROWS = ("best", "ahead", "random")


def claim_rows(papers: Iterable[str], tests: HypothesisTests) -> list[Row]:
    """A row for each claim in words: `row` is its name, `claim` what it says."""
    return [claim_row(claim, tests) for paper in papers for claim in claims(paper)]


def claim_row(claim: Claim, tests: HypothesisTests) -> Row:
    """One claim's row."""
    row: Row = dict.fromkeys(COLUMNS) | {"paper": claim.paper, "row": claim.id, "claim": claim.says, "notebook": ""}
    row |= {"table": ", ".join(map(str, claim.tables)), "column": "", "metric": "", "dataset": ""}
    if claim.query is None:
        no_table = {"verdict": NO_ROWS, "reason": f"no printed table decides it; it needs: {claim.needs}"}
        return row | (answered_claim(claim.id) or no_table)
    printed = support(claim)
    in_paper = f"in the paper's own tables {printed.count('held')} of {printed.total} hold"
    if claim.query["kind"] not in FROM_ROWS:
        why = f"it is about printed numbers of the paper's own runs; {in_paper}"
        return row | {"verdict": NOT_HERE, "reason": why}
    cells = published(claim.paper)
    listed: list[Cell] = cells.assign(sign=better(cells)).to_dict("records")  # type: ignore[assignment]
    compared = comparisons(claim, cells)
    pairs = [(listed[a], None if b is None else listed[b]) for each in compared for group in each for a, b in group]
    if pairs and all(itself(cell, rival, tests) for cell, rival in pairs):
        why = "it compares the paper's models, of which one of ours would stand in for both"
        return row | {"verdict": NOT_HERE, "reason": f"{why}; {in_paper}"}
    found = {role: compare(compared, listed, role, tests) for role in ROLES}
    # What has no rows under a protocol of the paper is tested under ours, whose rows the reason then names too.
    seen = {role: one.filled(found["ours"]) for role, one in found.items() if any(one.decisions)}
    if not seen:
        return row | {"verdict": NO_ROWS, "reason": f"no stored rows answer any of its comparisons; {in_paper}"}
    outcomes = {role: outcome(one, claim.strength) for role, one in seen.items()}
    own = found["written"].used
    confirmed = bool(own) and all(is_own(evidence, cell, tests.links) for cell, evidence in own)
    word, role = verdict(outcomes, confirmed=confirmed)
    telling = [
        (listed[a], None if b is None else listed[b])
        for each, decision in zip(compared, seen[role].decisions, strict=True)
        if decision == OPPOSITE
        for group in each
        for a, b in group
    ]
    unlike = run_otherwise(telling, role, tests) if word == OPPOSITE else []
    why = "; ".join([outcomes[role].why, *unlike, in_paper])
    return row | {"verdict": UNLIKE if unlike else word, "reason": why, **seen[role].source(role, tests)}


def run_otherwise(pairs: Iterable[tuple[Cell, Cell | None]], role: str, tests: HypothesisTests) -> list[str]:
    """What the paper states of the claimed methods in these cells, and was not run so here."""
    found: list[str] = []
    for cell in (one for pair in pairs for one in pair if one):
        if (link := tests.links.find(cell)) and (protocol := link.protocols.get(role) or link.protocols.get("ours")):
            found += link.unlike(protocol, [link.method(cell)])
            found += other_judge(link, tests.evidence(link, role, link.method(cell), cell))
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Compared:
    """What one protocol's rows say to a claim's comparisons."""

    decisions: list[str | None]  # of each comparison; None where no row answers it
    used: list[tuple[Cell, list[Evidence]]]  # the rows that were used, and for which cell
    tests: dict[Key, int]  # the tests that were made, which several comparisons may share, and the n of each

    def filled(self, ours: "Compared") -> "Compared":
        """The same, with the decisions under our protocol where there are none."""
        if not any(one is None and other for one, other in zip(self.decisions, ours.decisions, strict=True)):
            return self
        decisions = [one or other for one, other in zip(self.decisions, ours.decisions, strict=True)]
        return Compared(decisions, self.used + ours.used, self.tests | ours.tests)

    def source(self, role: str, tests: HypothesisTests) -> Row:
        """The ledger's columns that say what rows these are."""
        link = tests.links.find(self.used[0][0])
        assert link is not None  # else there were no rows
        every = [each for _, found in self.used for each in found]
        return {
            "notebook": link.notebook, "protocol": link.protocols[role], "n": min(self.tests.values()),
            "profile": listed_once(each.profile for each in every), "model": listed_once(each.model for each in every),
            "data": listed_once(each.dataset for each in every), "rows": listed_once(each.places for each in every),
        }  # fmt: skip


def listed_once(names: Iterable[str]) -> str:
    """Different names, in their order."""
    return ", ".join(dict.fromkeys(names))


def comparisons(claim: Claim, cells: pd.DataFrame) -> list[Comparison]:
    """What a claim compares, by the cells' places in the paper's file."""
    query = dict(claim.query or {})
    numbered = cells.assign(number=range(len(cells)))
    if not claim.averages:
        numbered = numbered[numbered["column"] != "Average"]
    if query["kind"] == "best":
        taken = select(numbered, query["where"])
        taken = taken[~taken["row"].isin(query.get("without", []))]
        return [one_is_best(column, query["row"]) for _, column in taken.groupby(RANKED)]
    found = support(claim, numbered).comparisons
    if query["kind"] == "random":
        return [[[(int(number), None)]] for number in found["number"]]
    return [[[(int(a), int(b))]] for a, b in zip(found["number_left"], found["number_right"], strict=True)]


def one_is_best(column: pd.DataFrame, leaders: list[str]) -> Comparison:
    """One of the leaders is ahead of all others of a column."""
    ours = column["row"].isin(leaders)
    return [[(int(a), int(b)) for b in column.loc[~ours, "number"]] for a in column.loc[ours, "number"]]


def compare(compared: Sequence[Comparison], cells: Sequence[Cell], role: str, tests: HypothesisTests) -> Compared:
    """What the rows of one protocol say to each comparison. All tests of the claim are one family."""
    cases: list[Case] = []
    used = []
    for comparison in compared:
        for pairs in comparison:
            cell = cells[pairs[0][0]]
            link = tests.links.find(cell)
            both = [(cells[a], None if b is None else cells[b]) for a, b in pairs]
            rivals = {method(rival, tests) for _, rival in both if rival}
            found = tests.evidence(link, role, link.method(cell), cell, rivals) if link else []
            both = [(one, rival) for one, rival in both if not itself(one, rival, tests)] if found else []
            cases.append((found, str(cell["metric"]), [hypothesis(one, rival, tests) for one, rival in both]))
            used += [(cell, found)] if found else []
    every = tests.results(cases)
    made = {
        tests.key(found, metric, result.hypothesis): result.estimate.n
        for (found, metric, _), results in zip(cases, every, strict=True)
        for result in results
        if result.estimate
    }
    remaining = iter(every)
    decisions: list[str | None] = []
    for comparison in compared:
        groups = [next(remaining) for _ in comparison]
        known = [together([r.decision for r in group]) for group in groups if any(r.estimate for r in group)]
        decisions.append(any_of(known, len(comparison)) if known else None)
    return Compared(decisions, used, made)


def itself(cell: Cell, rival: Cell | None, tests: HypothesisTests) -> bool:
    """Whether our rows for both cells are the same: cells of one method on two of the paper's models."""
    if rival is None:
        return False
    link, other = tests.links.find(cell), tests.links.find(rival)
    return link is not None and link == other and link.method(cell) == link.method(rival)


def hypothesis(cell: Cell, rival: Cell | None, tests: HypothesisTests) -> Hypothesis:
    """The cell is better than its rival, which may stand in another table, or than random."""
    about = f"{cell['row']} ahead of {rival['row'] if rival else 'random'}"
    return Hypothesis(about, method(cell, tests), method(rival, tests) if rival else None, cell["sign"])


def method(cell: Cell, tests: HypothesisTests) -> str:
    """Our name for what a cell's row measures."""
    link = tests.links.find(cell)
    return link.method(cell) if link else str(cell["method"])


def any_of(decisions: Sequence[str], n: int) -> str:
    """Several ways for a comparison to hold: one is enough, and all must fail for a decision against the claim."""
    if SAME in decisions:
        return SAME
    if set(decisions) == {CERTAIN}:
        return CERTAIN
    return OPPOSITE if decisions.count(OPPOSITE) == n else UNDECIDED


def outcome(found: Compared, strength: str) -> Outcome:
    """What the comparisons say to a claim of that strength: all of them, or most (more than half)."""
    counts, total = Counter(found.decisions), len(found.decisions)
    supporting, contradicting, certain = (counts[decision] for decision in (SAME, OPPOSITE, CERTAIN))
    words = tally(
        (supporting, "supports the claim", "support the claim"),
        (contradicting, "contradicts the claim", "contradict the claim"),
        (counts[UNDECIDED], "is undecided", "are undecided"),
        (certain, "is fixed by construction", "are fixed by construction"),
        (counts[None], "has no rows", "have no rows"),
    )
    tests = tally((len(found.tests), "hypothesis test", "hypothesis tests"))
    why = f"{tally((total, 'printed comparison', 'printed comparisons'))}: {words} (they rest on {tests})"
    if strength == "all" or certain == total:
        return Outcome(together([decision or UNDECIDED for decision in found.decisions]), why)
    decision = SAME if supporting > total / 2 else OPPOSITE if contradicting >= total / 2 else UNDECIDED
    return Outcome(decision, why)
