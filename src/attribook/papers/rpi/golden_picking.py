"""Picking without a model: what the best of R rankings is worth where every masked sentence's probability is known.

NAOPC's authors released the probability of six classifiers for every subset of masked words of short sentences, and the
scores of ten methods. So every value here is exact but for the drawing of rankings. A pool is `DRAWN` rankings: random
ones, or a method's scores and copies with noise of their deviation. Values are averaged over the classifiers that are
right about a sentence, and sentences are what is resampled: six verdicts on one sentence are not six sentences. Both
averages over numbers of words masked are normalised: 0 is the worst order of all, 1 the best, and for sufficiency the
other way round.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from attribook.data.masked_words import MaskedSentence, load_masked_words, masked_words_folder
from attribook.errors import AttribookError
from attribook.grid.keys import digest
from attribook.grid.store import Row, Store
from attribook.metrics.normalised_aopc import extreme_aopc
from attribook.paths import results_folder
from attribook.statistics.bootstrap import Numbers
from attribook.statistics.picking import Pool, lead, mean_of, sign

Orders = NDArray[np.int64]
VERSION = 1
DRAWN = 96
SIZES = (1, 2, 4, 8, 16, 24, 32)
TRIES = 24
METRICS = ("aopc_comprehensiveness", "aopc_sufficiency", "log_odds")
OTHER = {"aopc_comprehensiveness": "aopc_sufficiency", "aopc_sufficiency": "aopc_comprehensiveness"}
METHODS = ("decompx", "attingrad", "attention", "gradient_x_input", "deeplift", "integrated_gradient", "lime",
           "kernelshap", "occlusion_1")  # fmt: skip
SERIES = (*(f"random@{size}" for size in SIZES), *(f"{name}@{r}" for name in METHODS for r in (1, TRIES)))
CROSSED = (f"random@{TRIES} by other", *(f"{name}@{TRIES} by other" for name in METHODS))
COLUMNS = ("item", "metric", "words", "classifiers", *SERIES, *CROSSED)


def golden_table() -> pd.DataFrame:
    """A row for each sentence and metric: expected best of R of every pool; `by other`: the other NAOPC picks.

    From the stored table, else from the released files. Raises: AttribookError where neither is there.
    """
    store = Store(results_folder() / "original" / "rpi_golden" / "rows.csv", COLUMNS)
    key = digest("golden picking", VERSION)
    if key not in store:
        folder = masked_words_folder()
        if folder is None:
            raise AttribookError("There is no golden/naopc under $ATTRIBOOK_DATA, and no stored table made from it.")
        names = sorted(path.stem for path in folder.glob("*.npz"))
        with store.writing():
            store.append(key, averaged({name: load_masked_words(name) for name in names}))
    frame = pd.DataFrame(store[key])[list(COLUMNS)]
    numbers = list(COLUMNS[2:])
    frame[numbers] = frame[numbers].apply(pd.to_numeric)
    return frame


def averaged(files: Mapping[str, Iterable[MaskedSentence]]) -> list[Row]:
    """Rows of sentences that a classifier is right about, averaged over classifiers; files by `data__classifier`."""
    found = []
    for name, sentences in files.items():
        for one in sentences:
            if one.aligned and one.words > 1 and one.probability[0] > 0.5:
                found += pair_rows(one, f"{name.split('__')[0]}-{one.id}", name)
    frame = pd.DataFrame(found)
    groups = frame.groupby(["item", "metric"], sort=False)
    means = groups.mean().assign(classifiers=groups.size()).reset_index()
    return [{name: written(row.get(name)) for name in COLUMNS} for row in means.to_dict("records")]


def written(value: object) -> str:
    """A cell: five digits; empty where no sentence has a value."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.5g}"
    return "" if value is None else str(value)


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
    told = {name: judged_orders(one, falling_orders(maps), limits) for name, maps in pools.items()}
    rows = []
    for metric in METRICS:
        row: Row = {"item": item, "metric": metric, "words": one.words}
        for pool, values in told.items():
            held = Pool({m: pd.DataFrame(v[None]) for m, v in values.items()}, {}, own=pool != "random")
            for size in SIZES if pool == "random" else (1, TRIES):
                row[f"{pool}@{size}"] = float(held.picked(metric, size).iloc[0])
            if metric in OTHER:
                row[f"{pool}@{TRIES} by other"] = float(held.picked(metric, TRIES, OTHER[metric]).iloc[0])
        rows.append(row)
    return rows


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


# -- what the table says ---------------------------------------------------------------------------------------


def golden_pools(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One map and the expected best of `TRIES` for every pool, best single map first.

    `lead`: the best of a pool against the best random ranking, above 0 the pool is better, paired over sentences.
    `by the other`: the value of the map that the other normalised metric picks.
    """
    rows = frame[frame["metric"] == metric].set_index("item")
    lucky, found = rows[f"random@{TRIES}"], []
    for pool in ("random", *METHODS):
        over = lead(rows[f"{pool}@{TRIES}"].dropna(), lucky, metric)
        crossed = rows[f"{pool}@{TRIES} by other"].mean() if metric in OTHER else float("nan")
        found.append({"pool": pool, "one map": rows[f"{pool}@1"].mean(),
                      f"best of {TRIES}": rows[f"{pool}@{TRIES}"].mean(), "by the other": crossed,
                      "lead": over.value, "lead low": over.low, "lead high": over.high,
                      "n": over.n, "detectable": over.detectable})  # fmt: skip
    return pd.DataFrame(found).sort_values("one map", ascending=sign(metric) < 0, ignore_index=True)


def golden_headline(frame: pd.DataFrame, metric: str) -> str:
    """The best of `TRIES` random rankings against single maps of methods, in a sentence."""
    rows = frame[frame["metric"] == metric].set_index("item")
    leads = {name: lead(rows[f"random@{TRIES}"], rows[f"{name}@1"].dropna(), metric) for name in METHODS}
    groups = {
        "better than one map of": [name for name, told in leads.items() if told.low > 0],
        "worse than one map of": [name for name, told in leads.items() if told.high < 0],
        "not told from one map of": [name for name, told in leads.items() if told.low <= 0 <= told.high],
    }
    closest = min(leads, key=lambda name: leads[name].value)
    told = leads[closest]
    parts = [f"{side} {len(names)} of {len(leads)} methods" for side, names in groups.items() if names]
    return (
        f"**{metric}**: the best of {TRIES} random rankings is {', '.join(parts)}; against {closest}, the best, "
        f"by {told.value:+.3f} ({told.low:+.3f} to {told.high:+.3f}, n = {told.n})."
    )


def golden_curves(frame: pd.DataFrame, metric: str, methods: int = 3) -> pd.DataFrame:
    """Expected best of R random rankings by R, and the best single maps as level lines: name, steps (R), value, ..."""
    rows = frame[frame["metric"] == metric]
    single = golden_pools(frame, metric).query("pool != 'random'")["pool"][:methods]
    series = [("best of R random rankings", [f"random@{size}" for size in SIZES])]
    series += [(f"one map of {name}", [f"{name}@1"] * len(SIZES)) for name in single]
    found = []
    for name, columns in series:
        for size, column in zip(SIZES, columns, strict=True):
            told = mean_of(rows[column].dropna())
            found.append({"name": name, "steps": size, "value": told.value, "low": told.low, "high": told.high})
    return pd.DataFrame(found)
