"""Headline claims in the ledger: the comparisons that a claim makes of printed cells, made of our rows instead.

`published.headlines` asks what the printed numbers say to a claim; this asks what our rows say. A comparison is a
choice of sets of tests: one set must hold whole. Claims that a printed table alone can decide (`equal`, `gap`) and
those that need what no table prints have no verdict from rows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from attribook.ledger.figure_claims import answered_claim
from attribook.ledger.hypothesis_tests import Ask, Cell, Court, TestKey
from attribook.ledger.ledger import COLUMNS, Row, is_own
from attribook.ledger.verdicts import CERTAIN, NO_ROWS, NOT_HERE, OPPOSITE, SAME, UNDECIDED, Outcome, together, verdict
from attribook.papers.cells import RANKED, better, published, select
from attribook.papers.claims import Claim, claims, support
from attribook.papers.registry import paper_names
from attribook.statistics.evidence import Evidence

Sides = list[list[tuple[int, int | None]]]  # (cell, the cell it should be ahead of, or None: random); any list, whole
FROM_ROWS = ("best", "ahead", "random")


def headline_rows(papers: Sequence[str] | None = None, *, court: Court | None = None) -> list[Row]:
    """A row for each claim in words: `row` is its name, `claim` what it says, `published` what the tables say to it."""
    court = court or Court()
    return [headline_row(claim, court) for paper in papers or paper_names() for claim in claims(paper)]


def headline_row(claim: Claim, court: Court) -> Row:
    """One claim's row."""
    row: Row = dict.fromkeys(COLUMNS) | {"paper": claim.paper, "row": claim.id, "claim": claim.says, "notebook": ""}
    row |= {"table": ", ".join(map(str, claim.tables)), "column": "", "metric": "", "dataset": ""}
    if claim.query is None:
        if (answer := answered_claim(claim.id)) is not None:
            return row | answer
        return row | {"verdict": NO_ROWS, "reason": f"no printed table decides it; it needs: {claim.needs}"}
    printed = support(claim)
    told = f"in the paper's own tables {printed.count('held')} of {printed.total} comparisons hold"
    if claim.query["kind"] not in FROM_ROWS:
        return row | {"verdict": NOT_HERE, "reason": f"it is about printed numbers of the paper's own runs; {told}"}
    cells = published(claim.paper)
    listed: list[Cell] = cells.assign(sign=better(cells)).to_dict("records")  # type: ignore[assignment]
    sides = comparisons(claim, cells)
    pairs = [(listed[a], None if b is None else listed[b]) for each in sides for group in each for a, b in group]
    if pairs and all(itself(cell, rival, court) for cell, rival in pairs):
        why = "it compares the paper's models, of which one of ours would stand in for both"
        return row | {"verdict": NOT_HERE, "reason": f"{why}; {told}"}
    heard = {role: hearing(sides, listed, role, court) for role in ("written", "code", "ours")}
    # What has no rows under a protocol of the paper is asked under ours, whose rows are then told of too.
    seen = {role: one.filled(heard["ours"]) for role, one in heard.items() if any(one.sides)}
    if not seen:
        return row | {"verdict": NO_ROWS, "reason": f"no stored rows answer any of its comparisons; {told}"}
    outcomes = {role: summed(one, claim.strength) for role, one in seen.items()}
    own = heard["written"].used
    confirmed = bool(own) and all(is_own(found, cell, court.links) for cell, found in own)
    word, role = verdict(outcomes, confirmed=confirmed)
    return row | {"verdict": word, "reason": f"{outcomes[role].why}; {told}", **seen[role].source(role, court)}


@dataclass(frozen=True)
class Hearing:
    """What one protocol's rows say to a claim's comparisons."""

    sides: list[str | None]  # of each comparison; None where no row answers it
    used: list[tuple[Cell, list[Evidence]]]  # the rows that were asked, and for which cell
    tests: dict[TestKey, int]  # the tests that they were asked, which several comparisons may share, and the n of each

    def filled(self, ours: "Hearing") -> "Hearing":
        """The same, with the answers of our protocol where there are none."""
        if not any(side is None and other for side, other in zip(self.sides, ours.sides, strict=True)):
            return self
        sides = [side or other for side, other in zip(self.sides, ours.sides, strict=True)]
        return Hearing(sides, self.used + ours.used, self.tests | ours.tests)

    def source(self, role: str, court: Court) -> Row:
        """The ledger's columns that say what rows these are."""
        link = court.links.find(self.used[0][0])
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


def comparisons(claim: Claim, cells: pd.DataFrame) -> list[Sides]:
    """What a claim compares, by the cells' places in the paper's file."""
    query = dict(claim.query or {})
    numbered = cells.assign(number=range(len(cells)))
    if not claim.averages:
        numbered = numbered[numbered["column"] != "Average"]
    if query["kind"] == "best":
        taken = select(numbered, query["where"])
        taken = taken[~taken["row"].isin(query.get("without", []))]
        return [best_of(column, query["row"]) for _, column in taken.groupby(RANKED)]
    found = support(claim, numbered).comparisons
    if query["kind"] == "random":
        return [[[(int(number), None)]] for number in found["number"]]
    return [[[(int(a), int(b))]] for a, b in zip(found["number_left"], found["number_right"], strict=True)]


def best_of(column: pd.DataFrame, leaders: list[str]) -> Sides:
    """One of the leaders is ahead of all others of a column."""
    ours = column["row"].isin(leaders)
    return [[(int(a), int(b)) for b in column.loc[~ours, "number"]] for a in column.loc[ours, "number"]]


def hearing(compared: Sequence[Sides], cells: Sequence[Cell], role: str, court: Court) -> Hearing:
    """What the rows of one protocol say to each comparison."""
    cases, used = [], []
    for sides in compared:
        for pairs in sides:
            cell = cells[pairs[0][0]]
            link = court.links.find(cell)
            found = court.evidence(link, role, link.method(cell), cell) if link else []
            both = [(cells[a], None if b is None else cells[b]) for a, b in pairs]
            asked = [ask(one, rival, court) for one, rival in both if not itself(one, rival, court)] if found else []
            cases.append((found, str(cell["metric"]), asked))
            used += [(cell, found)] if found else []
    heard = court.answers(cases)
    tests = {
        court.key(found, metric, answer.ask): answer.found.n
        for (found, metric, _), answers in zip(cases, heard, strict=True)
        for answer in answers
        if answer.found
    }
    answers = iter(heard)
    told: list[str | None] = []
    for sides in compared:
        each = [next(answers) for _ in sides]
        tried = [together([a.side for a in group]) for group in each if any(a.found for a in group)]
        told.append(any_of(tried, len(sides)) if tried else None)
    return Hearing(told, used, tests)


def itself(cell: Cell, rival: Cell | None, court: Court) -> bool:
    """Whether the same rows of ours would stand on both sides: cells of one method on two of the paper's models."""
    if rival is None:
        return False
    link, other = court.links.find(cell), court.links.find(rival)
    return link is not None and link == other and link.method(cell) == link.method(rival)


def ask(cell: Cell, rival: Cell | None, court: Court) -> Ask:
    """One test of a comparison: the cell is better than its rival, which may stand in another table, or than random."""
    about = f"{cell['row']} ahead of {rival['row'] if rival else 'random'}"
    return Ask(about, named(cell, court), named(rival, court) if rival else None, cell["sign"])


def named(cell: Cell, court: Court) -> str:
    """Our name for what a cell's row measures."""
    link = court.links.find(cell)
    return link.method(cell) if link else str(cell["method"])


def any_of(sides: Sequence[str], n: int) -> str:
    """Several ways for a comparison to hold: one is enough, and all must fail for it to be decided the other way."""
    if SAME in sides:
        return SAME
    if set(sides) == {CERTAIN}:
        return CERTAIN
    return OPPOSITE if sides.count(OPPOSITE) == n else UNDECIDED


def summed(heard: Hearing, strength: str) -> Outcome:
    """What the comparisons say to a claim of that strength: all of them, or most (more than half)."""
    counts, total = Counter(heard.sides), len(heard.sides)
    answered = total - counts[None]
    why = f"of {total} printed comparisons {answered} have rows, which make {len(heard.tests)} tests: "
    why += f"{counts[SAME]} as claimed, {counts[OPPOSITE]} the other way, {counts[UNDECIDED]} undecided"
    why += f", {counts[CERTAIN]} by construction" * bool(counts[CERTAIN])
    if strength == "all" or counts[CERTAIN] == total:
        side = together([side or UNDECIDED for side in heard.sides])
    else:
        side = SAME if counts[SAME] > total / 2 else OPPOSITE if counts[OPPOSITE] >= total / 2 else UNDECIDED
    return Outcome(side, why)
