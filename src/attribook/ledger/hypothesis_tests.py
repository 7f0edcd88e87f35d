"""Hypothesis tests that claims need, made on stored rows, with p-values adjusted over each family of them by max-T."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attribook.grid.settings import Picked
from attribook.ledger.links import Link, Links, links
from attribook.ledger.verdicts import WORDS
from attribook.ledger.words import CERTAIN, UNDECIDED
from attribook.statistics.evidence import PROFILES, Evidence, StoredRows, printed_estimate
from attribook.statistics.picked_rows import holds
from attribook.statistics.resampling import Estimate
from attribook.statistics.tests import decided, max_t

Cell = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Hypothesis:
    """`method` lies above `other`, or above random (None), times `sign`: what a claim says."""

    about: str
    method: str
    other: str | None
    sign: int

    def controlled(self) -> "Hypothesis":
        """The same of what knows nothing and is otherwise like the method."""
        return replace(self, method=control_of(self.method))


def control_of(name: str) -> str:
    """The best of as many random rankings, for the best of some maps; else a method's own scores in random order."""
    picked = Picked.parse(name)
    return f"random, best of {picked.maps}" if picked else f"{name}:permuted"


@dataclass(frozen=True)
class Result:
    """A hypothesis tested on some rows. The estimate lies above 0 where the claim is right; None without rows."""

    hypothesis: Hypothesis
    estimate: Estimate | None
    p: float = 1.0  # adjusted
    reach: float = math.nan  # how many standard errors from 0 the family's most telling test must lie

    @property
    def certain(self) -> bool:
        """Whether there are rows, but no data could decide it otherwise."""
        return self.estimate is not None and holds(self.hypothesis.method, self.hypothesis.other)

    @property
    def decision(self) -> str:
        """Decided as published, against it, or not."""
        if self.certain:
            return CERTAIN
        return WORDS[decided(self.estimate, self.p)] if self.estimate else UNDECIDED


Case = tuple[Sequence[Evidence], str, list[Hypothesis]]  # rows, the metric, and what is tested on them


class HypothesisTests:
    """Tests on stored rows: each estimate is computed once, whatever asks for it."""

    def __init__(self, known: Links | None = None) -> None:
        self.links = known or links()
        self.rows = StoredRows()
        self._estimates: dict[Key, Estimate] = {}

    def evidence(self, link: Link, role: str, method: str, cell: Cell, rivals: Collection[str] = ()) -> list[Evidence]:
        """Rows of a method for a cell: the paper's own model first, then the better profile, then more rows.

        Rows that hold more of the `rivals` go before a better profile: else a new profile with a part of the methods
        would take what they are compared with away.
        """
        if role not in link.protocols:
            return []
        wanted, metric = self.links.models.get(cell["model"]), cell["metric"]
        first, *more = (
            [
                e
                for e in self.rows.find(study, link.protocols[role], link.pools)
                if self.links.fits(e.dataset, cell) and e.has(method, metric)
            ]
            for study in link.studies
        )
        lacking = {id(e): sum(not e.has(rival, metric) for rival in rivals) for e in first}
        first.sort(key=lambda e: (e.model != wanted, lacking[id(e)], PROFILES.index(e.profile), -len(e.rows)))
        for one in first:
            same = [next((e for e in others if e.model == one.model), None) for others in more]
            if None not in same:
                return [one, *(e for e in same if e)]
        return []

    def estimate(self, found: Sequence[Evidence], metric: str, method: str, other: str | None = None) -> Estimate:
        """As `evidence.printed_estimate`, remembered."""
        key = (*map(id, found), metric, method, other)
        if key not in self._estimates:
            self._estimates[key] = printed_estimate(found, metric, method, other)
        return self._estimates[key]

    def results(self, cases: Sequence[Case]) -> list[list[Result]]:
        """Results of one family: the tests of all cases, adjusted together.

        The same test counts once, and one whose outcome is fixed by construction is left out of the family.
        """
        tested = [[self._tested(found, metric, each) for each in hypotheses] for found, metric, hypotheses in cases]
        keys = [
            [self.key(found, metric, result.hypothesis) for result in results]
            for (found, metric, _), results in zip(cases, tested, strict=True)
        ]
        family: dict[Key, Estimate] = {}
        for results, names in zip(tested, keys, strict=True):
            family |= {key: r.estimate for r, key in zip(results, names, strict=True) if r.estimate and not r.certain}
        ps, reach = max_t(list(family.values()))
        adjusted = dict(zip(family, ps, strict=True))
        return [
            [replace(r, p=adjusted.get(key, 1.0), reach=reach) for r, key in zip(results, names, strict=True)]
            for results, names in zip(tested, keys, strict=True)
        ]

    def key(self, found: Sequence[Evidence], metric: str, hypothesis: Hypothesis) -> Key:
        """Tells two tests apart: the rows, the metric, and what is compared, in either order."""
        return (*map(id, found), metric, frozenset({hypothesis.method, hypothesis.other}))

    def _tested(self, found: Sequence[Evidence], metric: str, hypothesis: Hypothesis) -> Result:
        needed = {hypothesis.method, hypothesis.other} - {None}
        if not all(e.has(str(name), metric) for e in found for name in needed):
            return Result(hypothesis, None)
        estimate = self.estimate(found, metric, hypothesis.method, hypothesis.other)
        return Result(hypothesis, estimate if hypothesis.sign > 0 else estimate.mirrored())
