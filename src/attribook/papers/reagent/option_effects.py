"""What switching one option alone does to a number, from rows that an audit has stored; nothing is computed here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from attribook.grid.kinds import study_of
from attribook.grid.manifest import read_manifest
from attribook.grid.study import Study
from attribook.papers.reagent.departures import DEPARTURES, FLAT, RANDOM, by_departure, departure_names
from attribook.paths import results_folder
from attribook.statistics.estimates import estimate

AUDIT, BASE = "reagent_departures", "reagent-paper"
METRICS = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}


def option_effects(profile: str) -> pd.DataFrame:
    """A row for each option that the audit of departures switched: how far the log-ratios moved, in nats, paired.

    Columns: model, n, change, what, and for Soft-NC and Soft-NS the move with its 95% interval, and the smallest true
    move that would be found. Empty where the profile has no rows of the audit, or none of its baselines yet.
    """
    manifests = sorted((results_folder() / profile / AUDIT).glob(f"*/{BASE}/manifest.json"))
    return pd.DataFrame([line for path in manifests for line in effects(read_manifest(path)["runs"])])


def effects(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of the table from the runs of one manifest: the last audit, and random baselines on the same items."""
    studies = [
        study for study in (study_of(run["study"]) for run in runs) if isinstance(study, Study) and study.metrics
    ]
    audits = [study for study in studies if study.settings[0].method == "reagent"]
    if not audits:
        return []
    audit = audits[-1]
    items = audit.dataset, audit.n_items, audit.keep, audit.seed
    own = dict(audit.settings[0].options)
    base = {name: own[name] for name in ("max_steps", "runs")}
    specials = any(dict(setting.options).get("specials") == "perturb" for setting in audit.settings)
    names = departure_names(base, specials=specials)
    alike = [study for study in studies if (study.dataset, study.n_items, study.keep, study.seed) == items]
    rows = pd.concat([study.frame() for study in alike]).drop_duplicates(["method", "item", "seed", "draw", "metric"])
    if not {FLAT, RANDOM} <= set(rows["method"]):
        return []
    moves = estimate(
        by_departure(names, rows, audit.scores()), "log_ratio", ["change", "method", "metric"],
        against=[{"method": "random"}, {"change": "none"}],
    )  # fmt: skip
    lines: dict[str, dict[str, Any]] = {}
    for moved in moves.to_dict("records"):
        change, title = moved["change"], METRICS[moved["metric"]]
        line = lines.setdefault(change, {"model": audit.model, "change": change, "what": DEPARTURES[change].about})
        line[title] = f"{moved['value']:+.2f} ({moved['low']:+.2f} to {moved['high']:+.2f})"
        line |= {f"{title} detectable": moved["detectable"], "n": int(moved["n"])}
    return list(lines.values())
