"""Claims that no printed table decides, tested on stored rows of another kind: scores, answers, predictions.

What a figure of a paper shows without numbers is tested as the sentence about it says. A claim is broken up into
hypothesis tests, each above 0 where the claim is right, and p is adjusted by max-T over the tests of the claim. Each
paper's `figure_claims.py` has the tests of its own claims.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from attribook.grid.manifest import read_manifest
from attribook.paths import results_folder
from attribook.statistics.contrasts import difference
from attribook.statistics.evidence import PROFILES
from attribook.statistics.mass import mass_shares
from attribook.statistics.resampling import Estimate
from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, decided, max_t, together

Rows = list[dict[str, Any]]
Source = dict[str, str]  # profile, model, data, protocol and rows: where they lie, and what they are rows of


@dataclass(frozen=True)
class ClaimAnswer:
    """What stored rows say to a claim: ABOVE where they support it, BELOW where they contradict it."""

    decision: str
    reason: str
    notebook: str
    n: int
    source: Source


@dataclass
class ClaimTests:
    """The tests of one claim by name, each above 0 where the claim is right."""

    found: dict[str, Estimate] = field(default_factory=dict)

    def add(self, name: str, above: pd.Series, below: pd.Series) -> None:
        """One test: the mean of the first lies above that of the second, over the prompts of both."""
        self.found[name] = difference(above, below)

    def answer(self, source: Source, notebook: str, about: str) -> ClaimAnswer:
        """The decision on all tests together, with `about` before their counts, and the n of the smallest."""
        adjusted, _ = max_t(list(self.found.values()))
        decisions = [decided(test, p) for test, p in zip(self.found.values(), adjusted, strict=True)]
        n = min(test.n for test in self.found.values())
        against = [name for name, decision in zip(self.found, decisions, strict=True) if decision == BELOW]
        counts = tally(
            (decisions.count(ABOVE), "supports the claim", "support the claim"),
            (len(against), "contradicts it", "contradict it"),
            (decisions.count(UNDECIDED), "is undecided", "are undecided"),
        )
        reason = f"{about}; {tally((len(decisions), 'test', 'tests'))}: {counts}, n = {n}"
        reason += f"; contradicted: {', '.join(against)}" if against else ""
        return ClaimAnswer(together(decisions), reason, notebook, n, source)


def tally(*parts: tuple[int, str, str]) -> str:
    """How many there are of each kind, in words for one and for several; kinds that do not occur are left out."""
    return ", ".join(f"{many} {one if many == 1 else several}" for many, one, several in parts if many)


def study_folders(study: str, protocol: str = "*") -> Iterator[Path]:
    """Folders of a study's finished runs, the best profile first."""
    for profile in PROFILES:
        for path in sorted(results_folder().glob(f"{profile}/{study}/*/{protocol}/manifest.json")):
            yield path.parent


def source_of(folder: Path, file: str) -> Source:
    """What the manifest of a folder says of its rows."""
    study = read_manifest(folder / "manifest.json")["runs"][0]["study"]
    place = (folder / file).relative_to(results_folder())
    return {name: study[name] for name in ("profile", "model", "protocol")} | {
        "data": study["dataset"],
        "rows": str(place),
    }


def stored_scores(study: str, methods: tuple[str, ...]) -> list[tuple[Source, Rows]]:
    """Stored scores of any of the methods, under our protocol, by model: the best profile first, then most rows."""
    found = []
    for folder in study_folders(study, "attribook"):
        path = folder / "scores.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        rows = [row for row in map(json.loads, lines) if row["method"] in methods]
        if rows:
            found.append((source_of(folder, path.name), rows))
    return sorted(found, key=lambda each: (PROFILES.index(each[0]["profile"]), -len(each[1])))


def even_spread(rows: Rows) -> Rows:
    """The same rows with equal scores for all tokens."""
    return [{**row, "scores": [1.0] * len(row["scores"])} for row in rows]


def part_shares(rows: Rows) -> pd.DataFrame:
    """Mass on antecedent and distractor by prompt, seeds averaged; without prompts that have no positive score."""
    shares = mass_shares(rows).query("status == 'ok'")
    if shares.empty:
        return pd.DataFrame(columns=["antecedent", "distractor"])
    return shares.pivot_table(index="item", columns="metric", values="value", aggfunc="mean")
