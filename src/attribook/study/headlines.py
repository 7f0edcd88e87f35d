"""Headline claims in the ledger: the comparisons that a claim makes of printed cells, made of our rows instead.

`published.headlines` asks what the printed numbers say to a claim; this asks what our rows say. A comparison is a
choice of sets of tests: one set must hold whole. Claims that a printed table alone can decide (`equal`, `gap`) and
those that need what no table prints have no verdict from rows.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from attribook.published import Claim, claims, published, support
from attribook.published.cells import PAPERS, RANKED, better, select
from attribook.study.claims import NO_ROWS, NOT_HERE, OPPOSITE, SAME, UNDECIDED, Outcome, together, verdict
from attribook.study.evidence import Evidence
from attribook.study.figure_claims import answered_claim
from attribook.study.ledger import COLUMNS, Ask, Cell, Court, Row, is_own

Sides = list[list[tuple[int, int | None]]]  # (cell, the cell it should be ahead of, or None: random); any list, whole
FROM_ROWS = ("best", "ahead", "random")


def headline_rows(papers: Sequence[str] = PAPERS, *, court: Court | None = None) -> list[Row]:
    """A row for each claim in words: `row` is its name, `claim` what it says, `published` what the tables say to it."""
    court = court or Court()
    return [headline_row(claim, court) for paper in papers for claim in claims(paper)]


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
    told_by, used = {}, {}
    for role in ("written", "code", "ours"):
        told_by[role], used[role] = outcomes(sides, listed, role, court)
    seen = {}
    for role, found in told_by.items():
        if not any(found):
            continue
        # What has no rows under a protocol of the paper is asked under ours, whose rows are then told of too.
        both = list(zip(found, told_by["ours"], strict=True))
        seen[role] = summed([side or ours for side, ours in both], claim.strength)
        if any(side is None and ours for side, ours in both):
            used[role] = used[role] + used["ours"]
    if not seen:
        return row | {"verdict": NO_ROWS, "reason": f"no stored rows answer any of its comparisons; {told}"}
    confirmed = bool(used["written"]) and all(is_own(e, cell, court.links) for cell, e in used["written"])
    word, role = verdict(seen, confirmed=confirmed)
    one, cell = used[role][0][1][0], used[role][0][0]
    link = court.links.find(cell)
    assert link is not None
    every = [each for _, found in used[role] for each in found]
    return row | {
        "verdict": word, "reason": f"{seen[role].why}; {told}", "notebook": link.notebook, "profile": one.profile,
        "protocol": link.protocols[role], "model": one.model,
        "data": ", ".join(dict.fromkeys(each.dataset for each in every)),
        "rows": ", ".join(dict.fromkeys(each.places for each in every)),
    }  # fmt: skip


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


def outcomes(
    compared: Sequence[Sides], cells: Sequence[Cell], role: str, court: Court
) -> tuple[list[str | None], list[tuple[Cell, list[Evidence]]]]:
    """The side of each comparison, None where no row answers it, and the rows that were used."""
    cases, used = [], []
    for sides in compared:
        for pairs in sides:
            cell = cells[pairs[0][0]]
            link = court.links.find(cell)
            found = court.evidence(link, role, link.method(cell), cell) if link else []
            named = [(cells[a], None if b is None else cells[b]) for a, b in pairs]
            asked = [ask(one, rival, link) for one, rival in named if not itself(one, rival, court)] if found else []
            cases.append((found, str(cell["metric"]), asked))
            used += [(cell, found)] if found else []
    answers = iter(court.answers(cases))
    told: list[str | None] = []
    for sides in compared:
        each = [next(answers) for _ in sides]
        tried = [together([a.side for a in group]) for group in each if any(a.found for a in group)]
        told.append(any_of(tried, len(sides)) if tried else None)
    return told, used


def itself(cell: Cell, rival: Cell | None, court: Court) -> bool:
    """Whether the same rows of ours would stand on both sides: cells of one method on two of the paper's models."""
    if rival is None:
        return False
    link, other = court.links.find(cell), court.links.find(rival)
    return link is not None and link == other and link.method(cell) == link.method(rival)


def ask(cell: Cell, rival: Cell | None, link: Any) -> Ask:
    """One test of a comparison: the cell is better than its rival, or than random."""
    about = f"{cell['row']} ahead of {rival['row'] if rival else 'random'}"
    return Ask(about, link.method(cell), link.method(rival) if rival else None, cell["sign"])


def any_of(sides: Sequence[str], n: int) -> str:
    """Several ways for a comparison to hold: one is enough, and all must fail for it to be decided the other way."""
    if SAME in sides:
        return SAME
    return OPPOSITE if sides.count(OPPOSITE) == n else UNDECIDED


def summed(sides: Sequence[str | None], strength: str) -> Outcome:
    """What the comparisons say to a claim of that strength: all of them, or most (more than half)."""
    counts, total = Counter(sides), len(sides)
    answered = total - counts[None]
    why = f"of {total} comparisons {answered} have rows: {counts[SAME]} as claimed, {counts[OPPOSITE]} the other way, "
    why += f"{counts[UNDECIDED]} undecided"
    if strength == "all":
        side = together([side or UNDECIDED for side in sides])
    else:
        side = SAME if counts[SAME] > total / 2 else OPPOSITE if counts[OPPOSITE] >= total / 2 else UNDECIDED
    return Outcome(side, why)
