"""A row of the ledger for every printed cell."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from attribook.data.datasets import DATASETS
from attribook.ledger.hypothesis_tests import Case, Cell, Hypothesis, HypothesisTests, Key, Result
from attribook.ledger.links import Link, Links
from attribook.ledger.rows import COLUMNS, ROLES, Row
from attribook.ledger.verdicts import Outcome, together, verdict
from attribook.ledger.words import (
    CERTAIN,
    CODE_ONLY,
    CONTROL,
    NO_ROWS,
    NOT_HERE,
    OPPOSITE,
    REPRODUCED,
    SAME,
    UNDECIDED,
    UNLIKE,
)
from attribook.papers.cells import RANKED, better, published
from attribook.statistics.evidence import Evidence
from attribook.statistics.kept import stored_count
from attribook.statistics.resampling import Estimate
from attribook.statistics.tests import barred
from attribook.statistics.units import LOG_RATIO, METRICS


class Tested(NamedTuple):
    """What was tested of a cell under one protocol."""

    evidence: Sequence[Evidence]
    results: Sequence[Result]
    controls: Sequence[Result]  # the same tests of a control


REASONS = {
    SAME: "decided as published",
    OPPOSITE: "decided against the claim",
    CERTAIN: "fixed by construction, because of two pools the larger always wins",
    UNDECIDED: "not decided",
}


def cell_rows(papers: Iterable[str], tests: HypothesisTests) -> list[Row]:
    """A row for every printed cell of the papers, in their order."""
    found = []
    for paper in papers:
        for _, cells in published(paper).groupby("table", sort=True):
            found += table_rows(cells, tests)
    return found


def table_rows(cells: pd.DataFrame, tests: HypothesisTests) -> list[Row]:
    """Rows of one table's cells, whose tests are one family for each metric under each protocol."""
    listed: list[Cell] = cells.assign(sign=better(cells)).to_dict("records")  # type: ignore[assignment]
    columns: dict[Key, list[Cell]] = {}
    for cell in listed:
        columns.setdefault(tuple(cell[name] for name in RANKED), []).append(cell)
    tested: list[dict[str, Tested]] = [{} for _ in listed]
    for role in ROLES:
        places: list[int] = []
        cases: list[Case] = []
        for number, cell in enumerate(listed):
            link = tests.links.find(cell)
            if link is None:
                continue
            made = hypotheses(cell, columns[tuple(cell[name] for name in RANKED)], link)
            if found := tests.evidence(link, role, link.method(cell), cell, methods_of(made)):
                places.append(number)
                cases.append((found, str(cell["metric"]), made))
        for metric in dict.fromkeys(metric for _, metric, _ in cases):
            family = [place for place, case in enumerate(cases) if case[1] == metric]
            claims = [cases[each] for each in family]
            controls = [(found, name, [each.controlled() for each in made]) for found, name, made in claims]
            for place, results, others in zip(family, tests.results(claims), tests.results(controls), strict=True):
                tested[places[place]][role] = Tested(cases[place][0], results, others)
    return [cell_row(cell, each, tests) for cell, each in zip(listed, tested, strict=True)]


def hypotheses(cell: Cell, column: Sequence[Cell], link: Link) -> list[Hypothesis]:
    """The tests that a cell's claim makes; `column` holds the cells that it competes with."""
    found, mine = [], link.method(cell)
    for claim in cell["claim"].split():
        if claim == "direction:random":
            sign = 1 if cell["value"] > 0 else -1
            found.append(Hypothesis("on the published side of random", mine, None, sign))
        if claim == "order" and cell["best"] == "yes":
            below = [rival for rival in column if rival["value"] != cell["value"]]
            found += [Hypothesis(f"ahead of {one['row']}", mine, link.method(one), cell["sign"]) for one in below]
        elif claim == "order":
            leader = next(rival for rival in column if rival["best"] == "yes")
            found.append(Hypothesis(f"behind {leader['row']}", link.method(leader), mine, cell["sign"]))
        if claim == "direction:runner-up":
            others = [rival for rival in column if rival["row"] != cell["row"]]
            found += [Hypothesis(f"ahead of {one['row']}", mine, link.method(one), cell["sign"]) for one in others]
    return found


def methods_of(made: Iterable[Hypothesis]) -> set[str]:
    """All methods that hypotheses name."""
    return {name for each in made for name in (each.method, each.other) if name}


def outcome(results: Sequence[Result], unit: str) -> Outcome:
    """What the tests of a cell say together, in words."""
    decision = together([result.decision for result in results])
    telling = [result for result in results if result.decision == decision]
    words = [f"{r.hypothesis.about} ({f'p = {r.p:.2g}' if r.estimate else 'no rows'})" for r in telling]
    if decision == CERTAIN:
        words = [result.hypothesis.about for result in telling]
    why = f"{REASONS[decision]}: {', '.join(words[:3])}" + f" and {len(words) - 3} more" * (len(words) > 3)
    if decision == UNDECIDED:
        why += "".join(
            f"; {each}" for each in open_because([(r.estimate, r.reach) for r in telling if r.estimate], unit)
        )
    return Outcome(decision, why)


def open_because(tested: Sequence[tuple[Estimate, float]], unit: str) -> list[str]:
    """Why tests are undecided: what bars a verdict, and what they could have shown, alone and in their family."""
    found = list(dict.fromkeys(bar for one, _ in tested if (bar := barred(one))))
    alone = [one.detectable for one, _ in tested if math.isfinite(one.detectable)]
    level = [each for one, reach in tested if math.isfinite(each := one.detectable_at(reach))]
    if alone:
        found.append(f"the smallest detectable difference is {max(alone):.2g} {unit}")
        found[-1] += f", {max(level):.2g} at the level of the family" if level else ""
    return found


def cell_row(cell: Cell, tested: Mapping[str, Tested], tests: HypothesisTests) -> Row:
    """One cell's row."""
    row: Row = dict.fromkeys(COLUMNS)
    row |= {name: cell[name] for name in ("paper", "table", "row", "column", "metric", "claim", "dataset")}
    row |= {"published": cell["value"], "notebook": ""}
    if cell["claim"] == "value":
        return row | count(cell, tests.links)
    if not tested:
        return row | unanswered(cell, tests.links)
    link = tests.links.find(cell)
    assert link is not None  # else nothing would have been tested
    unit = METRICS[cell["metric"]].unit.replace(LOG_RATIO, "nats")
    outcomes = {role: outcome(each.results, unit) for role, each in tested.items()}
    numbers = {role: tests.estimate(each.evidence, cell["metric"], link.method(cell)) for role, each in tested.items()}
    own = "written" in tested and is_own(tested["written"].evidence, cell, tests.links)
    word, role = verdict(outcomes, confirmed=own and inside(cell, numbers["written"]))
    ours, used = numbers[role], tested[role].evidence
    word, besides = qualified(word, link, link.protocols[role], tested[role])
    few = dict.fromkeys(words for e in used if (words := e.too_few(link.method(cell), cell["metric"])))
    reason = [outcomes[role].why, *besides, *beside(outcomes, role, link), provenance(cell, used, tests.links), *few]
    return row | {
        "ours": known(ours.value), "low": known(ours.low), "high": known(ours.high), "n": ours.n,
        "detectable": known(ours.detectable), "profile": used[0].profile, "protocol": link.protocols[role],
        "verdict": word, "reason": "; ".join(reason), "notebook": link.notebook, "model": used[0].model,
        "data": ", ".join(e.dataset for e in used), "rows": ", ".join(e.places for e in used),
    }  # fmt: skip


def qualified(word: str, link: Link, protocol: str, tested: Tested) -> tuple[str, list[str]]:
    """The verdict once more, where a control does as well or the claimed method was run otherwise, and why."""
    used, results, controls = tested
    if word in (REPRODUCED, CODE_ONLY, SAME):
        if not all(control.estimate for control in controls):
            return word, ["no control of it is stored"]
        name = controls[0].hypothesis.method
        as_well = {control.decision for control in controls} == {SAME}
        return (CONTROL if as_well else word), [f"its control ({name}) {'does as well' if as_well else 'does not'}"]
    if word == OPPOSITE:
        methods = [name for one in results for name in (one.hypothesis.method, one.hypothesis.other) if name]
        unlike = link.unlike(protocol, methods) + other_judge(link, used)
        return (UNLIKE, unlike) if unlike else (word, [])
    return word, []


def other_judge(link: Link, used: Sequence[Evidence]) -> list[str]:
    """What judged answers here, where the paper names another judge."""
    return link.other_judges(judge for each in used if "judge" in each.rows for judge in each.rows["judge"].unique())


def known(value: float) -> float | None:
    """A number of a row; None where it does not exist."""
    return value if math.isfinite(value) else None


def beside(outcomes: Mapping[str, Outcome], role: str, link: Link) -> list[str]:
    """What the protocol as written says, where another one gave the verdict, and that it has no rows."""
    if role == "written" or "written" not in link.protocols:
        return []
    if "written" in outcomes:
        return [f"under {link.protocols['written']} {outcomes['written'].decision}"]
    return [f"no rows under {link.protocols['written']}"]


def is_own(found: Sequence[Evidence], cell: Cell, links: Links) -> bool:
    """Whether rows are of the paper's own model and data."""
    model, data = links.models.get(cell["model"]), links.own(cell)
    return model is not None and data is not None and all((e.model, e.dataset) == (model, data) for e in found)


def inside(cell: Cell, found: Estimate) -> bool:
    """Whether the published value lies in our interval."""
    return found.low <= cell["value"] <= found.high


def provenance(cell: Cell, found: Sequence[Evidence], links: Links) -> str:
    """On what, and for what it stands in."""
    ours = f"{found[0].model} on {', '.join(e.dataset for e in found)}"
    if is_own(found, cell, links):
        return f"{ours}, the paper's own"
    model = cell["model"] or "the mean over the paper's models"
    return f"{ours} stands in for {model} on {cell['dataset'] or 'all tasks'}"


def unanswered(cell: Cell, links: Links) -> Row:
    """Verdict and reason where no row answers a cell."""
    link, data = links.find(cell), links.stand_ins(cell)
    if link and (why := link.refusal(cell)):
        return {"verdict": NOT_HERE, "reason": f"needs {why}"}
    if link:
        method = link.method(cell) or cell["row"]
        return {"verdict": NO_ROWS, "reason": f"{', '.join(link.studies)} has no rows of {method}"}
    if not data:
        needs = f"needs the data set {cell['dataset']}, for which nothing here stands in"
        return {"verdict": NOT_HERE, "reason": needs}
    where = ", ".join(dict.fromkeys(data))
    return {"verdict": NO_ROWS, "reason": f"no stored rows answer this table yet; it could be tested on {where}"}


def count(cell: Cell, links: Links) -> Row:
    """Verdict on a printed count or size."""
    own, model = links.own(cell), links.models.get(cell["model"])
    if cell["metric"] == "items" and own:
        ours, source = DATASETS[own].rows, f"the data set {own}, known by its hash"
    elif cell["metric"] == "items_kept" and own and model and (stored := stored_count(model, own)) is not None:
        ours, source = stored, f"predictions of {model} on {own}"
    else:
        needs = cell["model"] or ("the paper's own sample" if cell["metric"] == "items" else "all models of the paper")
        return {"verdict": NOT_HERE, "reason": f"needs {needs} ({METRICS[cell['metric']].unit} on {cell['dataset']})"}
    same = ours == cell["value"]
    words = f"{ours} in {source}" + ("" if same else f", not {cell['value']:g}")
    return {"verdict": REPRODUCED if same else OPPOSITE, "reason": words, "ours": ours, "n": ours, "data": own,
            "notebook": "shared/kept_prompts"}  # fmt: skip
