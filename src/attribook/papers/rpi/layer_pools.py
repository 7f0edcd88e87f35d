"""RPI's Table 7: maps of single layers, and pools of several layers' maps beside as many maps of one layer.

A pool over several layers holds more maps than a pool of one, so its best is better whatever the layers are worth.
Here every pool stands beside the best of as many maps of one layer, and of as many random rankings.
"""

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from attribook.papers.cells import published
from attribook.papers.rpi.tables import BETTER, WORSE, side, sides
from attribook.statistics.picking import Interval, Pool, joined, lead, mean_of

SINGLE, TOP_DOWN, BOTTOM_UP = "Individual Layers", "Top-down Aggregation", "Bottom-up Aggregation"
PRINTED_LAYERS = 12  # of the paper's BERT


def layer_name(below: int) -> str:
    """The paper's name of the layer so many below the last."""
    return f"L-{below}" if below else "L"


def layer_pools(layers: Sequence[Pool], size: int) -> dict[tuple[str, str], Pool]:
    """Pools of `size` maps a layer, by kind and the layer's name; `layers` begins with the last one.

    Top-down, a name stands for the last layer down to this one; bottom-up, for the first layer up to this one.
    """
    names = [layer_name(below) for below in range(len(layers))]
    found = {(SINGLE, name): joined([layer], size) for name, layer in zip(names, layers, strict=True)}
    found |= {(TOP_DOWN, names[i]): joined(layers[: i + 1], size) for i in range(1, len(layers))}
    return found | {(BOTTOM_UP, names[i]): joined(layers[i:], size) for i in range(len(layers) - 1)}


def printed_layer(kind: str, count: int, layers: int) -> str:
    """The printed row for a pool of `count` of our layers: as many of the paper's, or all of them for all of ours."""
    many = PRINTED_LAYERS if count == layers else count
    return layer_name(many - 1 if kind == TOP_DOWN else PRINTED_LAYERS - many)


def layer_table(layers: Sequence[Pool], one: Pool, blind: Pool, metric: str, size: int) -> pd.DataFrame:
    """Best values of all pools: kind, layers, maps, published, ours, low, high, n, and of as many maps otherwise.

    `random`: the best of as many random rankings of `blind`. `lead`: how much better the pool is than the best of as
    many maps of the pool `one`, `one layer`, with its interval and the smallest lead that would be found; both over
    the `lead n` items that `one` has as well. NaN where there are fewer maps.
    """
    cells = published("rpi").query("table == 7 and metric == @metric")
    known = cells.set_index(["column", "row"])["value"].astype(float).to_dict()
    found = []
    for (kind, name), pool in layer_pools(layers, size).items():
        best = pool.picked(metric, pool.size)
        ours = mean_of(best)
        row = name if kind == SINGLE else printed_layer(kind, pool.size // size, len(layers))
        told: dict[str, object] = {"kind": kind, "layers": name, "maps": pool.size}
        told |= {"published": known.get((kind, row), float("nan"))}
        told |= {"ours": ours.value, "low": ours.low, "high": ours.high, "n": ours.n}
        told |= {"random": at_equal_tries(blind, best, metric, pool.size).mean()}
        equal = at_equal_tries(one, best, metric, pool.size)
        told |= {"one layer": equal.mean()}
        if len(equal):
            over = lead(best, equal, metric)
            told |= {"lead": over.value, "lead low": over.low, "lead high": over.high, "detectable": over.detectable}
            told |= {"lead n": over.n}
        found.append(told)
    return pd.DataFrame(found)


def at_equal_tries(pool: Pool, best: pd.Series, metric: str, size: int) -> pd.Series:
    """The best of `size` maps of a pool at the items of `best`; empty where it has fewer maps."""
    if size > pool.size:
        return pd.Series(dtype=float)
    found = pool.picked(metric, size)
    return found[found.index.intersection(best.index)]


def direction_table(layers: Sequence[Pool], metric: str, size: int) -> pd.DataFrame:
    """From the top against from the bottom at equal numbers of layers: layers, lead of the top, interval, n."""
    return pd.DataFrame(
        {"layers": count, "lead": over.value, "low": over.low, "high": over.high, "n": over.n,
         "detectable": over.detectable}
        for count, over in directions(layers, metric, size).items()
    )  # fmt: skip


def directions(layers: Sequence[Pool], metric: str, size: int) -> dict[int, Interval]:
    """By the number of layers: how much better the pool from the top is than that from the bottom."""
    pools, found = layer_pools(layers, size), {}
    for count in range(1, len(layers)):
        top = pools[SINGLE if count == 1 else TOP_DOWN, layer_name(count - 1)]
        low = pools[SINGLE if count == 1 else BOTTOM_UP, layer_name(len(layers) - count)]
        found[count] = lead(top.picked(metric, top.size), low.picked(metric, low.size), metric)
    return found


def layers_told(layers: Sequence[Pool], one: Pool, blind: Pool, metrics: Sequence[str], size: int) -> str:
    """All layers against as many maps of one layer and random rankings; deep against shallow; top against bottom."""
    whole = joined(layers, size)
    best = {metric: whole.picked(metric, whole.size) for metric in metrics}
    lines = []
    for name, other in (("maps of the last layer", one), ("random rankings", blind)):
        if other.size >= whole.size:
            over = {m: lead(best[m], at_equal_tries(other, best[m], m, whole.size), m) for m in metrics}
            first = f"the best of {size} maps of each of {len(layers)} layers"
            lines.append(f"{sides(over, first, f'the best of {whole.size} {name}')} n = {over[metrics[0]].n}.")
    neighbours = [
        lead(above.picked(m, size), below.picked(m, size), m) for above, below in pairwise(layers) for m in metrics
    ]
    lines.append(
        f"A layer against the one below it, all metrics: {counted(neighbours, 'the deeper one')}, "
        "each by its own interval; the ledger adjusts them for their number."
    )
    ends = [over for m in metrics for count, over in directions(layers, m, size).items() if count > 1]
    lines.append(f"Pools from the top against pools from the bottom, all metrics: {counted(ends, 'the top')}.")
    return "\n".join(f"- {line}" for line in lines)


def counted(leads: Sequence[Interval], first: str) -> str:
    """How many leads are above 0 at the 5% level, below it, or neither."""
    told = [side(one) for one in leads]
    better, worse = told.count(BETTER), told.count(WORSE)
    undecided = len(leads) - better - worse
    return f"of {len(leads)} comparisons {first} is better in {better}, worse in {worse}, not told in {undecided}"
