"""What a profile would compute and what that costs, from stored measured rates: no model is loaded, nothing is run.

The cell of each page that defines its studies is executed statement by statement while studies only say that they were
asked for their rows. What follows from rows fails there, and is passed over.
"""

import ast
import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from attribook.data.datasets import DATASETS
from attribook.grid.judged import CONTROL, MINIMUM, JudgeStudy
from attribook.grid.planning import planning
from attribook.grid.pools import PoolStudy
from attribook.grid.rates import NEAR, UNMEASURED, Rates, parameters, unit_costs
from attribook.grid.rows import SCORES
from attribook.grid.study import Definition
from attribook.paths import checkout, results_folder
from attribook.site.profiles import declared, executions

CELL = r"^# %% tags=\[\"hide-input\"\]\n(.*?)(?=^# %%|\Z)"
BYTES = 4  # of a parameter in float32
PILOT = 10  # items whose measured costs forecast a study's others


def planned_studies(profile: str, names: Iterable[str]) -> Iterator[tuple[str, Definition]]:
    """Each page with each study whose rows it asks for."""
    for name, injected in ((name, one) for name, each in executions(profile, names).items() for one in each):
        source = checkout() / "notebooks" / f"{name}.py"
        values = {key: each.default for key, each in declared(source).items()} | injected
        cell = re.search(CELL, source.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        with planning() as asked:
            for statement in ast.parse(cell[1]).body if cell else ():
                with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(ast.Module([statement], []), str(source), "exec"), values)
        needed = [part for study in asked for part in (getattr(study, "scored", None), study)]
        yield from ((name, study) for study in dict.fromkeys(needed) if isinstance(study, Definition) and study.model)


def plan(profile: str, names: Iterable[str]) -> pd.DataFrame:
    """A row for each study: texts, units, forwards, backwards, hours, memory, disk, and what the rates rest on."""
    stored = [unit_costs(each.name) for each in sorted(results_folder().glob("*")) if each.is_dir()]
    measured = [costs for costs in stored if len(costs)]
    real = [costs[~costs["model"].str.startswith("tiny-")] for costs in measured] if profile != "smoke" else measured
    rates, kept = Rates(pd.concat(real, ignore_index=True)), kept_shares()
    studies = planned_studies(profile, names)
    return pd.DataFrame([{"page": page, **forecast(study, rates, texts(study, kept))} for page, study in studies])


def forecast(study: Definition, rates: Rates, n: int) -> dict[str, Any]:
    """The costs of `n` texts of a study."""
    steps = len(range(study.start, study.continuation, study.stride)) if study.continuation else 1
    maps = study.size if isinstance(study, PoolStudy) else 1
    total, bases, units = dict.fromkeys(("seconds", "forwards", "backwards", "bytes"), 0.0), [], 0
    for setting in study.settings:
        seeds = seeds_of(study, setting.several)
        units += n * steps * seeds
        for part in parts_of(study, str(setting)):
            if part == SCORES and setting.variant:
                continue  # those of the method itself
            fixed = {"study": study.name, "model": study.model, "dataset": study.dataset, "protocol": study.protocol}
            costs, near = rates.of(fixed | {"method": str(setting), "part": part})
            bases.append(near)
            for name in total:
                total[name] += costs[name] * n * steps * seeds * maps
    weights = parameters(study.model) * BYTES
    return {
        "study": study.name, "model": study.model, "protocol": study.protocol, "texts": n, "units": units,
        "forwards": total["forwards"], "backwards": total["backwards"], "hours": total["seconds"] / 3600,
        "memory_gb": weights / 1e9, "disk_mb": total["bytes"] / 1e6, "measured_on": farthest(bases),
    }  # fmt: skip


def seeds_of(study: Definition, several: bool) -> int:
    """How many units of a setting each text has."""
    if isinstance(study, PoolStudy) or not several:
        return 1
    return study.draws if isinstance(study, JudgeStudy) else study.random_seeds


def parts_of(study: Definition, method: str) -> list[str]:
    """What is computed of each unit. A judge's other controls are few and left out."""
    if not isinstance(study, JudgeStudy):
        return [SCORES, *study.metrics]
    return ["random"] if method == CONTROL else [part for part in study.selections if part != MINIMUM]


def farthest(bases: list[str]) -> str:
    """What the least near rate of a study rests on."""
    return max(bases, key=[*NEAR, UNMEASURED].index, default=UNMEASURED)


def texts(study: Definition, kept: pd.DataFrame) -> int:
    """How many texts a study explains: what it asks for, as far as models answer that many of the data set's."""
    whole = DATASETS[study.dataset].rows
    if study.keep != "all" and study.dataset in kept.index:
        whole = round(whole * float(kept[study.keep].to_dict()[study.dataset]))
    return min(study.n_items or whole, whole)


def checked(profile: str) -> pd.DataFrame:
    """Forecasts of stored studies from their first texts alone, beside what all of their texts took."""
    costs, lines = unit_costs(profile), []
    for (study, model, protocol), own in costs.groupby(["study", "model", "protocol"], sort=False):
        first = own["item"].drop_duplicates().head(PILOT)
        if own["item"].nunique() < 2 * PILOT:
            continue
        pilot = own[own["item"].isin(first)].groupby(["method", "part"])["seconds"].mean()
        counted = (
            own.groupby(["method", "part"])["seconds"].agg(["size", "sum"]).join(pilot.rename("rate"), how="inner")
        )
        hours, took = (counted["size"] * counted["rate"]).sum() / 3600, counted["sum"].sum() / 3600
        lines.append({"study": study, "model": model, "protocol": protocol, "texts": own["item"].nunique(),
                      "forecast_hours": hours, "measured_hours": took, "ratio": hours / took})  # fmt: skip
    return pd.DataFrame(lines)


def totals(studies: pd.DataFrame) -> pd.DataFrame:
    """Sums for each paper; a study that two pages ask for counts once, and what is not measured is counted apart."""
    own = studies.drop_duplicates([name for name in studies if name not in ("page", "measured_on")])
    own = own.assign(paper=own["page"].str.partition("/")[0], not_measured=own["hours"].isna())
    sums = ["units", "forwards", "backwards", "hours", "disk_mb", "not_measured"]
    return own.groupby("paper")[sums].sum().reset_index()


def kept_shares() -> pd.DataFrame:
    """The share of each data set's items that models answer, over all that were asked."""
    found = []
    for path in sorted(results_folder().glob("[!s]*/predictions/*/*.jsonl")):
        if path.stem in DATASETS:
            told = pd.read_json(path, lines=True, dtype=False)
            found.append({"dataset": path.stem, "correct": told["correct"].mean(),
                          "correct_both": (told["correct"] & told["correct_plain"]).mean()})  # fmt: skip
    return pd.DataFrame(found).groupby("dataset").mean() if found else pd.DataFrame()
