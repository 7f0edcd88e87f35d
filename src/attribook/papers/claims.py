"""The papers' headline claims, each held against the paper's own tables.

`claims.toml` states a claim in our words. Where tables decide it, it carries a query: which comparisons of printed
cells the claim makes. A comparison holds, is tied at the printed precision, or is broken. Whether a claim is *true* is
another question, which other models and data answer: this module says only what the printed numbers say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from attribook.errors import AttribookError
from attribook.papers.cells import RANKED, better, published, select
from attribook.papers.registry import paper_file, parsed, sound
from attribook.statistics.units import is_log_ratio

Where = dict[str, Any]  # cells by the values of their columns
STRENGTHS = {"all": "every comparison", "most": "more than half of the comparisons"}


@dataclass(frozen=True)
class Claim:
    """One claim. `stated` is False where the paper does not say it and a reader may infer it."""

    id: str
    paper: str
    says: str
    tables: list[int] = field(default_factory=list)
    strength: str = "all"
    stated: bool = True
    averages: bool = False  # an average over models is no comparison of its own, unless the claim is about it
    query: dict[str, Any] | None = None
    needs: str = ""  # without a query: what would decide it
    remark: str = ""


@dataclass(frozen=True)
class Support:
    """What a paper's own cells say to a claim: a row for each comparison, with `outcome` held, tied or broken."""

    comparisons: pd.DataFrame

    def count(self, outcome: str) -> int:
        """How many comparisons came out as held, tied or broken."""
        return int((self.comparisons["outcome"] == outcome).sum())

    @property
    def total(self) -> int:
        """Number of comparisons."""
        return len(self.comparisons)


def claims(paper: str) -> list[Claim]:
    """All claims of a paper. Raises: AttribookError where the file is not sound."""
    return read_claims(paper_file(paper, "claims.toml").read_text("utf-8"), paper)


def read_claims(text: str, paper: str) -> list[Claim]:
    """Claims of one TOML text. Raises: AttribookError naming the claim and what is wrong with it."""
    file = f"{paper}/claims.toml"
    with sound(file):
        found = [read_claim(paper, entry) for entry in parsed(text, file).get("claim", [])]
        ids = [claim.id for claim in found]
        if twice := {name for name in ids if ids.count(name) > 1}:
            raise AttribookError(f"{file}: {', '.join(sorted(twice))} more than once.")
    return found


def read_claim(paper: str, entry: dict[str, Any]) -> Claim:
    """One entry. Raises: AttribookError naming what is wrong."""
    place = f"{paper}/claims.toml, claim {entry.get('id', 'without id')}"
    try:
        claim = Claim(paper=paper, **entry)
    except TypeError as error:
        raise AttribookError(f"{place}: {error}.") from error
    if claim.strength not in STRENGTHS:
        raise AttribookError(f"{place}: `strength` must be one of {', '.join(STRENGTHS)}.")
    if (claim.query is None) == (claim.needs == ""):
        raise AttribookError(f"{place}: give either a query or what the claim `needs`.")
    if claim.query and claim.query.get("kind") not in KINDS:
        raise AttribookError(f"{place}: the query's `kind` must be one of {', '.join(KINDS)}.")
    return claim


def support(claim: Claim, cells: pd.DataFrame | None = None) -> Support:
    """All comparisons of a claim over the paper's cells.

    Raises: AttribookError for a claim without a query, or a query that finds no cell.
    """
    if claim.query is None:
        raise AttribookError(f"No published table decides the claim {claim.id}; it needs: {claim.needs}.")
    cells = published(claim.paper) if cells is None else cells
    if not claim.averages:
        cells = cells[cells["column"] != "Average"]
    query = dict(claim.query)
    kind = query.pop("kind")
    try:
        compared = KINDS[kind](cells, **query)
    except TypeError as error:
        raise AttribookError(f"The query of claim {claim.id}: {error}.") from error
    if compared.empty:
        raise AttribookError(f"The query of claim {claim.id} compares nothing.")
    margin = compared["margin"].round(9)  # differences of printed decimals
    outcome = margin.map(lambda value: "held" if value > 0 else "tied" if value == 0 else "broken")
    return Support(compared.assign(margin=margin, outcome=outcome).reset_index(drop=True))


def _best(cells: pd.DataFrame, *, row: list[str], where: Where, without: Sequence[str] = ()) -> pd.DataFrame:
    """In each column, the best of the named rows against the best of the others. A margin above 0: ahead."""
    taken = select(cells, where)
    taken = taken[~taken["row"].isin(without)]
    signed = taken.assign(signed=taken["value"] * better(taken), ours=taken["row"].isin(row))
    best = signed.groupby([*RANKED, "ours"])["signed"].max().unstack("ours")
    return (best[True] - best[False]).rename("margin").reset_index()


def _ahead(
    cells: pd.DataFrame, *, left: Where, right: Where, match: list[str], pairs: list[list[str]] | None = None
) -> pd.DataFrame:
    """Each left cell against each right cell with equal `match` columns. A margin above 0: the left is better.

    With `pairs`, only those (left row, right row) are compared.
    """
    both = select(cells, left).merge(select(cells, right), on=match, suffixes=("_left", "_right"))
    if pairs is not None:
        wanted = {tuple(pair) for pair in pairs}
        both = both[[pair in wanted for pair in zip(both["row_left"], both["row_right"], strict=True)]]
    metric = "metric" if "metric" in match else "metric_left"
    sign = better(both[[metric]].rename(columns={metric: "metric"}))
    return both.assign(margin=(both["value_left"] - both["value_right"]) * sign)


def _equal(cells: pd.DataFrame, *, by: float = 0.0, **query: Any) -> pd.DataFrame:
    """Left cells minus right cells are `by`, exactly as printed. A margin above 0 says yes."""
    both = _ahead(cells, **query)
    difference = both["value_left"] - both["value_right"]
    return both.assign(margin=[1.0 if abs(value - by) < 1e-9 else -1.0 for value in difference])


def _random(cells: pd.DataFrame, *, where: Where) -> pd.DataFrame:
    """Log-ratios on the better side of random. A margin above 0: more faithful than random."""
    taken = select(cells, where)
    if not all(map(is_log_ratio, taken["metric"])):
        raise AttribookError("Only log-ratios to random have a side of random.")
    return taken.assign(margin=taken["value"] * better(taken))


def _gap(cells: pd.DataFrame, *, leader: str, rivals: list[str], before: Where, after: Where) -> pd.DataFrame:
    """The leader's lead over each rival in each column grew from `before` to `after`. A margin above 0: it grew."""
    match = ["dataset", "column"]
    first, second = (
        _ahead(cells, left={**where, "row": leader}, right={**where, "row": rivals}, match=[*match, "metric"])
        for where in (before, after)
    )
    both = first.merge(second, on=[*match, "row_right"], suffixes=("_before", "_after"))
    return both.assign(margin=both["margin_after"] - both["margin_before"])


KINDS: dict[str, Callable[..., pd.DataFrame]] = {
    "best": _best, "ahead": _ahead, "equal": _equal, "random": _random, "gap": _gap,
}  # fmt: skip
