"""Claims that no printed table decides, answered by stored rows of another kind: scores, answers, predictions.

A claim is broken up into tests, as everywhere in the ledger; Holm adjusts over the tests of the claim. What a figure of
the paper shows without numbers is asked of our rows as the sentence about it says.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from attribook.grid.judged import MINIMUM
from attribook.grid.manifest import read_manifest
from attribook.grid.store import Row
from attribook.ledger.verdicts import OPPOSITE, SAME, UNDECIDED, decided, together
from attribook.papers.cells import published
from attribook.papers.noiser.settings import FEWER
from attribook.papers.rpi.steps import apart, spread
from attribook.papers.rpi.tables import ERASURE, released_setting
from attribook.paths import results_folder
from attribook.statistics.accuracy import wilson
from attribook.statistics.bootstrap import Estimate, combined_if_any, holm, per_item
from attribook.statistics.evidence import PROFILES
from attribook.statistics.mass import mass_shares
from attribook.statistics.picked_rows import read_picked

PROMISED = 0.9  # of the texts, that RPI's prompted decoders are said to classify rightly
ENOUGH, BEYOND = 31, 61  # points on RPI's path: "about 30 steps" with both ends, and twice as many
BASELINES = 3  # of Noiser's "best-performing baselines", which its text does not name
Test = Estimate  # an estimate that lies above 0 where the claim is right


@dataclass(frozen=True)
class Source:
    """Where rows of a claim lie, and what they are rows of."""

    path: Path
    profile: str
    model: str
    data: str
    protocol: str

    def row(self, verdict: str, reason: str, notebook: str, n: int) -> Row:
        """The ledger's columns of an answer."""
        return {
            "verdict": verdict, "reason": reason, "notebook": notebook, "n": n, "profile": self.profile,
            "model": self.model, "data": self.data, "protocol": self.protocol,
            "rows": str(self.path.relative_to(results_folder())),
        }  # fmt: skip


@dataclass
class Tests:
    """The tests of one claim by name, each above 0 where the claim is right."""

    found: dict[str, Test] = field(default_factory=dict)

    def add(self, name: str, above: pd.Series, below: pd.Series) -> None:
        """One test: the mean of the first lies above that of the second, over the prompts of both."""
        self.found[name] = combined_if_any([[(above, 1), (below, -1)]], log=False)

    def outcome(self) -> tuple[str, str, int]:
        """The side of all tests together, each in words, and the n of the smallest."""
        adjusted = holm([test.p for test in self.found.values()])
        sides = [decided(test, p) for test, p in zip(self.found.values(), adjusted, strict=True)]
        n = min(test.n for test in self.found.values())
        counts = f"of {len(sides)} tests {sides.count(SAME)} as claimed, {sides.count(OPPOSITE)} the other way, "
        told = [name for name, side in zip(self.found, sides, strict=True) if side == OPPOSITE]
        against = f"; the other way: {', '.join(told)}" if told else ""
        return together(sides), f"{counts}{sides.count(UNDECIDED)} undecided, n = {n}{against}", n


def answered_claim(name: str) -> Row | None:
    """What stored rows say to a claim without a printed table: columns of the ledger, or None without such rows."""
    return ANSWERS[name]() if name in ANSWERS else None


def distractor() -> Row | None:
    """ReAGent gives the antecedent more, and the distractor less, than an even spread over the tokens would."""
    for source, rows in stored_scores("reagent_longra", ("reagent",)):
        mine, even = shares(rows), shares([{**row, "scores": [1.0] * len(row["scores"])} for row in rows])
        tests = Tests()
        tests.add("antecedent above its share of the tokens", mine["antecedent"], even["antecedent"])
        tests.add("distractor below its share of the tokens", even["distractor"], mine["distractor"])
        side, why, n = tests.outcome()
        means = mine.loc[:, ["antecedent", "distractor"]].mean()
        reason = f"mean mass {means['antecedent']:.2f} on the antecedent, {means['distractor']:.2f} on the distractor; "
        return source.row(side, reason + why, "reagent/figure_4", n)
    return None


def forwards_only() -> Row | None:
    """The counters of all stored runs of ReAGent: forwards, and no backwards."""
    for source, rows in stored_scores("reagent_longra", ("reagent",)):
        forwards, backwards = (sum(row[name] for row in rows) for name in ("forwards", "backwards"))
        reason = f"counted in {len(rows)} stored runs: {forwards / len(rows):.0f} forwards each, {backwards} backwards"
        return source.row(SAME if backwards == 0 else OPPOSITE, reason, "shared/method_matrix", len(rows))
    return None


def critical_words() -> Row | None:
    """Noiser gives the antecedent more than the best baselines, and the distractor less.

    The text does not name them: taken are the `BASELINES` that Table 1 puts highest on LongRA, on average.
    """
    leader, best = f"noiser{FEWER}", best_printed("LongRA")
    for source, rows in stored_scores("reagent_longra", (leader, *best)):
        by_method = {name: shares([row for row in rows if row["method"] == name]) for name in (leader, *best)}
        if any(frame.empty for frame in by_method.values()):
            continue
        tests = Tests()
        for name in best:
            mine, other = by_method[leader], by_method[name]
            tests.add(f"antecedent more than {name}", mine["antecedent"], other["antecedent"])
            tests.add(f"distractor less than {name}", other["distractor"], mine["distractor"])
        side, why, n = tests.outcome()
        return source.row(side, f"against {', '.join(best)}: {why}", "noiser/figure_2", n)
    return None


def fewest_words() -> Row | None:
    """Occlusion needs a smaller share of words than all others, LIME than all but it, Noiser than all but these."""
    for folder in folders("noiser_knowns_minimum_*"):
        rows = pd.read_csv(folder / "rows.csv", dtype={"item": str})
        rows = rows[rows["selection"] == MINIMUM].assign(metric=MINIMUM, value=lambda it: pd.to_numeric(it["value"]))
        values = {name: per_item(rows, name, MINIMUM)[0] for name in rows["method"].unique()}
        order = ("occlusion", "lime", "noiser")
        if not set(order) <= set(values):
            continue
        tests = Tests()
        for place, first in enumerate(order):
            for other in sorted(set(values) - set(order[: place + 1])):
                tests.add(f"{first} fewer than {other}", values[other], values[first])
        side, why, n = tests.outcome()
        best = min(values, key=lambda name: float(values[name].mean()))
        return source_of(folder, "rows.csv").row(side, f"{best} needs the fewest; {why}", "noiser/figure_minimum", n)
    return None


def prompt_accuracy() -> Row | None:
    """Every prompted decoder is right on more than 90% of the texts, by Wilson's intervals."""
    for profile in PROFILES:
        paths = sorted(results_folder().glob(f"{profile}/predictions/*+sentiment/rotten-tomatoes-held-out.jsonl"))
        sides, told = [], []
        for path in paths:
            right = [json.loads(line)["correct"] for line in path.read_text().splitlines()]
            low, high = wilson(sum(right), len(right))
            sides.append(SAME if low > PROMISED else OPPOSITE if high < PROMISED else UNDECIDED)
            told.append(f"{path.parent.name} {sum(right) / len(right):.0%} ({low:.0%} to {high:.0%})")
        if paths:
            source = Source(paths[0], profile, ", ".join(path.parent.name for path in paths), paths[0].stem, "")
            reason = f"right, of {len(right)} snippets, with a prompt of ours: {', '.join(told)}"
            return source.row(together(sides), reason, "shared/classifiers", len(right))
    return None


def enough_steps() -> Row | None:
    """From 31 to 61 points on RPI's path every metric moves less than from one draw of noise to another."""
    for folder in folders("rpi_pools", "rpi-paper"):
        pools = read_picked(folder / "rows.csv").pools
        fewer, more = (
            {metric: found[0] for metric in ERASURE if (found := pools.get((released_setting(steps=steps), metric)))}
            for steps in (ENOUGH, BEYOND)
        )
        if not set(ERASURE) <= set(fewer) & set(more):
            continue
        tests, told = Tests(), []
        for metric, name in ERASURE.items():
            moved, drawn = apart(fewer[metric], more[metric], metric), spread(more[metric], metric)
            tests.add(f"{name} moves less than by another draw", drawn, moved)
            told.append(f"{name} {moved.mean():.4f} of {drawn.mean():.4f}")
        side, why, n = tests.outcome()
        reason = f"mean move from {ENOUGH} to {BEYOND} points, of that from draw to draw: {', '.join(told)}; "
        return source_of(folder, "rows.csv").row(side, reason + why, "rpi/audit_steps", n)
    return None


ANSWERS: Mapping[str, Callable[[], Row | None]] = {
    "reagent-distractor": distractor,
    "reagent-forwards-only": forwards_only,
    "noiser-critical-words": critical_words,
    "noiser-fewest-words": fewest_words,
    "rpi-prompt-accuracy": prompt_accuracy,
    "rpi-steps": enough_steps,
}


# -- what is stored ------------------------------------------------------------------------------------------------


def folders(study: str, protocol: str = "*") -> list[Path]:
    """Folders of a study's finished runs, the best profile first."""
    found = [sorted(results_folder().glob(f"{profile}/{study}/*/{protocol}/manifest.json")) for profile in PROFILES]
    return [path.parent for paths in found for path in paths]


def source_of(folder: Path, file: str) -> Source:
    """What the manifest of a folder says of its rows."""
    told = read_manifest(folder / "manifest.json")["runs"][0]["study"]
    return Source(folder / file, told["profile"], told["model"], told["dataset"], told["protocol"])


def stored_scores(study: str, methods: tuple[str, ...]) -> list[tuple[Source, list[Row]]]:
    """Stored scores of any of the methods, under our protocol, by model: the best profile first, then most rows."""
    found = []
    for folder in folders(study, "attribook"):
        path = folder / "scores.jsonl"
        lines = path.read_text().splitlines() if path.is_file() else []
        rows = [row for row in map(json.loads, lines) if row["method"] in methods]
        if rows:
            found.append((source_of(folder, path.name), rows))
    return sorted(found, key=lambda each: (PROFILES.index(each[0].profile), -len(each[1])))


def best_printed(dataset: str) -> list[str]:
    """The methods beside Noiser that its Table 1 puts highest on a data set, on average over models."""
    cells = published("noiser").query(
        "table == 1 and dataset == @dataset and column == 'Average' and method != 'noiser'"
    )
    return list(cells.sort_values("value", ascending=False)["method"].head(BASELINES))


def shares(rows: list[Row]) -> pd.DataFrame:
    """Mass on every part, a prompt a row, seeds averaged; prompts without a positive score are left out."""
    if not rows:
        return pd.DataFrame(columns=["antecedent", "distractor"])
    found = mass_shares(rows)
    good = found[found["status"] == "ok"]
    return good.groupby(["item", "metric"])["value"].mean().unstack()[["antecedent", "distractor"]]
