"""Where RPI's released code departs from its paper: each switched alone, from the paper's reading towards the code's.

Five departures change the maps, and each has a pool of its own, from the same noise. Two change only how maps are
judged: the divisor of the averages over shares is exact arithmetic, and whether k may be 0 is judged on the same
maps under the protocol `rpi-code`.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from attribook.attribution.registry import find_method
from attribook.grid.settings import setting
from attribook.metrics.erasure import SHARES
from attribook.papers.rpi.protocols import RELEASED
from attribook.statistics.picking import Pool, lead, mean_of

WRITTEN, ALL = "as written", "all as released"
SIZES = ("trials", "steps")  # options that are the same for all
CHANGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    WRITTEN: ("the paper's reading", ()),
    "factor a": ("the factor outside the sum is the attention a, not a - b", ("factor",)),
    "t = T": ("the time step is always the last, not drawn", ("timestep",)),
    "noise without root": ("noise is scaled by 1 - abar_t, not by its root", ("noise",)),
    "logit": ("the gradient of the raw logit, not of the probability", ("output",)),
    "layer L-2": ("the third layer from last, not the last", ("layers",)),
    ALL: ("all of these and both ends of the path", tuple(name for name in RELEASED if name not in SIZES)),
}  # fmt: skip
DIVISOR, LEAST = "divisor 6", "k may be 0"
JUDGING = {
    DIVISOR: "sums over five shares are divided by 6",
    LEAST: "of a short text no token goes, and sufficiency is then 0; not at least one",
    "judged as released": "both",
    "everything as released": f"{ALL}, and judged as released",
}
AVERAGES = ("aopc_sufficiency", "aopc_comprehensiveness")
Told = Mapping[str, pd.Series]  # setting -> value of every item


def departed(name: str, *, steps: int, layer: str = RELEASED["layers"]) -> str:
    """The setting of one change; every option is named, so that it is the same under every protocol.

    `layer` stands for the released code's, for networks that are not so deep.
    """
    written, released = find_method("rpi").defaults, {**RELEASED, "layers": layer}
    changed = CHANGES[name][1]
    options = {key: (released if key in changed else written)[key] for key in RELEASED if key not in SIZES}
    return setting("rpi", **options, steps=steps + (options["points"] == "both_ends"))


def departures_of(pools: Mapping[str, Pool], as_code: Mapping[str, Pool], metric: str, size: int) -> dict[str, Told]:
    """Values of every item for each reading, in two forms: the best of `size` maps, and one map on average.

    `pools`: judged as written, by change; `as_code`: judged as released, of which `WRITTEN` and `ALL` are asked.
    """
    scale = len(SHARES) / (len(SHARES) + 1) if metric in AVERAGES else 1.0
    found: dict[str, Told] = {}
    for form in (f"best of {size}", "one map"):
        told = {name: read(pool, metric, size, form) for name, pool in pools.items()}
        code = {name: read(pool, metric, size, form) for name, pool in as_code.items()}
        if metric in AVERAGES:
            told[DIVISOR] = told[WRITTEN] * scale
        told[LEAST] = code[WRITTEN] / scale
        if metric in AVERAGES:
            told["judged as released"] = code[WRITTEN]
        told["everything as released"] = code[ALL]
        found[form] = told
    return found


def read(pool: Pool, metric: str, size: int, form: str) -> pd.Series:
    """One form of a pool's values."""
    return pool.one(metric) if form == "one map" else pool.picked(metric, size)


def departure_table(told: Told, metric: str) -> pd.DataFrame:
    """Each reading's mean, and how far it is from the paper's reading, paired over items, with interval and n.

    `moved`: above 0 the number is better than the paper's reading of it, whichever way the metric runs.
    """
    found = []
    for name, values in told.items():
        ours, moved = mean_of(values), lead(values, told[WRITTEN], metric)
        one: dict[str, Any] = {"change": name, "value": ours.value, "low": ours.low, "high": ours.high, "n": moved.n}
        if name != WRITTEN:
            one |= {"moved": moved.value, "moved low": moved.low, "moved high": moved.high,
                    "detectable": moved.detectable}  # fmt: skip
        found.append(one)
    return pd.DataFrame(found)


def departures_listed() -> pd.DataFrame:
    """What each change is, as a table."""
    about = {name: what for name, (what, _) in CHANGES.items()} | JUDGING
    return pd.DataFrame([{"change": name, "what": what} for name, what in about.items()])


def moves_told(frames: Mapping[str, pd.DataFrame], form: str, names: Mapping[str, str]) -> str:
    """Which change moves each metric the most, and which move it at the 5% level; the joint ones are left out."""
    lines = []
    for metric, frame in frames.items():
        alone = frame[frame["change"].isin([*CHANGES, DIVISOR, LEAST]) & ~frame["change"].isin([WRITTEN, ALL])]
        row = alone.iloc[int(alone["moved"].abs().argmax())]
        clear = alone["change"][(alone["moved low"] > 0) | (alone["moved high"] < 0)]
        lines.append(
            f"- **{names[metric]}**, {form}: the largest move of a single change is {row['moved']:+.3f} "
            f"({row['moved low']:+.3f} to {row['moved high']:+.3f}) by *{row['change']}*, n = {row['n']:.0f}; told "
            f"from 0 at the 5% level: {', '.join(clear) or 'none'}."
        )
    return "\n".join(lines)
