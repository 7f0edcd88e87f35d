"""Tables of RPI's part: published values beside ours, single maps and picked ones side by side."""

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from attribook.attribution.names import find_facts
from attribook.errors import AttribookError
from attribook.grid.protocols import PROTOCOLS
from attribook.grid.settings import setting, without_options
from attribook.grid.store import Row
from attribook.ledger.table_verdicts import verdict_counts
from attribook.metrics.names import LOWER_IS_BETTER
from attribook.papers.cells import published
from attribook.statistics.bootstrap import per_item
from attribook.statistics.picking import (
    Interval,
    Pool,
    lead,
    mean_of,
    ratio_of,
    share_by_picking,
    share_told,
    sign,
    transfer,
    tries_worth,
)
from attribook.statistics.tests import FEWEST_PROMPTS

ERASURE = {
    "sufficiency": "Suff",
    "comprehensiveness": "Comp",
    "log_odds": "LO",
    "aopc_sufficiency": "A-S",
    "aopc_comprehensiveness": "A-C",
}  # as the paper calls them
BETTER, WORSE, UNTOLD = "better than", "worse than", "not told from"
ENCODER_ROWS = {
    "sequential_integrated_gradients": "SIG", "alti": "ALTI", "decompx": "DCMP", "deeplift": "LIFT", "globenc": "GLOB",
    "gradient_shap": "SHAP", "input_x_gradient": "GXI", "integrated_gradients": "IG", "lime": "LIME",
}  # fmt: skip  # the nine methods of its Table 2 beside RPI
DECODER_ROWS = {
    "sequential_integrated_gradients": "SIG", "deeplift": "LIFT", "gradient_shap": "SHAP", "input_x_gradient": "GXI",
    "self_ranking": "LLM",
}  # fmt: skip  # the five methods of its Table 4 beside RPI
Values = Mapping[str, Mapping[str, pd.Series]]  # name -> metric -> value of every item


def encoder_methods(sig_steps: int) -> tuple[str, ...]:
    """The nine methods of Table 2 beside RPI, sequential integrated gradients with so many points on a path."""
    points = {"sequential_integrated_gradients": f"{{steps={sig_steps}}}"}
    return tuple(name + points.get(name, "") for name in ENCODER_ROWS)


def released_setting(method: str = "rpi", **changes: object) -> str:
    """A method with the options of RPI's released code that are not our defaults, and changes over them."""
    known = PROTOCOLS["rpi-code"].method_options(method)
    named = {name: value for name, value in known.items() if find_facts(method).options[name] != value}
    return setting(method, **{**named, **changes})


def arrow(metric: str) -> str:
    """The paper's name of a metric and which way is better."""
    return f"{ERASURE[metric]} {'↓' if metric in LOWER_IS_BETTER else '↑'}"


def item_values(rows: pd.DataFrame) -> dict[str, dict[str, pd.Series]]:
    """From rows of a study: for each method and metric every item's mean over seeds.

    Raises: AttribookError where a row failed: the erasure metrics fail only where nothing is left of a prompt.
    """
    if bad := sorted(set(rows.loc[rows["status"] != "ok", "item"])):
        raise AttribookError(f"Metrics have no value for {', '.join(bad[:3])}: leave these items out.")
    found: dict[str, dict[str, pd.Series]] = {}
    for method in rows["method"].unique():
        for metric in rows["metric"].unique():
            found.setdefault(method, {})[metric] = per_item(rows, method, metric)[0]
    return found


def pool_values(pool: Pool, size: int, name: str) -> dict[str, dict[str, pd.Series]]:
    """One map of a pool, the mean of the first `size` maps, and the best of them, named after it."""
    return {
        f"{name}, best of {size}": {metric: pool.picked(metric, size) for metric in pool.values},
        f"{name}, mean of {size}": {metric: table[size] for metric, table in pool.means.items()},
        f"{name}, one map": {metric: pool.one(metric) for metric in pool.values},
    }


def renamed(values: Values) -> dict[str, Mapping[str, pd.Series]]:
    """Methods by their plain names, without the options that a study gave them."""
    return {without_options(name): by_metric for name, by_metric in values.items()}


def printed(table: int, metric: str, rows: Mapping[str, str], **where: str) -> dict[str, float]:
    """Published values of a table by our names: `rows` from our name to the printed row."""
    cells = published("rpi").query("table == @table and metric == @metric")
    for column, value in where.items():
        cells = cells[cells[column] == value]
    known = dict(zip(cells["row"], cells["value"].astype(float), strict=True))
    return {name: known[row] for name, row in rows.items() if row in known}


def erasure_table(values: Values, metric: str, against: str, known: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Means of all names with intervals, best first, published columns beside them.

    `lead`: how much better `against` is than this one, over the items of both, with its 95% interval and the smallest
    lead that would be found; above 0 `against` is better.
    """
    found = []
    for name, by_metric in values.items():
        ours = mean_of(by_metric[metric])
        over = lead(values[against][metric], by_metric[metric], metric)
        one = {"method": name} | {title: column.get(name, float("nan")) for title, column in known.items()}
        one |= {"ours": ours.value, "low": ours.low, "high": ours.high, "n": ours.n}
        itself = name == against
        numbers = (over.value, over.low, over.high, over.detectable)
        one |= {
            column: float("nan") if itself else number
            for column, number in zip(("lead", "lead low", "lead high", "detectable"), numbers, strict=True)
        }
        found.append(one)
    frame = pd.DataFrame(found)
    return frame.sort_values("ours", ascending=sign(metric) < 0, ignore_index=True)


def leads_table(mine: Values, others: Values, metrics: Sequence[str]) -> pd.DataFrame:
    """For each thing and metric how many of the others it is better than at the 5% level, and worse than."""
    found = []
    for name, by_metric in mine.items():
        one = {"of": name}
        for metric in metrics:
            told = [side(lead(by_metric[metric], values[metric], metric)) for values in others.values()]
            one[ERASURE[metric]] = f"{told.count(BETTER)} / {told.count(WORSE)}"
        found.append(one)
    return pd.DataFrame(found)


def alike_told(pool: Pool, metrics: Sequence[str], size: int) -> str:
    """On what share of the texts all of the first `size` maps have one value, so that nothing is to be picked."""
    same = {metric: (pool.values[metric].iloc[:, :size].nunique(axis=1) == 1).mean() for metric in metrics}
    return ", ".join(f"{ERASURE[metric]} {share:.0%}" for metric, share in same.items())


def tries_table(blind: Pool, values: Values, metrics: Sequence[str]) -> pd.DataFrame:
    """How many random rankings each thing is worth, in words: name down, metrics across."""
    found = [
        {"method": name} | {metric: str(tries_worth(blind, by_metric[metric], metric)) for metric in metrics}
        for name, by_metric in values.items()
    ]
    return pd.DataFrame(found)


def verdicts_table(table: int, **where: str) -> pd.DataFrame:
    """What the ledger says to the cells of one of RPI's tables: verdicts down, metrics across, how many cells."""
    counts = verdict_counts("rpi", table, **where).rename(columns=ERASURE)
    return counts[["verdict", *(name for name in ERASURE.values() if name in counts)]]


def named_words_table(scores: Iterable[Row]) -> pd.DataFrame:
    """What a model's own list of words held: words a text of each kind, with 95% intervals, and how many texts had any.

    Read off the stored details of `self_ranking`; see the method for the kinds.
    """
    rows = [row["details"] for row in scores if row["method"].startswith("self_ranking")]
    found = []
    for kind in ("ranked", "hallucinated", "repeated", "unnamed"):
        values = pd.Series([row[kind] for row in rows], dtype=float)
        told = mean_of(values)
        found.append({"words": kind, "a text": told.value, "low": told.low, "high": told.high,
                      "texts with any": float((values > 0).mean()), "n": told.n})  # fmt: skip
    return pd.DataFrame(found)


def order_agreement(frame: pd.DataFrame, column: str) -> tuple[float, int]:
    """Spearman's correlation of our order with a published column over the methods that have both, and their number."""
    both = frame.dropna(subset=[column])
    return float(both["ours"].rank().corr(both[column].rank())), len(both)


def nested_table(
    pools: Mapping[str, Pool], metrics: Sequence[str], sizes: Sequence[int], *, expected: bool
) -> pd.DataFrame:
    """Best of R for each pool, metric and R over all its items: pool, R, metric, value, low, high, n.

    `expected`: without luck, over all subsets of R maps; else the first R maps, so that pools are nested.
    """
    found = []
    for name, pool in pools.items():
        for metric in metrics:
            for size in (size for size in sizes if size <= pool.size):
                best = pool.picked(metric, size) if expected else first_best(pool, metric, size)
                told = mean_of(best)
                found.append({"pool": name, "R": size, "metric": metric, "value": told.value, "low": told.low,
                              "high": told.high, "n": told.n})  # fmt: skip
    return pd.DataFrame(found)


def printed_by_size() -> pd.DataFrame:
    """The paper's Table 5 as `show.nested_listing` wants it: R, metric, value."""
    cells = published("rpi").query("table == 5")
    sizes = cells["row"].str.removeprefix("R=").astype(int)
    return cells.assign(R=sizes, value=cells["value"].astype(float))[["R", "metric", "value"]]


def gain_told(pool: Pool, blind: Pool, metrics: Sequence[str], sizes: Sequence[int]) -> str:
    """What more maps give: RPI's gain beside that of random rankings, the last step of it, and R = 1 alone."""
    last, before = sizes[-1], sizes[-2]
    shares, steps, ones = [], {}, {}
    for metric in metrics:
        gains = [each.picked(metric, last) - each.one(metric) for each in (blind, pool)]
        both = pd.concat(gains, axis=1, join="inner")
        share = ratio_of(both.iloc[:, 0], both.iloc[:, 1])
        shares.append(f"{ERASURE[metric]} {share_told(share.value, share.low, share.high)}")
        steps[metric] = lead(pool.picked(metric, last), pool.picked(metric, before), metric)
        ones[metric] = lead(pool.one(metric), blind.one(metric), metric)
    return (
        f"**From R = 1 to R = {last} random rankings gain, of what RPI gains: {', '.join(shares)}.** "
        f"{sides(steps, f'The best of {last} maps of RPI', f'the best of {before}')} "
        f"{sides(ones, 'With R = 1 RPI', 'one random ranking')} n = {next(iter(ones.values())).n}."
    )


def first_best(pool: Pool, metric: str, size: int) -> pd.Series:
    """Best value among the first maps of every item."""
    return (pool.values[metric].iloc[:, :size] * sign(metric)).max(axis=1) * sign(metric)


def path_or_picking(pool: Pool, blind: Pool, metrics: Sequence[str], size: int) -> pd.DataFrame:
    """For each metric what one map and the best of `size` maps give, for a pool and for random rankings.

    `by picking`: the share of the way from one random ranking to the pool's best that the best random ranking goes.
    `kept`: what of the gain by picking is left where another metric has picked, and of random rankings' gain.
    """
    found = []
    for metric in metrics:
        shares = {"by picking": share_by_picking(pool, blind, metric, size),
                  "kept": transfer(pool, metrics, metric, size),
                  "kept by random": transfer(blind, metrics, metric, size)}  # fmt: skip
        over = lead(pool.picked(metric, size), blind.picked(metric, size), metric)
        shared = pool.values[metric].index.intersection(blind.values[metric].index)
        one: dict[str, object] = {
            "metric": arrow(metric),
            "one random": blind.one(metric)[shared].mean(),
            "best random": blind.picked(metric, size)[shared].mean(),
            "one map": pool.one(metric)[shared].mean(),
            "mean of maps": pool.means[metric][size][shared].mean(),
            "best map": pool.picked(metric, size)[shared].mean(),
        }
        one |= shares
        one |= {"lead": over.value, "lead low": over.low, "lead high": over.high, "n": over.n,
                "detectable": over.detectable}  # fmt: skip
        found.append(one)
    return pd.DataFrame(found)


def headline(pool: Pool, blind: Pool, metrics: Sequence[str], size: int, name: str) -> str:
    """The audit in three sentences: how far picking alone goes, what the maps add, what is left without picking."""
    shares = {metric: share_by_picking(pool, blind, metric, size) for metric in metrics}
    over = {metric: lead(pool.picked(metric, size), blind.picked(metric, size), metric) for metric in metrics}
    single = {metric: lead(pool.one(metric), blind.one(metric), metric) for metric in metrics}
    known = {metric: one for metric, one in shares.items() if not math.isnan(one.value)}
    listed = ", ".join(f"{ERASURE[m]} {share_told(one.value, one.low, one.high)}" for m, one in known.items())
    way = (
        f"**Of the way from one random ranking to the best of {size} maps of {name}, the best of {size} random "
        f"rankings goes: {listed}.** "
    )
    missing = ", ".join(ERASURE[metric] for metric in shares if metric not in known)
    nowhere = f"**The best of {size} maps of {name} is not told from one random ranking on {missing}.** "
    return (
        f"{way if known else ''}{nowhere if missing else ''}"
        f"{sides(over, f'the best of {size} maps', f'the best of {size} random rankings')} "
        f"{sides(single, 'one map', 'one random ranking')} n = {next(iter(over.values())).n}."
    )


def side(told: Interval) -> str:
    """Better, worse, or not told, at the 5% level; fewer than `FEWEST_PROMPTS` texts decide nothing."""
    if told.n < FEWEST_PROMPTS or told.low <= 0 <= told.high:
        return UNTOLD
    return BETTER if told.low > 0 else WORSE


def sides(leads: Mapping[str, Interval], first: str, second: str) -> str:
    """On which metrics one thing is better than another, worse, or cannot be told from it at the 5% level."""
    groups: dict[str, list[str]] = {word: [] for word in (BETTER, WORSE, UNTOLD)}
    for metric, told in leads.items():
        groups[side(told)].append(f"{ERASURE[metric]} ({told.value:+.3f}, {told.low:+.3f} to {told.high:+.3f})")
    parts = [f"{word} {second} on {', '.join(told)}" for word, told in groups.items() if told]
    text = f"{first} is {'; '.join(parts)}."
    return text[0].upper() + text[1:]
