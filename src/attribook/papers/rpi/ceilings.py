"""How far any ranking could go: the best set of k tokens under a metric, searched for with no map at all.

A beam follows the sets of each size that the metric likes best, up to the k tokens that the metric takes; where there
are few sets, all are run. No explanation is involved: this is what a search on the reported number reaches, the ceiling
of picking. A beam may miss the best set, so the true ceiling can only be farther off.
"""

from collections.abc import Mapping
from itertools import combinations
from math import comb
from typing import Any

import pandas as pd
import torch

from attribook.grid.keys import digest
from attribook.grid.store import Row, Store
from attribook.grid.study import Study
from attribook.metrics.erasure import Rule, log_probabilities
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.papers.rpi.tables import ERASURE
from attribook.statistics.picking import Interval, Pool, lead, mean_of, ratio_of, share_told, sign

VERSION = 1
WIDTH = 5  # sets of each size that are followed
FEW = 500  # up to so many sets of k tokens all are run
SEARCHED = ("sufficiency", "comprehensiveness", "log_odds")
COLUMNS = ("item", "metric", "tokens", "k", "sets", "exact", "value")
Sets = list[tuple[int, ...]]


def ceiling_rows(study: Study, width: int = WIDTH) -> pd.DataFrame:
    """A row for each item of a study and metric that it has of `SEARCHED`; what is missing is computed and stored."""
    store = Store(study.folder / "ceilings.csv", COLUMNS)
    wanted = [name for name in study.metrics if name in SEARCHED]
    options = [study.metric_options(name) for name in wanted]
    keys = {p.id: digest("ceiling", VERSION, width, study.fingerprint, p.fingerprint, wanted, options)
            for p in study.items}  # fmt: skip
    todo = {keys[prompt.id]: prompt for prompt in study.items}
    for key, prompt in store.missing(todo, f"{study.name}: ceilings"):
        encoding = study.explained.encode(prompt.text)
        found = [
            ceiling(study.explained, encoding, name, given, width) for name, given in zip(wanted, options, strict=True)
        ]
        store.append(key, [{"item": prompt.id, **row} for row in found])
    frame = pd.DataFrame([row for key in keys.values() for row in store[key]])[list(COLUMNS)]
    numbers = ["tokens", "k", "sets", "exact", "value"]
    frame[numbers] = frame[numbers].apply(pd.to_numeric)
    return frame


def ceiling(model: Explained, encoding: Encoding, metric: str, options: Mapping[str, Any], width: int) -> Row:
    """The best value of one metric over sets of k tokens, or of all sets that a beam has met.

    Formula: max or min over sets S of k tokens of the metric with S in the place of the k highest scores.
    """
    rule = Rule(**{name: options[name] for name in ("operator", "rounding", "least", "specials", "explained")})
    counted = encoding.movable(rule.specials).nonzero()[:, 0].tolist()
    n, k = len(counted), rule.count(len(counted), options["share"])
    answer = encoding.target if rule.explained == "target" else int(encoding.logits.argmax())

    def told(sets: Sets) -> list[float]:
        keep = torch.ones(len(sets), len(encoding), dtype=torch.bool)
        for row, chosen in enumerate(sets):
            others = set(range(n)) - set(chosen) if metric == "sufficiency" else chosen
            keep[row, [counted[i] for i in others]] = False
        after = log_probabilities(model, encoding, keep, rule.operator, answer)
        before = encoding.logits.log_softmax(-1)[answer]
        return (after - before if metric == "log_odds" else before.exp() - after.exp()).tolist()

    exact = comb(n, k) <= FEW
    best, asked = searched(told, n, k, sign(metric), None if exact else width)
    return {"metric": metric, "tokens": n, "k": k, "sets": asked, "exact": int(exact), "value": f"{best:.6g}"}


def searched(told: Any, n: int, k: int, way: int, width: int | None) -> tuple[float, int]:
    """The best value of a set of k of n tokens (`way` 1: the largest) and how many sets were asked; no width: all."""
    if width is None:
        sets = list(combinations(range(n), k))
        return max(told(sets), key=lambda value: way * value), len(sets)
    followed: Sets = [()]
    asked, values = 0, told(followed)
    for _ in range(k):
        wider = {tuple(sorted((*chosen, more))) for chosen in followed for more in range(n) if more not in chosen}
        sets = sorted(wider)
        values, asked = told(sets), asked + len(sets)
        order = sorted(range(len(sets)), key=lambda i: -way * values[i])[:width]
        followed, values = [sets[i] for i in order], [values[i] for i in order]
    return values[0], asked


def ceiling_table(rows: pd.DataFrame, pools: Mapping[str, Pool], blind: str, size: int) -> pd.DataFrame:
    """How far from one random ranking to the ceiling each pool's best goes, for each metric searched.

    `share`: of the way from one random ranking to the ceiling what the best of `size` maps goes, with its interval;
    `left`: how much better the ceiling still is.
    """
    found = []
    for metric, group in rows.groupby("metric", sort=False):
        name = str(metric)
        top, one = group.set_index("item")["value"], pools[blind].one(name)
        for pool_name, pool in pools.items():
            for kind, values in (("one map", pool.one(name)), (f"best of {size}", pool.picked(name, size))):
                parts = pd.concat([values, one, top], axis=1, join="inner", keys=["value", "one", "top"])
                share = ratio_of(parts["value"] - parts["one"], parts["top"] - parts["one"])
                left = lead(parts["top"], parts["value"], name)
                found.append({"metric": name, "pool": pool_name, "picked": kind, "value": mean_of(parts["value"]).value,
                              "ceiling": parts["top"].mean(), "share": share.value, "share low": share.low,
                              "share high": share.high, "left": left.value, "left low": left.low,
                              "left high": left.high, "n": left.n})  # fmt: skip
    return pd.DataFrame(found)


# -- two operators ---------------------------------------------------------------------------------------------


def operator_shares(pool: Pool, other: Pool, metric: str, size: int) -> Interval:
    """Picked with one operator, told with the other, both ways: the share of the gain by picking that is left.

    Formula: sum over ways of (P - 1) / sum over ways of (B - 1): 1 one map, B the best of `size` by the operator that
        tells, P the map that the other operator picks by the same metric; the ways are resampled together.
    """
    items = pool.values[metric].index.intersection(other.values[metric].index)
    many = min(pool.size, other.size)  # the first maps of a larger pool are a smaller one's
    tables = [each.values[metric].loc[items].iloc[:, :many] for each in (pool, other)]
    gains, kept = [], []
    for told, by in (tables, tables[::-1]):
        both = Pool({metric: told, "by": by * sign(metric)}, {}, own=pool.own)
        gains.append(both.picked(metric, size) - both.one(metric))
        kept.append(both.picked(metric, size, "by") - both.one(metric))
    return ratio_of(sum_over(kept), sum_over(gains))


def sum_over(parts: list[pd.Series]) -> pd.Series:
    """Sum of series over the items that all have."""
    return pd.concat(parts, axis=1, join="inner").sum(axis=1)


def operator_table(pools: Mapping[str, tuple[Pool, Pool]], metrics: tuple[str, ...], size: int) -> pd.DataFrame:
    """`operator_shares` of each pool and metric: pool, metric, kept, low, high, n."""
    found = []
    for name, (pool, other) in pools.items():
        for metric in metrics:
            told = operator_shares(pool, other, metric, size)
            found.append({"pool": name, "metric": metric, "kept": told.value, "low": told.low, "high": told.high,
                          "n": told.n})  # fmt: skip
    return pd.DataFrame(found)


def ceilings_told(frame: pd.DataFrame, rows: pd.DataFrame) -> str:
    """How far the best of many goes towards the ceiling, metric by metric, in a sentence each."""
    lines = []
    for metric, group in frame.groupby("metric", sort=False):
        best = group[group["picked"] != "one map"].set_index("pool")
        parts = [f"{name} {share_told(row['share'], row['share low'], row['share high'])}"
                 for name, row in best.iterrows()]  # fmt: skip
        sets = rows.loc[rows["metric"] == metric, "sets"].mean()
        lines.append(
            f"- **{ERASURE[str(metric)]}**: of the way from one random ranking to the ceiling, the "
            f"{best['picked'].iloc[0]} goes: {', '.join(parts)}; the search asked {sets:.0f} sets a text, "
            f"n = {int(best['n'].min())}."
        )
    return "\n".join(lines)


def operators_told(frame: pd.DataFrame, name: str, blind: str) -> str:
    """Whether a pool keeps more of its gain under the other operator than random rankings do, by metric."""
    lines = []
    for metric, group in frame.groupby("metric", sort=False):
        own, other = (group.set_index("pool").loc[each] for each in (name, blind))
        lines.append(
            f"- **{ERASURE[str(metric)]}**: {name} keeps of its gain "
            f"{share_told(own['kept'], own['low'], own['high'])}, {blind} "
            f"{share_told(other['kept'], other['low'], other['high'])}, "
            f"n = {own['n']:.0f}."
        )
    return "\n".join(lines)
