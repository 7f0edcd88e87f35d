"""The studies of Noiser's part: which methods are asked on which prompts, under which protocol.

Knowns has rows of its own under the protocol as written. LongRA and WikiBio share the prompts and rows of ReAGent's
part, under ours, so that no row is computed twice; Noiser and what else was missing is added there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from attribook.grid.settings import without_options
from attribook.grid.store import Row
from attribook.grid.study import Study
from attribook.ledger.verdicts import direction_verdict
from attribook.papers.cells import published
from attribook.papers.reagent.tasks import CONTINUED
from attribook.statistics.agreement import agreement
from attribook.statistics.bootstrap import Estimate, combined_if_any, holm, log_ratio, per_item
from attribook.statistics.tests import FEWEST_PROMPTS, LEVEL

SOFT = ("soft_nc", "soft_ns")
TEN = (
    "noiser", "occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap", "deeplift",
    "sequential_integrated_gradients", "lime", "attention_last", "attention_rollout",
)  # fmt: skip
FEWER = "{vectors=3}"  # of noiser's noise vectors, where prompts are long


@dataclass(frozen=True)
class Task:
    """Where the rows of one of the paper's tasks lie, and how its prompts are kept and continued."""

    study: str
    protocol: str
    settings: dict[str, Any] = field(default_factory=dict)


TASKS = {
    "Knowns": Task("noiser_knowns", "noiser-paper", {"keep": "correct"}),
    "LongRA": Task("reagent_longra", "attribook", {"keep": "correct_both"}),
    "WikiBio": Task("reagent_wikibio", "attribook", dict(CONTINUED)),
}


def noiser_study(
    task: str,
    profile: str,
    model: str,
    dataset: str,
    methods: tuple[str, ...],
    *,
    n_items: int,
    seed: int = 0,
    random_seeds: int = 1,
    **settings: Any,
) -> Study:
    """Methods on one task by both soft metrics. `random_seeds`: seeds of each method that draws."""
    known = TASKS[task]
    return Study(
        known.study, profile, model, dataset, known.protocol, methods, SOFT, n_items=n_items, seed=seed,
        random_seeds=random_seeds, **known.settings | settings,
    )  # fmt: skip


def summed(rows: pd.DataFrame, method: str, baseline: str = "random") -> Estimate:
    """Noiser's faithfulness of a method, or how far it lies above another's.

    Formula: log(mean Soft-NS / mean Soft-NS of the baseline) + the same of Soft-NC; means over prompts, seeds and draws
        averaged before. Prompts without a value in one of the four are left out and counted in `failed`.
    Range:   nats, signed; NaN, with p 1, where a mean is 0, which has no logarithm, or two methods share no prompt.
    Source:  Noiser, appendix A and table 5.
    """
    found = {(name, metric): per_item(rows, name, metric) for name in (method, baseline) for metric in SOFT}
    failed = sum(max(found[name, metric][1] for metric in SOFT) for name in (method, baseline))
    parts = [(values, 1 if name == method else -1) for (name, _), (values, _) in found.items()]
    return combined_if_any([parts], log=True, failed=failed)


def sum_table(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """Tables 1 and 5 for one task: faithfulness and its halves for each method, beside the six printed models.

    `published` is the printed average over six models, `least` and `most` the extreme ones of these; a method stands
    beside its printed row whatever options it was given.
    """
    cells = published("noiser").query("table == 1 and dataset == @task")
    found = []
    for method in [name for name in rows["method"].unique() if name != "random"]:
        mine = cells[cells["method"] == without_options(method)]
        models = mine.loc[mine["column"] != "Average", "value"]
        average = mine.loc[mine["column"] == "Average", "value"]
        ours = summed(rows, method)
        value = float(average.iloc[0]) if len(average) else float("nan")
        halves = {metric: log_ratio(rows, method, metric).value for metric in SOFT}
        found.append({
            "method": method, "published": value, "least": models.min(), "most": models.max(), "ours": ours.value,
            "low": ours.low, "high": ours.high, **halves,
            "verdict": direction_verdict(value, ours) if len(average) else "not published",
            "n": ours.n, "failed": ours.failed, "detectable": ours.detectable,
        })  # fmt: skip
    return pd.DataFrame(found).sort_values("ours", ascending=False, ignore_index=True)


def sum_leader(rows: pd.DataFrame, methods: Sequence[str], leader: str | None = None) -> pd.DataFrame:
    """One method, or the one with the highest faithfulness, against each of the others; closest first.

    Over the prompts that both have; `p` is adjusted by Holm over the comparisons of this table.
    """
    values = {name: summed(rows, name).value for name in methods}
    known = [name for name in methods if not math.isnan(values[name])]
    first = leader or max(known, key=lambda name: values[name])
    others = sorted((name for name in known if name != first), key=lambda name: -values[name])
    found = [summed(rows, first, other) for other in others]
    return pd.DataFrame({
        "method": first, "other": others, "difference": [one.value for one in found],
        "low": [one.low for one in found], "high": [one.high for one in found],
        "p (Holm)": holm([one.p for one in found]), "n": [one.n for one in found],
        "detectable": [one.detectable for one in found],
    })  # fmt: skip


def leader_told(found: pd.DataFrame) -> str:
    """Such a comparison in a sentence; fewer than `FEWEST_PROMPTS` prompts decide nothing."""
    decided = (found["p (Holm)"] < LEVEL) & (found["n"] >= FEWEST_PROMPTS)
    ahead, behind = decided & (found["low"] > 0), decided & (found["high"] < 0)
    undecided = list(found.loc[~ahead & ~behind, "other"])
    told = f"`{found['method'].iloc[0]}` is ahead of {int(ahead.sum())} of {len(found)} others"
    told += f" and behind {int(behind.sum())}" if behind.any() else ""
    return told + (f"; not told from {', '.join(f'`{name}`' for name in undecided)}." if undecided else ".")


def bound_table(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Table 2: faithfulness of each bound, how far `min` lies above it, and how far seeds move it; best first.

    `names`: our setting for each printed row. `seeds`: the largest difference between two seeds' faithfulness, each
    against the same random scores; NaN with one seed.
    """
    printed = published("noiser").query("table == 2 and column == 'Average'").set_index("row")["value"]
    found = []
    for row, name in names.items():
        ours, below = summed(rows, name), summed(rows, names["min"], name)
        mine = rows[rows["method"] == name]
        others = rows[rows["method"] != name]
        each = [summed(pd.concat([others, one]), name).value for _, one in mine.groupby("seed")]
        found.append({
            "bound": row, "published": float(printed[row]), "ours": ours.value, "low": ours.low, "high": ours.high,
            "min ahead by": below.value if row != "min" else float("nan"), "ahead low": below.low,
            "ahead high": below.high, "seeds": max(each) - min(each) if len(each) > 1 else float("nan"),
            "n": ours.n, "failed": ours.failed, "detectable": ours.detectable,
        })  # fmt: skip
    frame = pd.DataFrame(found)
    frame.loc[frame["bound"] == "min", ["ahead low", "ahead high"]] = float("nan")
    return frame.sort_values("ours", ascending=False, ignore_index=True)


def bounds_told(found: pd.DataFrame) -> str:
    """Whether `min` wins, and by more than seeds move it; fewer than `FEWEST_PROMPTS` prompts decide nothing."""
    others = found[found["bound"] != "min"]
    enough = others["n"] >= FEWEST_PROMPTS
    ahead, behind = enough & (others["ahead low"] > 0), enough & (others["ahead high"] < 0)
    few = f"; {int((~enough).sum())} have too few prompts to decide" if (~enough).any() else ""
    return (
        f"Of {len(found)} bounds `{found['bound'].iloc[0]}` has the highest faithfulness. `min` is ahead of "
        f"{int(ahead.sum())} of {len(others)} others and behind {int(behind.sum())}, by intervals that exclude 0{few}. "
        f"Two seeds of one bound differ by up to {found['seeds'].max():.2f} nats; `min` lies "
        f"{others['min ahead by'].min():+.2f} from the best of the others."
    )


def search_table(rows: pd.DataFrame, scores: Sequence[Row], names: Mapping[str, str], default: str) -> pd.DataFrame:
    """What vectors and steps buy: faithfulness, likeness to the default's ranking, cost, how often flips turn back.

    Columns: `agreement`, Spearman's correlation with the default's scores of the same seed, mean over prompts and
    seeds; `scale`, the mean bound; `turned back`, the share of searches in which a token was seen to hold at a scale
    above one at which it flipped, which bisection takes to be impossible.
    """
    frame = pd.DataFrame(scores)
    ranks = agreement(scores)
    found = []
    for title, name in names.items():
        ours = summed(rows, name)
        details = pd.DataFrame(list(frame.loc[frame["method"] == name, "details"]))
        found.append({
            "search": title, "ours": ours.value, "low": ours.low, "high": ours.high,
            "agreement": ranks.loc[name, default], "scale": details["scale"].mean(),
            "turned back": (details["not_monotone"] > 0).mean(),
            "forwards": frame.loc[frame["method"] == name, "forwards"].mean(), "n": ours.n, "failed": ours.failed,
        })  # fmt: skip
    return pd.DataFrame(found)


def printed_counts() -> pd.DataFrame:
    """Table 7 as printed: prompts that each model answers rightly, a row for each data set."""
    cells = published("noiser").query("table == 7")
    wide = cells.pivot(index="dataset", columns="column", values="value")[list(dict.fromkeys(cells["column"]))]
    return wide.astype(int).rename_axis("data set").reset_index()
