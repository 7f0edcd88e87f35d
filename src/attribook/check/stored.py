"""Stored rows against a fresh computation: a random sample of each study, or all of it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tqdm import tqdm

from attribook.archives import sha256
from attribook.check.budget import DEAR, Clock, in_turns, listed
from attribook.check.drift import Apart, Drift, farthest
from attribook.data.datasets import DATASETS
from attribook.grid.items import Unit
from attribook.grid.keys import digest
from attribook.grid.kinds import study_of
from attribook.grid.manifest import read_manifest
from attribook.grid.rows import SCORES, Rows
from attribook.grid.settings import Setting
from attribook.grid.store import Store
from attribook.grid.study import Definition
from attribook.models.fetch import waits_for_consent
from attribook.models.names import known_fingerprint, tuned_alike, tuned_where_used
from attribook.paths import results_folder

Drawn = tuple[Rows[Definition], Unit]
BUDGET = 360.0  # seconds for all rows of a profile together, however many studies there are


@dataclass(frozen=True)
class Folder:
    """All studies whose rows lie in one folder, under the weights that its manifest names."""

    path: Path
    manifest: dict[str, Any]
    studies: list[Rows[Definition]]

    @property
    def name(self) -> str:
        """Study, model and protocol."""
        return "/".join(self.path.relative_to(results_folder()).parts[1:])

    @property
    def model(self) -> str:
        """The model of all its rows."""
        return self.studies[0].study.model

    @cached_property
    def barred(self) -> str | None:
        """Why its rows cannot be computed again on this machine; None where they can."""
        if not all(DATASETS[rows.study.dataset].here() for rows in self.studies):
            return "data that is not here (attribook data verify)"
        if waits_for_consent(self.model):
            return "not computed again, as the model's terms wait for consent (attribook models list)"
        if tuned_where_used(self.model) and not tuned_alike(self.model, self.manifest["weights"]):
            return "the model was not tuned here to the same weights (attribook models train)"
        return None

    def units(self) -> Iterator[tuple[Rows[Definition], Unit]]:
        """Everything that was stored at once; what several studies have in common once, with the most metrics."""
        seen = set()
        for rows in sorted(self.studies, key=lambda rows: -len(rows.study.metrics)):
            for unit in rows.units():
                known = unit.place, unit.setting, unit.seed
                if known not in seen:
                    seen.add(known)
                    yield rows, unit


def profiles() -> list[str]:
    """Profiles that have rows to be checked."""
    return sorted({path.relative_to(results_folder()).parts[0] for path in results_folder().rglob("manifest.json")})


def folders_of(profile: str) -> list[Folder]:
    """All folders of rows of a profile."""
    found = []
    for path in sorted((results_folder() / profile).rglob("manifest.json")):
        manifest = read_manifest(path)
        studies = [Rows(study_of(run["study"]), manifest["weights"]) for run in manifest["runs"]]
        found.append(Folder(path.parent, manifest, studies))
    return found


def stored_drift(profile: str, sample: int | None, seed: int, budget: float = BUDGET) -> tuple[list[Drift], str]:
    """Differences of a sample of each study's rows, None for all, and what was looked at, in words.

    The studies take turns; scores that took long when they were stored come last. What would end after `budget`
    seconds is left out and named.
    """
    every = folders_of(profile)
    held = [folder for folder in every if folder.barred is None]
    seen = Seen(Clock(budget))
    drifts = [drift for folder in held for drift in known_drift(folder)]
    chosen = in_turns([sampled(folder, sample, seed) for folder in held], seed)
    jobs = [(look, look.cheap) for look in chosen] + [(look, (SCORES,)) for look in chosen if look.dear]
    for look, parts in tqdm(jobs, desc=f"{profile}: rows", unit="unit", mininterval=1, disable=None):
        cost = sum(look.costs[part] for part in parts)
        if not seen.clock.affords(cost):
            seen.left += [(look, part) for part in parts]
            continue
        start = seen.clock.elapsed
        drifts += unit_drift(look, parts, seen)
        seen.clock.done(cost, seen.clock.elapsed - start)
    return list(dict.fromkeys(drifts)), looked_at(every, chosen, seen)


def looked_at(every: Sequence[Folder], chosen: Sequence["Look"], seen: "Seen") -> str:
    """How much was compared, and what was not and why, in words."""
    held = sum(folder.barred is None for folder in every)
    words = f"{len(chosen)} units of {held} studies: {seen.scores} score vectors, {seen.metrics} metrics; "
    words += f"largest difference {seen.apart:.1e} of its scale; {seen.clock.elapsed:.0f} s"
    if seen.left:
        dear = listed(look.method for look, part in seen.left if part == SCORES)
        rest = listed(look.folder.name for look, part in seen.left if part != SCORES)
        words += f"; not computed again, over the budget of {seen.clock.budget:g} s (--budget): "
        words += "; ".join([f"scores: {dear}"] * bool(dear) + [f"metrics: {rest}"] * bool(rest))
    for why in dict.fromkeys(folder.barred for folder in every if folder.barred):
        words += f"; {why}: {', '.join(folder.name for folder in every if folder.barred == why)}"
    return words


@dataclass(frozen=True)
class Look:
    """One unit that was drawn, and the seconds that its scores and its rows under each metric took when stored."""

    folder: Folder
    rows: Rows[Definition]
    unit: Unit
    costs: Mapping[str, float]

    @property
    def dear(self) -> bool:
        """Whether its scores are computed again only after everything else."""
        return self.costs.get(SCORES, 0.0) > DEAR

    @property
    def cheap(self) -> tuple[str, ...]:
        """What of it is computed again at once."""
        return tuple(part for part in self.rows.study.parts(self.unit) if part != SCORES or not self.dear)

    @property
    def method(self) -> str:
        """Its method without options, and where it is stored."""
        return f"{self.unit.setting.method} ({self.folder.name})"


@dataclass
class Seen:
    """What was compared, what no longer fitted, and the largest difference within the tolerance."""

    clock: Clock
    scores: int = 0
    metrics: int = 0
    apart: float = 0.0
    left: list[tuple[Look, str]] = field(default_factory=list)


def sampled(folder: Folder, sample: int | None, seed: int) -> list[Look]:
    """The units of one folder that are looked at."""
    costs = Costs(folder)
    return [
        Look(folder, rows, unit, costs.parts(rows, unit))
        for rows, unit in drawn(list(folder.units()), sample, digest(seed, folder.name))
    ]


def drawn(units: Sequence[Drawn], sample: int | None, seed: str) -> list[Drawn]:
    """A random choice of units, in their order; every method is as likely as any other, however many seeds it has."""
    if sample is None or sample >= len(units):
        return list(units)
    chance = random.Random(seed)
    names = sorted({unit.name for _, unit in units})
    picked: list[int] = []
    while len(picked) < sample:
        name = chance.choice(names)
        left = [place for place, (_, unit) in enumerate(units) if unit.name == name and place not in picked]
        if left:
            picked.append(chance.choice(left))
    return [units[place] for place in sorted(picked)]


class Costs:
    """Seconds that scores took when they were stored."""

    def __init__(self, folder: Folder) -> None:
        self._seconds: dict[tuple[str, str], float] = {}
        groups = Store(folder.path / "scores.jsonl").groups
        for row in (row for group in groups.values() for row in group):
            # Settings that were read off one recording cost nothing themselves: the dearest of the method counts.
            key = row["item"], Setting.parse(row["method"]).method
            self._seconds[key] = max(row["seconds"], self._seconds.get(key, 0.0))

    def of(self, unit: Unit) -> float:
        """Seconds of a unit's scores; 0 where none are known."""
        return self._seconds.get((unit.prompt.id, unit.setting.method), 0.0)

    def parts(self, rows: Rows[Definition], unit: Unit) -> dict[str, float]:
        """Seconds of all that is stored of a unit; draws are told apart, the maps of a pool are not."""
        found = {part: self.of(unit) if part == SCORES else 0.0 for part in rows.study.parts(unit)}
        for name, stored in rows.comparable(unit).items():
            if name != SCORES:
                found[name] = sum(float(row["seconds"]) for row in (stored if "draw" in stored[0] else stored[:1]))
        return found


def known_drift(folder: Folder) -> list[Drift]:
    """Weights and data that are not those of the manifest, and files beside it that it does not describe."""
    found = []
    stored, weights = folder.manifest["weights"], known_fingerprint(folder.model)
    if weights is not None and weights != stored:
        found.append(Drift("weights", folder.name, f"the rows are of {stored[:12]}, not {weights[:12]}"))
    for name, sha in folder.manifest["files"].items():
        path = folder.path / name
        if not path.is_file() or sha256(path) != sha:
            what = "was changed after its manifest was written" if path.is_file() else "is missing"
            found.append(Drift("files", f"{folder.name}/{name}", what))
    for run in folder.manifest["runs"]:
        dataset = run["study"]["dataset"]
        if sha256(DATASETS[dataset].path()) != run["data_sha256"]:
            found.append(Drift("data", folder.name, f"{dataset} is not the file that the rows were made from"))
    return list(dict.fromkeys(found))


def unit_drift(look: Look, parts: Sequence[str], seen: Seen) -> list[Drift]:
    """Differences of some parts of one unit: its scores, its rows under a metric."""
    rows, unit = look.rows, look.unit
    step = f"+{unit.step}" if unit.step else ""
    where = f"{look.folder.name} · {unit.prompt.id}{step} · {unit.name} · seed {unit.seed}"
    stored = rows.comparable(unit)
    if lost := [name for name in rows.study.parts(unit) if name not in stored]:
        return [Drift("keys", where, f"no stored row of {', '.join(lost)}: options, version or prompt are others")]
    seen.scores += SCORES in parts
    seen.metrics += len(set(parts) - {SCORES})
    now = rows.recomputed(unit, parts)
    found = []
    for part in parts:
        apart = part_difference(part, stored[part], now[part])
        if apart.words:
            found.append(Drift(part, where, apart.words))
        else:
            seen.apart = max(seen.apart, apart.share)
    return found


def part_difference(part: str, stored: list[dict[str, Any]], now: list[dict[str, Any]]) -> Apart:
    """What of a unit's score row or of its rows under a metric is not as stored."""
    if part == SCORES:
        one, other = stored[0], now[0]
        for name in ("tokens", "target"):
            if one[name] != other[name]:
                return Apart(0.0, f"{name} {other[name]!r}, stored {one[name]!r}"[:160])
        return farthest(one["scores"], other["scores"])
    statuses = [[row["status"] for row in rows] for rows in (stored, now)]
    if statuses[0] != statuses[1]:
        return Apart(0.0, f"status {statuses[1][0]}, stored {statuses[0][0]}")
    values = [[None if row["value"] in ("", None) else float(row["value"]) for row in rows] for rows in (stored, now)]
    return farthest(*values, least=1.0)
