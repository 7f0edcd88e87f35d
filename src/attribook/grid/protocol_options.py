"""What each option of a protocol does alone: the studies that measure it, and tables of their moves.

Tables are made of stored rows and compute none; where a profile has none they are empty.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.manifest import read_manifest
from attribook.grid.pools import told_study
from attribook.grid.protocols import PROTOCOLS, Protocol
from attribook.grid.study import Study
from attribook.paths import results_folder
from attribook.statistics.bootstrap import Reading, as_released, log_ratio_change, per_item
from attribook.statistics.estimates import mean

NAME = "protocol_options"
SOFT = ("soft_nc", "soft_ns")
ERASED = ("sufficiency", "comprehensiveness", "log_odds", "aopc_sufficiency", "aopc_comprehensiveness")
# Settings of methods in which the protocols of ReAGent differ from ours, each held against the plain method, whose rows
# are those of the table on LongRA: the same prompts, the same masks.
BASE = "reagent_longra"
CHANGED = (
    "occlusion{operator=mask}",
    "input_x_gradient{reduction=l2}",
    "attention_last{scaling=softmax}",
    "attention_mean{scaling=softmax}",
    "attention_rollout{scaling=softmax}",
    "integrated_gradients{reduction=l2}",
    "integrated_gradients{baseline=mask}",
    "integrated_gradients{steps=50}",
)
SIGNED = ("occlusion", "input_x_gradient", "integrated_gradients")  # scores may lie below 0
# Options of RPI in which its released code differs from its text.
RPI_CHANGED = (
    "steps=31", "layers=-3", "points=both_ends", "timestep=500", "noise=variance", "noised=text", "factor=attention",
    "output=logit",
)  # fmt: skip
ERASURE_CHANGES = (
    "least=0", "divisor=bins_plus_one", "rounding=ceil", "operator=mask", "specials=perturb", "explained=target",
    "least=0,empty=zero",
)  # fmt: skip


def soft_studies(profile: str, model: str, dataset: str, n_items: int, keep: str = "correct_both") -> list[Study]:
    """Studies of the soft metrics: methods with one option changed, then the metrics' own options."""

    def study(protocol: str, methods: tuple[str, ...]) -> Study:
        return Study(NAME, profile, model, dataset, protocol, methods, SOFT, n_items=n_items, keep=keep)

    return [study("attribook", CHANGED), study("attribook+scores_as=abs_sum", SIGNED)]


def erasure_studies(profile: str, model: str, dataset: str, n_items: int) -> list[Study]:
    """Studies of the metrics that erase tokens: the metrics' options."""
    methods = ("occlusion", "integrated_gradients")
    return [
        Study(NAME, profile, model, dataset, protocol, methods, ERASED, n_items=n_items, keep="all")
        for protocol in ("rpi-paper", *(f"rpi-paper+{change}" for change in ERASURE_CHANGES))
    ]


def rpi_study(profile: str, model: str, dataset: str, n_items: int, trials: int = 2) -> Study:
    """RPI with one of the released options at a time."""
    names = [f"rpi{{trials={trials}}}", *(f"rpi{{trials={trials},{change}}}" for change in RPI_CHANGED)]
    return Study(NAME, profile, model, dataset, "rpi-paper", tuple(names), ERASED, n_items=n_items, keep="all")


# -- what is stored ------------------------------------------------------------------------------------------------


def stored(profile: str, study: str) -> dict[tuple[str, str], pd.DataFrame]:
    """All rows of a study by model and protocol; those of several runs together. Runs of scores alone have none."""
    found = {}
    for path in sorted((results_folder() / profile / study).glob("*/*/manifest.json")):
        told = [told_study(run["study"]) for run in read_manifest(path)["runs"]]
        if judged := [each.rows() for each in told if each.metrics]:
            found[told[0].model, told[0].protocol] = pd.concat(judged).drop_duplicates(["key", "draw"])
    return found


def options_table(which: str) -> pd.DataFrame:
    """Every named option of the `soft` or the `erasure` metrics, a row each, and what every protocol has for it."""
    columns = {name: options_of(protocol, which) for name, protocol in PROTOCOLS.items()}
    columns = {name: options for name, options in columns.items() if options}
    names = dict.fromkeys(option for options in columns.values() for option in options)
    return pd.DataFrame([{"option": n} | {name: o.get(n, "–") for name, o in columns.items()} for n in names])


def options_of(protocol: Protocol, which: str) -> dict[str, str]:
    """Options by name; where metrics of one protocol have different values, the rarer one names its metric."""
    if which == "soft":
        return {name: str(value) for name, value in protocol.metric.items()} | {"random": protocol.baseline["form"]}
    found: dict[str, dict[str, list[str]]] = {}
    for metric, options in protocol.metrics.items():
        for name, value in options.items():
            told = " ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)
            found.setdefault(name, {}).setdefault(told, []).append(metric)
    return {name: alike(values) for name, values in found.items()}


def alike(values: Mapping[str, list[str]]) -> str:
    """The value of most metrics, and in brackets what others have."""
    first, *others = sorted(values, key=lambda value: -len(values[value]))
    return first + "".join(f" ({', '.join(values[value])}: {value})" for value in others)


# -- how far a number moves ----------------------------------------------------------------------------------------


def soft_moves(profile: str) -> pd.DataFrame:
    """How far the log-ratios of methods move with each option of the soft metrics: model, option, method, moves, n."""
    lines = []
    changed = stored(profile, NAME)
    for (model, protocol), base in stored(profile, BASE).items() if changed else ():
        if protocol != "attribook" or "random" not in set(base["method"]):
            continue
        read = {"distance=hellinger_released": as_released(base), "draws=1": base[base["draw"] == 0]}
        for (one, name), rows in changed.items():
            if one == model and name.startswith("attribook+"):
                read[name.partition("+")[2]] = pd.concat([rows, base[base["method"] == "random"]])
        for option, rows in read.items():
            for method in SIGNED:
                if method in set(rows["method"]) & set(base["method"]):
                    before, after = Reading(base, method), Reading(rows, method)
                    lines.append({"model": model, "option": option, "method": method, **moved(before, after)})
    return pd.DataFrame(lines)


def method_moves(profile: str) -> pd.DataFrame:
    """How far the log-ratios of a method move with each of its options: model, method, option, moves, n."""
    lines = []
    base = stored(profile, BASE)
    for (model, protocol), rows in stored(profile, NAME).items():
        if protocol == "attribook" and (model, protocol) in base:
            every = pd.concat([rows, base[model, protocol]])
            for name in rows["method"].unique():
                method, option = name.rstrip("}").split("{")
                if not {method, "random"} <= set(base[model, protocol]["method"]):
                    continue  # not computed yet
                before, after = Reading(every, method), Reading(every, name)
                lines.append({"model": model, "method": method, "option": option, **moved(before, after)})
    return pd.DataFrame(lines)


def moved(before: Reading, after: Reading) -> dict[str, Any]:
    """Moves of both log-ratios in nats, with intervals and the smallest true move that would be found."""
    line: dict[str, Any] = {}
    for metric, title in zip(SOFT, ("Soft-NC", "Soft-NS"), strict=True):
        try:
            found = log_ratio_change(before, after, metric)
        except AttribookError:  # a baseline of 0, as with few prompts of a tiny model
            line |= {title: "no ratio", f"{title} detectable": float("nan")}
            continue
        line[title] = f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
        line |= {f"{title} detectable": found.detectable, "n": found.n}
    return line


def erasure_moves(profile: str) -> pd.DataFrame:
    """How far the means of the erasure metrics move with each of their options: option, method, moves, n."""
    kept = stored(profile, NAME)
    lines: list[dict[str, Any]] = []
    for (model, protocol), rows in kept.items():
        known, _, option = protocol.partition("+")
        other = "+".join([known, *option.split(",")[:-1]]) if option else ""  # all but the last change
        if option and (model, other) in kept and set(ERASED) <= set(rows["metric"]):  # not those of soft metrics
            base = kept[model, other]
            for method in sorted(set(rows["method"]) & set(base["method"]), key=list(rows["method"]).index):
                moves = dict(mean_moves(base, method, rows, method))
                lines.append({"model": model, "option": option.replace(",", ", "), "method": method, **moves})
    return pd.DataFrame(lines)


def rpi_moves(profile: str) -> pd.DataFrame:
    """How far the means of the erasure metrics move with each option of RPI: option, moves, n."""
    lines: list[dict[str, Any]] = []
    for (model, protocol), rows in stored(profile, NAME).items():
        names = [name for name in rows["method"].unique() if name.startswith("rpi{")]
        if protocol == "rpi-paper" and names:
            plain = min(names, key=len)
            for name in names:
                if name != plain:
                    option = name.rstrip("}").partition(",")[2]
                    lines.append({"model": model, "option": option, **dict(mean_moves(rows, plain, rows, name))})
    return pd.DataFrame(lines)


def mean_moves(base: pd.DataFrame, plain: str, rows: pd.DataFrame, name: str) -> Iterator[tuple[str, Any]]:
    """For each erasure metric the mean over prompts of what changed, with its interval, and n."""
    for metric in ERASED:
        before, after = per_item(base, plain, metric)[0], per_item(rows, name, metric)[0]
        told = mean((after - before).dropna())
        yield metric, f"{told.value:+.3f} ({told.low:+.3f} to {told.high:+.3f})"
    yield "n", told.n
