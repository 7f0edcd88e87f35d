"""Stored rows against a fresh computation: a random sample of each study, or all of it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from tqdm import tqdm

from attribook.archives import sha256
from attribook.check.budget import DEAR, Clock, in_turns, listed
from attribook.check.drift import Apart, Drift, farthest
from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError
from attribook.grid.manifest import read_manifest
from attribook.grid.seeds import digest
from attribook.grid.settings import read_setting
from attribook.grid.store import Store
from attribook.grid.study import Study, Unit
from attribook.grid.variants import parted
from attribook.models.fetch import waits_for_consent
from attribook.models.names import known_fingerprint, tuned_alike, tuned_where_used
from attribook.paths import results_folder

BUDGET = 360.0  # seconds for all rows of a profile together, however many studies there are


@dataclass(frozen=True)
class Shelf:
    """All studies whose rows lie in one folder."""

    folder: Path
    manifest: dict[str, Any]
    studies: list[Study]

    @property
    def name(self) -> str:
        """Study, model and protocol."""
        return "/".join(self.folder.relative_to(results_folder()).parts[1:])

    @cached_property
    def barred(self) -> str | None:
        """Why its rows cannot be computed again on this machine; None where they can."""
        model, datasets = self.studies[0].model, {study.dataset for study in self.studies}
        if not all(DATASETS[name].here() for name in datasets):
            return "data that is not here (attribook data verify)"
        if waits_for_consent(model):
            return "not computed again, as the model's terms wait for consent (attribook models list)"
        if tuned_where_used(model) and not tuned_alike(model, self.manifest["weights"]):
            return "the model was not tuned here to the same weights (attribook models train)"
        return None

    def units(self) -> Iterator[tuple[Study, Unit]]:
        """Everything that was stored at once; what several studies have in common once, with the most metrics."""
        seen = set()
        for study in sorted(self.studies, key=lambda study: -len(study.metrics)):
            for unit in study.units():
                known = unit.place, unit.name, unit.seed
                if known not in seen:
                    seen.add(known)
                    yield study, unit


def profiles() -> list[str]:
    """Profiles that have rows to be checked."""
    return sorted({path.relative_to(results_folder()).parts[0] for path in results_folder().rglob("manifest.json")})


def shelves(profile: str) -> list[Shelf]:
    """All folders of rows of a profile."""
    found = []
    for path in sorted((results_folder() / profile).rglob("manifest.json")):
        manifest = read_manifest(path)
        found.append(Shelf(path.parent, manifest, [study_of(run["study"]) for run in manifest["runs"]]))
    return found


def study_of(told: Mapping[str, Any]) -> Study:
    """The study that a manifest tells of, of the plainest kind with its fields. Raises: AttribookError for others."""
    kinds: list[type[Study]] = [Study, *Study.__subclasses__()]
    fitting = [kind for kind in kinds if set(told) <= {field.name for field in fields(kind)}]
    if not fitting:
        raise AttribookError(f"No kind of study has the fields {', '.join(told)}, of which a manifest tells.")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return min(fitting, key=lambda kind: len(fields(kind)))(**given)


def stored_drift(profile: str, sample: int | None, seed: int, budget: float = BUDGET) -> tuple[list[Drift], str]:
    """Differences of a sample of each study's rows, None for all, and what was looked at, in words.

    The studies take turns; scores that took long when they were stored come last. What would end after `budget`
    seconds is left out and named.
    """
    every = shelves(profile)
    held = [shelf for shelf in every if shelf.barred is None]
    seen = Seen(Clock(budget))
    drifts = [drift for shelf in held for drift in known_drift(shelf)]
    chosen = in_turns([sampled(shelf, sample, seed) for shelf in held], seed)
    jobs = [(look, look.cheap) for look in chosen] + [(look, ("scores",)) for look in chosen if look.dear]
    models: dict[str, Any] = {}
    for look, parts in tqdm(jobs, desc=f"{profile}: rows", unit="unit", mininterval=1, disable=None):
        cost = sum(look.costs[part] for part in parts)
        if not seen.clock.affords(cost):
            seen.left += [(look, part) for part in parts]
            continue
        study, start = look.study, seen.clock.elapsed
        if study.model not in models:
            models = {study.model: study.explained}  # one at a time
        study.__dict__["explained"] = models[study.model]
        drifts += unit_drift(look, parts, seen)
        seen.clock.done(cost, seen.clock.elapsed - start)
    told = f"{len(chosen)} units of {len(held)} studies: {seen.scores} score vectors, {seen.metrics} metrics; "
    told += f"largest difference {seen.apart:.1e} of its scale; {seen.clock.elapsed:.0f} s"
    if seen.left:
        dear = listed(look.method for look, part in seen.left if part == "scores")
        rest = listed(look.shelf.name for look, part in seen.left if part != "scores")
        told += f"; not computed again, over the budget of {budget:g} s (--budget): "
        told += "; ".join([f"scores: {dear}"] * bool(dear) + [f"metrics: {rest}"] * bool(rest))
    for why in dict.fromkeys(shelf.barred for shelf in every if shelf.barred):
        told += f"; {why}: {', '.join(shelf.name for shelf in every if shelf.barred == why)}"
    return list(dict.fromkeys(drifts)), told


@dataclass(frozen=True)
class Look:
    """One unit that was drawn, and the seconds that its scores and its rows under each metric took when stored."""

    shelf: Shelf
    study: Study
    unit: Unit
    costs: Mapping[str, float]

    @property
    def dear(self) -> bool:
        """Whether its scores are computed again only after everything else."""
        return self.costs.get("scores", 0.0) > DEAR

    @property
    def cheap(self) -> tuple[str, ...]:
        """What of it is computed again at once."""
        return tuple(part for part in self.study.parts(self.unit) if part != "scores" or not self.dear)

    @property
    def method(self) -> str:
        """Its method without options, and where it is stored."""
        return f"{read_setting(parted(self.unit.name)[0])[0].name} ({self.shelf.name})"


@dataclass
class Seen:
    """What was compared, what no longer fitted, and the largest difference within the tolerance."""

    clock: Clock
    scores: int = 0
    metrics: int = 0
    apart: float = 0.0
    left: list[tuple[Look, str]] = field(default_factory=list)


def sampled(shelf: Shelf, sample: int | None, seed: int) -> list[Look]:
    """The units of one folder that are looked at."""
    for study in shelf.studies:
        study.__dict__["fingerprint"] = shelf.manifest["weights"]  # keys as stored; weights are compared apart
    costs = Costs(shelf)
    return [
        Look(shelf, study, unit, costs.parts(study, unit))
        for study, unit in drawn(list(shelf.units()), sample, digest(seed, shelf.name))
    ]


def drawn(units: Sequence[tuple[Study, Unit]], sample: int | None, seed: str) -> list[tuple[Study, Unit]]:
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

    def __init__(self, shelf: Shelf) -> None:
        self._seconds: dict[tuple[str, str], float] = {}
        groups = Store(shelf.folder / "scores.jsonl").groups
        for row in (row for group in groups.values() for row in group):
            # Settings that were read off one recording cost nothing themselves: the dearest of the method counts.
            key = row["item"], read_setting(row["method"])[0].name
            self._seconds[key] = max(row["seconds"], self._seconds.get(key, 0.0))

    def of(self, unit: Unit) -> float:
        """Seconds of a unit's scores; 0 where none are known."""
        return self._seconds.get((unit.prompt.id, read_setting(parted(unit.name)[0])[0].name), 0.0)

    def parts(self, study: Study, unit: Unit) -> dict[str, float]:
        """Seconds of all that is stored of a unit; draws are told apart, the maps of a pool are not."""
        found = {part: self.of(unit) if part == "scores" else 0.0 for part in study.parts(unit)}
        for name, rows in study.stored(unit).items():
            if name != "scores":
                found[name] = sum(float(row["seconds"]) for row in (rows if "draw" in rows[0] else rows[:1]))
        return found


def known_drift(shelf: Shelf) -> list[Drift]:
    """Weights and data that are not those of the manifest, and files beside it that it does not describe."""
    found = []
    weights = known_fingerprint(shelf.studies[0].model)
    if weights is not None and weights != shelf.manifest["weights"]:
        found.append(
            Drift("weights", shelf.name, f"the rows are of {shelf.manifest['weights'][:12]}, not {weights[:12]}")
        )
    for name, sha in shelf.manifest["files"].items():
        path = shelf.folder / name
        if not path.is_file() or sha256(path) != sha:
            what = "was changed after its manifest was written" if path.is_file() else "is missing"
            found.append(Drift("files", f"{shelf.name}/{name}", what))
    for run in shelf.manifest["runs"]:
        dataset = run["study"]["dataset"]
        if sha256(DATASETS[dataset].path()) != run["data_sha256"]:
            found.append(Drift("data", shelf.name, f"{dataset} is not the file that the rows were made from"))
    return list(dict.fromkeys(found))


def unit_drift(look: Look, parts: Sequence[str], seen: Seen) -> list[Drift]:
    """Differences of some parts of one unit: its scores, its rows under a metric."""
    study, unit = look.study, look.unit
    step = f"+{unit.step}" if unit.step else ""
    where = f"{look.shelf.name} · {unit.prompt.id}{step} · {unit.name} · seed {unit.seed}"
    stored = study.stored(unit)
    if lost := [name for name in study.parts(unit) if name not in stored]:
        return [Drift("keys", where, f"no stored row of {', '.join(lost)}: options, version or prompt are others")]
    seen.scores += "scores" in parts
    seen.metrics += len(set(parts) - {"scores"})
    now = study.recomputed(unit, parts)
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
    if part == "scores":
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
