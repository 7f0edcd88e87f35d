"""Stored rows against a fresh computation: a random sample of each study, or all of it."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from attribook.archives import sha256
from attribook.check.drift import Apart, Drift, farthest
from attribook.data import DATASETS
from attribook.errors import AttribookError
from attribook.models.fetch import waits_for_consent
from attribook.models.load import known_fingerprint
from attribook.paths import results_folder
from attribook.study import Study
from attribook.study.manifest import read_manifest
from attribook.study.names import read_setting
from attribook.study.seeds import digest
from attribook.study.store import Store
from attribook.study.study import Unit
from attribook.study.variants import parted

# Scores that took up to CHEAP seconds when they were stored are always computed again; of dearer ones a random
# choice that took no more than the budget together. Metrics of stored scores are always computed again.
CHEAP, BUDGET = 10.0, 120.0


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
    """Differences of a sample of each study's rows, None for all, and what was looked at, in words."""
    every = shelves(profile)
    here = [shelf for shelf in every if all(DATASETS[study.dataset].here() for study in shelf.studies)]
    held = [shelf for shelf in here if not any(waits_for_consent(study.model) for study in shelf.studies)]
    drifts = [drift for shelf in held for drift in known_drift(shelf)]
    chosen = [look for shelf in held for look in sampled(shelf, sample, seed)]
    afforded(chosen, budget, seed)
    models: dict[str, Any] = {}
    seen = Seen()
    for look in tqdm(chosen, desc=f"{profile}: rows", unit="unit", mininterval=1, disable=None):
        study = look.study
        if study.model not in models:
            models = {study.model: study.explained}  # one at a time
        study.__dict__["explained"] = models[study.model]
        drifts += unit_drift(look, seen)
    told = f"{len(chosen)} units of {len(held)} studies: {seen.scores} score vectors, {seen.metrics} metrics; "
    told += f"largest difference {seen.apart:.1e} of its scale"
    if left := Counter(read_setting(parted(look.unit.name)[0])[0].name for look in chosen if not look.scores):
        named = ", ".join(f"{number} of {name}" for name, number in left.most_common())
        told += f"; scores not computed again, over the budget of {budget:g} s (--budget): {named}"
    if len(here) < len(every):
        told += f"; {len(every) - len(here)} studies need data that is not here (attribook data verify)"
    if waiting := [shelf.name for shelf in here if shelf not in held]:
        told += (
            f"; not computed again, as the model's terms wait for consent (attribook models list): {', '.join(waiting)}"
        )
    return drifts, told


@dataclass
class Look:
    """One unit that was drawn: seconds that its scores took when stored, and whether they are computed again."""

    shelf: Shelf
    study: Study
    unit: Unit
    seconds: float
    scores: bool = True


@dataclass
class Seen:
    """What was compared, and the largest difference within the tolerance."""

    scores: int = 0
    metrics: int = 0
    apart: float = 0.0


def sampled(shelf: Shelf, sample: int | None, seed: int) -> list[Look]:
    """The units of one folder that are looked at."""
    for study in shelf.studies:
        study.__dict__["fingerprint"] = shelf.manifest["weights"]  # keys as stored; weights are compared apart
    costs = Costs(shelf)
    return [
        Look(shelf, *each, costs.of(each[1])) for each in drawn(list(shelf.units()), sample, digest(seed, shelf.name))
    ]


def afforded(chosen: Sequence[Look], budget: float, seed: int) -> None:
    """Leave out scores that took long when they were stored, all but a random choice that fits into the budget."""
    dear = [look for look in chosen if look.seconds > CHEAP]
    random.Random(seed).shuffle(dear)
    for look in dear:
        look.scores = look.seconds <= budget
        budget -= look.seconds * look.scores


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


def unit_drift(look: Look, seen: Seen) -> list[Drift]:
    """Differences of one unit."""
    study, unit = look.study, look.unit
    step = f"+{unit.step}" if unit.step else ""
    where = f"{look.shelf.name} · {unit.prompt.id}{step} · {unit.name} · seed {unit.seed}"
    stored = study.stored(unit)
    wanted = study.parts(unit)
    if lost := [name for name in wanted if name not in stored]:
        return [Drift("keys", where, f"no stored row of {', '.join(lost)}: options, version or prompt are others")]
    parts = [part for part in wanted if look.scores or part != "scores"]
    seen.scores += "scores" in parts
    seen.metrics += len([part for part in parts if part != "scores"])
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
