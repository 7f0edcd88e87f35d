"""The ledger: a row with a verdict for every printed cell and every headline claim, computed from stored rows.

A cell's claim becomes one test or several (`asks`), each tried by the court on every protocol that `links.toml` names;
Holm adjusts the tests of a table under one protocol; `claims.verdict` turns what came out into a word. Nothing is
computed but statistics, and nothing is typed: where no row answers a cell, `links.toml` says whether something could.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from attribook.data.datasets import DATASETS
from attribook.grid.kept import stored_count
from attribook.ledger.hypothesis_tests import Answer, Ask, Cell, Court
from attribook.ledger.links import Link, Links
from attribook.ledger.verdicts import (
    CERTAIN,
    NO_ROWS,
    NOT_HERE,
    OPPOSITE,
    REPRODUCED,
    SAME,
    UNDECIDED,
    Outcome,
    together,
    verdict,
)
from attribook.papers.cells import METRICS, RANKED, better, published
from attribook.papers.registry import paper_names
from attribook.statistics.bootstrap import Estimate
from attribook.statistics.evidence import Evidence

COLUMNS = ("paper", "table", "row", "column", "metric", "published", "claim", "ours", "low", "high", "n", "profile",
           "protocol", "verdict", "reason", "notebook", "dataset", "model", "data", "detectable", "rows")  # fmt: skip
Row = dict[str, Any]


def full_ledger(papers: Sequence[str] | None = None) -> list[Row]:
    """Cells, then headline claims, of the papers."""
    from attribook.ledger.headlines import headline_rows

    court, papers = Court(), papers or paper_names()
    return ledger(papers, court=court) + headline_rows(papers, court=court)


def ledger(papers: Iterable[str] | None = None, *, court: Court | None = None) -> list[Row]:
    """A row for every printed cell of the papers, in their order; see `COLUMNS`."""
    court = court or Court()
    found = []
    for paper in papers or paper_names():
        for _, cells in published(paper).groupby("table", sort=True):
            found += table_rows(cells, court)
    return found


def table_rows(cells: pd.DataFrame, court: Court) -> list[Row]:
    """Rows of one table's cells."""
    listed: list[Cell] = cells.assign(sign=better(cells)).to_dict("records")  # type: ignore[assignment]
    columns: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in listed:
        columns.setdefault(tuple(cell[name] for name in RANKED), []).append(cell)
    tried: list[dict[str, tuple[list[Evidence], list[Answer]]]] = [{} for _ in listed]
    for role in ("written", "code", "ours"):
        places, cases = [], []
        for number, cell in enumerate(listed):
            link = court.links.find(cell)
            if link and (found := court.evidence(link, role, link.method(cell), cell)):
                places.append(number)
                rivals = columns[tuple(cell[name] for name in RANKED)]
                cases.append((found, str(cell["metric"]), asks(cell, rivals, link)))
        for number, case, answers in zip(places, cases, court.answers(cases), strict=True):
            tried[number][role] = (list(case[0]), answers)
    return [cell_row(cell, roles, court) for cell, roles in zip(listed, tried, strict=True)]


def asks(cell: Cell, column: Sequence[Cell], link: Link) -> list[Ask]:
    """The tests that a cell's claim makes; `column` holds the cells that it competes with."""
    found, mine = [], link.method(cell)
    for claim in cell["claim"].split():
        if claim == "direction:random":
            found.append(Ask("on the published side of random", mine, None, 1 if cell["value"] > 0 else -1))
        if claim == "order" and cell["best"] == "yes":
            below = [rival for rival in column if rival["value"] != cell["value"]]
            found += [Ask(f"ahead of {rival['row']}", mine, link.method(rival), cell["sign"]) for rival in below]
        elif claim == "order":
            leader = next(rival for rival in column if rival["best"] == "yes")
            found.append(Ask(f"behind {leader['row']}", link.method(leader), mine, cell["sign"]))
        if claim == "direction:runner-up":
            for rival in column:
                if rival["row"] != cell["row"]:
                    found.append(Ask(f"ahead of {rival['row']}", mine, link.method(rival), cell["sign"]))
    return found


def outcome(answers: Sequence[Answer], unit: str) -> Outcome:
    """What a claim's tests say together, in words."""
    side = together([answer.side for answer in answers])
    telling = [answer for answer in answers if answer.side == side]
    words = [f"{a.ask.about} ({'no rows' if a.found is None else f'p {a.p:.2g}'})" for a in telling]
    if side == CERTAIN:
        words = [a.ask.about for a in telling]
    shown = ", ".join(words[:3]) + f" and {len(words) - 3} more" * (len(words) > 3)
    if side == UNDECIDED:
        seen = [a.found.detectable for a in telling if a.found and math.isfinite(a.found.detectable)]
        power = f"; these prompts would show a difference of {max(seen):.2g} {unit}" if seen else ""
        return Outcome(side, f"not decided: {shown}{power}")
    said = {SAME: "as published", OPPOSITE: "decided the other way", CERTAIN: "of two pools the larger can only win"}
    return Outcome(side, f"{said[side]}: {shown}")


def cell_row(cell: Cell, tried: Mapping[str, tuple[list[Evidence], list[Answer]]], court: Court) -> Row:
    """One cell's row."""
    row: Row = dict.fromkeys(COLUMNS)
    row |= {name: cell[name] for name in ("paper", "table", "row", "column", "metric", "claim", "dataset")}
    row |= {"published": cell["value"], "notebook": ""}
    if cell["claim"] == "value":
        return row | count(cell, court.links)
    if not tried:
        return row | unanswered(cell, court.links)
    link = court.links.find(cell)
    assert link is not None  # else nothing would have been tried
    unit = METRICS[cell["metric"]].unit.replace("log-ratio to random", "nats")
    outcomes = {role: outcome(answers, unit) for role, (_, answers) in tried.items()}
    numbers = {role: court.estimate(e, cell["metric"], link.method(cell)) for role, (e, _) in tried.items()}
    own = "written" in tried and is_own(tried["written"][0], cell, court.links)
    word, role = verdict(outcomes, confirmed=own and inside(cell, numbers["written"]))
    ours, used = numbers[role], tried[role][0]
    few = dict.fromkeys(told for e in used if (told := e.too_few(link.method(cell), cell["metric"])))
    reason = "; ".join([outcomes[role].why, *beside(outcomes, role, link), provenance(cell, used, court.links), *few])
    return row | {
        "ours": known(ours.value), "low": known(ours.low), "high": known(ours.high), "n": ours.n,
        "detectable": known(ours.detectable), "profile": used[0].profile, "protocol": link.protocols[role],
        "verdict": word, "reason": reason,
        "notebook": link.notebook, "model": used[0].model, "data": ", ".join(e.dataset for e in used),
        "rows": ", ".join(e.places for e in used),
    }  # fmt: skip


def known(value: float) -> float | None:
    """A number of a row; None where it does not exist."""
    return value if math.isfinite(value) else None


def beside(outcomes: Mapping[str, Outcome], role: str, link: Link) -> list[str]:
    """What the protocol as written says, where another one gave the verdict, and that it has no rows."""
    if role == "written" or "written" not in link.protocols:
        return []
    if "written" in outcomes:
        return [f"under {link.protocols['written']} {outcomes['written'].side}"]
    return [f"no rows under {link.protocols['written']}"]


def is_own(found: Sequence[Evidence], cell: Cell, known: Links) -> bool:
    """Whether rows are of the paper's own model and data."""
    model, data = known.models.get(cell["model"]), known.own(cell)
    return model is not None and data is not None and all((e.model, e.dataset) == (model, data) for e in found)


def inside(cell: Cell, found: Estimate) -> bool:
    """Whether the published value lies in our interval."""
    return found.low <= cell["value"] <= found.high


def provenance(cell: Cell, found: Sequence[Evidence], known: Links) -> str:
    """On what, and for what it stands in."""
    ours = f"{found[0].model} on {', '.join(e.dataset for e in found)}"
    if is_own(found, cell, known):
        return f"{ours}, the paper's own"
    model = cell["model"] or "the mean over the paper's models"
    return f"{ours} stands in for {model} on {cell['dataset'] or 'all tasks'}"


def unanswered(cell: Cell, known: Links) -> Row:
    """Verdict and reason where no row answers a cell."""
    link, data = known.find(cell), known.stand_ins(cell)
    if link and (why := link.refusal(cell)):
        return {"verdict": NOT_HERE, "reason": f"needs {why}"}
    if link:
        method = link.method(cell) or cell["row"]
        return {"verdict": NO_ROWS, "reason": f"{', '.join(link.studies)} has no rows of {method}"}
    if not data:
        return {
            "verdict": NOT_HERE,
            "reason": f"needs the data set {cell['dataset']}, for which nothing here stands in",
        }
    where = ", ".join(dict.fromkeys(data))
    return {"verdict": NO_ROWS, "reason": f"no stored rows answer this table yet; it can be asked of {where}"}


def count(cell: Cell, known: Links) -> Row:
    """Verdict on a printed count or size."""
    own, model = known.own(cell), known.models.get(cell["model"])
    if cell["metric"] == "items" and own:
        ours, source = DATASETS[own].rows, f"the data set {own}, known by its hash"
    elif cell["metric"] == "items_kept" and own and model and (stored := stored_count(model, own)) is not None:
        ours, source = stored, f"predictions of {model} on {own}"
    else:
        needs = cell["model"] or ("the paper's own sample" if cell["metric"] == "items" else "the paper's six models")
        return {"verdict": NOT_HERE, "reason": f"needs {needs} ({METRICS[cell['metric']].unit} on {cell['dataset']})"}
    same = ours == cell["value"]
    words = f"{ours} in {source}" + ("" if same else f", not {cell['value']:g}")
    return {"verdict": REPRODUCED if same else OPPOSITE, "reason": words, "ours": ours, "n": ours, "data": own,
            "notebook": "shared/kept_prompts"}  # fmt: skip
