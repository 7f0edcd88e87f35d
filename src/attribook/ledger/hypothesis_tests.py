"""The court: tries the tests that claims make on stored rows, and adjusts each family of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attribook.ledger.links import Link, Links, links
from attribook.ledger.verdicts import CERTAIN, UNDECIDED, decided, mirrored
from attribook.statistics.bootstrap import Estimate, holm
from attribook.statistics.evidence import PROFILES, Evidence, Shelf, estimate
from attribook.statistics.picked_rows import holds

Cell = Mapping[str, Any]
TestKey = tuple[Any, ...]


@dataclass(frozen=True)
class Ask:
    """One test: whether `method` lies above `other`, or above random (None), times `sign`, which the claim says."""

    about: str
    method: str
    other: str | None
    sign: int


@dataclass(frozen=True)
class Answer:
    """A test on some rows; no estimate where a method has none. The estimate is above 0 where the claim is right."""

    ask: Ask
    found: Estimate | None
    p: float = 1.0  # adjusted

    @property
    def certain(self) -> bool:
        """Whether there are rows, but no data could decide it otherwise."""
        return self.found is not None and holds(self.ask.method, self.ask.other)

    @property
    def side(self) -> str:
        """Decided as published, against it, or not."""
        if self.certain:
            return CERTAIN
        return decided(self.found, self.p) if self.found else UNDECIDED


class Court:
    """Tries tests on stored rows: each estimate is computed once, whatever asks for it."""

    def __init__(self, known: Links | None = None) -> None:
        self.links = known or links()
        self.shelf = Shelf()
        self._estimates: dict[tuple[Any, ...], Estimate] = {}

    def evidence(self, link: Link, role: str, method: str, cell: Cell) -> list[Evidence]:
        """Rows of a method for a cell: the paper's own model first, then the better profile, then more rows."""
        if role not in link.protocols:
            return []
        wanted, metric = self.links.models.get(cell["model"]), cell["metric"]
        first, *more = (
            [
                e
                for e in self.shelf.find(study, link.protocols[role], link.pools)
                if self.links.fits(e.dataset, cell) and e.has(method, metric)
            ]
            for study in link.studies
        )
        first.sort(key=lambda e: (e.model != wanted, PROFILES.index(e.profile), -len(e.rows)))
        for one in first:
            same = [next((e for e in others if e.model == one.model), None) for others in more]
            if None not in same:
                return [one, *(e for e in same if e)]
        return []

    def estimate(self, found: Sequence[Evidence], metric: str, method: str, other: str | None = None) -> Estimate:
        """As `evidence.estimate`, remembered."""
        key = (*map(id, found), metric, method, other)
        if key not in self._estimates:
            self._estimates[key] = estimate(found, metric, method, other)
        return self._estimates[key]

    def answers(self, cases: Sequence[tuple[Sequence[Evidence], str, list[Ask]]]) -> list[list[Answer]]:
        """Tests of one family: all the cases' (rows, metric, asks), adjusted together; the same test counts once, and
        one that no data could decide otherwise not at all.
        """
        tried: list[list[Answer]] = []
        family: dict[TestKey, float] = {}
        for found, metric, asked in cases:
            tried.append([self._tried(found, metric, ask) for ask in asked])
            family |= {self.key(found, metric, a.ask): a.found.p for a in tried[-1] if a.found and not a.certain}
        adjusted = dict(zip(family, holm(list(family.values())), strict=True)) if family else {}
        return [
            [replace(a, p=adjusted.get(self.key(found, metric, a.ask), 1.0)) for a in answers]
            for (found, metric, _), answers in zip(cases, tried, strict=True)
        ]

    def _tried(self, found: Sequence[Evidence], metric: str, ask: Ask) -> Answer:
        needed = {ask.method, ask.other} - {None}
        if not all(e.has(str(name), metric) for e in found for name in needed):
            return Answer(ask, None)
        seen = self.estimate(found, metric, ask.method, ask.other)
        return Answer(ask, seen if ask.sign > 0 else mirrored(seen))

    def key(self, found: Sequence[Evidence], metric: str, ask: Ask) -> TestKey:
        """Tells two tests apart: the rows, the metric, and what is compared, in either order."""
        return (*map(id, found), metric, frozenset({ask.method, ask.other}))
