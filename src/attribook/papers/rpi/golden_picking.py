"""Picking without a model: what the best of R rankings is worth where every masked sentence's probability is known.

NAOPC's authors released the probability of six classifiers for every subset of masked words of short sentences, and the
scores of ten methods. So every value here is exact but for the drawing of rankings. A pool is `DRAWN` rankings: random
ones, or a method's scores and copies with noise of their deviation. Values are averaged over the classifiers that are
right about a sentence, and sentences are what is drawn anew: six classifiers' values of one sentence are not six
sentences. Both averages over numbers of words masked are normalised: 0 is the worst order of all, 1 the best, and for
sufficiency the other way round.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from attribook.data.masked_words import MaskedSentence, load_masked_words, masked_words_folder
from attribook.errors import AttribookError
from attribook.grid.keys import digest
from attribook.grid.store import Row
from attribook.metrics.names import sign
from attribook.metrics.searches import extreme_aopc
from attribook.papers.released import ReleasedTable
from attribook.statistics.picking import expected_best
from attribook.statistics.resampling import Numbers

Orders = NDArray[np.int64]
VERSION = 1
DRAWN = 96
SIZES = (1, 2, 4, 8, 16, 24, 32)
TRIES = 24
UNIT = {
    "aopc_comprehensiveness": "normalised comprehensiveness (higher is better)",
    "aopc_sufficiency": "normalised sufficiency (lower is better)",
    "log_odds": "LO (nats, lower is better)",
}
OTHER = {"aopc_comprehensiveness": "aopc_sufficiency", "aopc_sufficiency": "aopc_comprehensiveness"}
METHODS = ("decompx", "attingrad", "attention", "gradient_x_input", "deeplift", "integrated_gradient", "lime",
           "kernelshap", "occlusion_1")  # fmt: skip
SERIES = (*(f"random@{size}" for size in SIZES), *(f"{name}@{r}" for name in METHODS for r in (1, TRIES)))
CROSSED = (f"random@{TRIES} by other", *(f"{name}@{TRIES} by other" for name in METHODS))
COLUMNS = ("item", "metric", "words", "classifiers", *SERIES, *CROSSED)
TIDY = ["item", "metric", "words", "classifiers", "method", "R", "pick", "value"]


def released_pools() -> pd.DataFrame:
    """The table, made of the released files."""
    folder = masked_words_folder()
    if folder is None:
        raise AttribookError("There is no golden/naopc under $ATTRIBOOK_DATA, and no stored table made from it.")
    return averaged({path.stem: load_masked_words(path.stem) for path in sorted(folder.glob("*.npz"))})


def tidied(table: pd.DataFrame) -> pd.DataFrame:
    """The stored table, whose columns are `method@R` and `method@R by other`, as a tidy frame with the columns `TIDY`.

    `pick` is "one map" for R = 1, else "best of R", or "best of R by the other" where the other normalised metric
    picks. What a method has no scores of is left out.
    """
    frame = table.melt(["item", "metric", "words", "classifiers"], var_name="name")
    parts = frame["name"].str.extract(r"(?P<method>\w+)@(?P<R>\d+)(?P<by>.*)")
    picks = ("best of " + parts["R"] + parts["by"].str.replace("other", "the other")).mask(parts["R"] == "1", "one map")
    found = frame.assign(method=parts["method"], R=parts["R"].astype(int), pick=picks)
    return found.dropna(subset="value", ignore_index=True)[TIDY]


def averaged(files: Mapping[str, Iterable[MaskedSentence]]) -> pd.DataFrame:
    """Values of sentences that a classifier is right about, averaged over classifiers; files by `data__classifier`."""
    found = []
    for name, sentences in files.items():
        for one in sentences:
            if one.aligned and one.words > 1 and one.probability[0] > 0.5:
                found += pair_rows(one, f"{name.split('__')[0]}-{one.id}", name)
    frame = pd.DataFrame(found)
    groups = frame.groupby(["item", "metric"], sort=False)
    return groups.mean().assign(classifiers=groups.size()).reset_index().reindex(columns=COLUMNS).map(written)


def written(value: Any) -> str:
    """A cell: five digits; empty where no sentence has a value."""
    return "" if pd.isna(value) else f"{value:.5g}" if isinstance(value, float) else str(value)


def pair_rows(one: MaskedSentence, item: str, name: str) -> list[Row]:
    """Rows of one sentence under one classifier; none where all orders are equal."""
    limits = exact_limits(one)
    if limits[0] <= limits[1]:
        return []
    chance = np.random.default_rng(int(digest("golden", name, one.id), 16))
    pools = {"random": chance.random((DRAWN, one.words))}
    for method in METHODS:
        scores = one.scores[method]
        if not np.isnan(scores).any():
            noise = chance.standard_normal((DRAWN, one.words)) * scores.std(ddof=1)
            noise[0] = 0
            pools[method] = scores + noise
    judged = {name: judged_orders(one, falling_orders(maps), limits) for name, maps in pools.items()}
    rows = []
    for metric in UNIT:
        row: Row = {"item": item, "metric": metric, "words": one.words}
        for pool, values in judged.items():
            for size in SIZES if pool == "random" else (1, TRIES):
                row[f"{pool}@{size}"] = best_value(values, metric, metric, size, pool in METHODS)
            if metric in OTHER:
                row[f"{pool}@{TRIES} by other"] = best_value(values, metric, OTHER[metric], TRIES, pool in METHODS)
        rows.append(row)
    return rows


def best_value(values: Mapping[str, Numbers], metric: str, by: str, size: int, own: bool) -> float:
    """Expected value of the ranking that the metric `by` likes best of `size`; of one, what a drawn one gives."""
    return float(expected_best(values[by][None] * sign(by), values[metric][None], size, own)[0])


def falling_orders(maps: Numbers) -> Orders:
    """Words in falling order of their scores, from `(M, n)` to `(M, n)`; equal ones in the order of reading."""
    return np.argsort(-maps, axis=1, kind="stable")


def judged_orders(one: MaskedSentence, orders: Orders, limits: tuple[float, float]) -> dict[str, Numbers]:
    """Every order `(M, n)` under the three metrics, each `(M,)`.

    Formula: NAOPC as in the metric `naopc`, words masked; `log_odds` is ln p(x with k first words masked) - ln p(x), k
        a fifth of the words, rounded down, at least one.
    """
    upper, lower = limits
    drops = one.probability[0] - one.probability  # (2^n,)
    first = np.cumsum(1 << orders, axis=1)  # (M, n)
    last = np.cumsum(1 << orders[:, ::-1], axis=1)  # (M, n)
    k = max(1, one.words // 5)
    return {
        "aopc_comprehensiveness": (drops[first].mean(1) - lower) / (upper - lower),
        "aopc_sufficiency": (drops[last].mean(1) - lower) / (upper - lower),
        "log_odds": np.log(one.probability[first[:, k - 1]]) - np.log(one.probability[0]),
    }


def exact_limits(one: MaskedSentence) -> tuple[float, float]:
    """Largest and smallest AOPC over all orders: stored ones, or computed where the stored are known to be wrong."""
    if not one.upper_floored:
        return one.upper, one.lower
    drops = (one.probability[0] - one.probability).tolist()
    found = [extreme_aopc(lambda sets: [drops[each] for each in sets], one.words, way, None) for way in (1, -1)]
    return found[0], found[1]


GOLDEN = ReleasedTable(
    "rpi_golden", digest("golden picking", VERSION), COLUMNS, ["item", "metric"], released_pools, read=tidied
)
