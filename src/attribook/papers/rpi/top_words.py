"""RPI's Tables 3 and 8: the three highest words of several methods, sentence by sentence, and how alike they are.

The paper shows examples and counts nothing. Here the same marks are counted over all texts: how many of the three two
methods share, beside what chance gives. Words are the classifier's tokens, which may be pieces of words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.papers.rpi.tables import ERASURE
from attribook.statistics.picking import mean_of, sign

MARKED = 3


@dataclass(frozen=True)
class Marks:
    """One text with the places of the highest tokens by each method, and how many tokens could be among them.

    Special tokens have no text.
    """

    item: str
    text: str
    tokens: Sequence[str]
    target: str
    probability: float
    tops: Mapping[str, Sequence[int]]
    countable: int

    def texts(self, names: Iterable[str]) -> dict[str, tuple[Sequence[str], Sequence[int]]]:
        """The text with the marks of some methods, for `show.marked_texts`."""
        return {name: (self.tokens, self.tops[name]) for name in names}

    def words(self, name: str) -> list[str]:
        """The marked tokens, the highest first."""
        return [self.tokens[place].strip() for place in self.tops[name]]


def marks_of(
    singles: Mapping[str, Study], pools: Mapping[str, PoolStudy], metrics: Sequence[str], size: int
) -> list[Marks]:
    """Marks of every text of the first pool, by single methods, and by the pools' first `size` maps.

    singles: studies of one method, by the name to show. A pool gives `name, picked by M` for each metric, the mean of
    its maps and its first map. Raises: AttribookError where a method lacks a text.
    """
    scores = {name: {row["item"]: row["scores"] for row in study.scores()} for name, study in singles.items()}
    values = {name: study.values() for name, study in pools.items()}
    found = []
    first = next(iter(pools.values()))
    for number, unit in enumerate(first.units()):
        encoding = first.explained.encode(unit.prompt.text)
        item, places = unit.prompt.id, encoding.attributable.nonzero()[:, 0].tolist()
        if lacking := [name for name, known in scores.items() if item not in known]:
            raise AttribookError(f"There are no scores of {', '.join(lacking)} for {item}: ask for fewer texts.")
        tops = {name: highest(known[item], places) for name, known in scores.items()}
        for name, study in pools.items():
            own = list(study.units())[number]
            maps = study.maps(own)[:size]
            for metric in metrics:
                told = values[name][own.name, metric].loc[item].to_numpy(float)[:size] * sign(metric)
                tops[f"{name}, picked by {ERASURE[metric]}"] = highest(maps[told.argmax()], places)
            tops[f"{name}, mean of maps"] = highest(maps.mean(0), places)
            tops[f"{name}, first map"] = highest(maps[0], places)
        tokens = [token if place in places else "" for place, token in enumerate(encoding.tokens)]
        told_text = (item, unit.prompt.text, tokens, encoding.target_text, encoding.probability)
        found.append(Marks(*told_text, tops, len(places)))
    return found


def highest(scores: Sequence[float], places: Sequence[int], many: int = MARKED) -> list[int]:
    """Places of the highest scores, the highest first; of equal ones the first in the order of reading."""
    return sorted(places, key=lambda place: -scores[place])[:many]


def shared(marks: Sequence[Marks], one: str, other: str) -> pd.Series:
    """How many of the marked tokens two methods share, by item."""
    return pd.Series({each.item: float(len(set(each.tops[one]) & set(each.tops[other]))) for each in marks})


def chance_shared(marks: Sequence[Marks]) -> pd.Series:
    """The same for a method and a random ranking, on average: k^2 / n, k of n tokens marked."""
    return pd.Series({each.item: min(MARKED, each.countable) ** 2 / each.countable for each in marks})


def sharing_table(marks: Sequence[Marks], of: str, names: Iterable[str]) -> pd.DataFrame:
    """How many of three tokens one method shares with each of the others: with, shared, low, high, n; chance last."""
    found = []
    told = {name: shared(marks, of, name) for name in names if name != of} | {"(chance)": chance_shared(marks)}
    for name, values in told.items():
        ours = mean_of(values)
        found.append({"with": name, "shared": ours.value, "low": ours.low, "high": ours.high, "n": ours.n,
                      "none shared": float((values == 0).mean()), "all shared": float((values == MARKED).mean())}
                     if name != "(chance)" else
                     {"with": name, "shared": ours.value, "low": ours.low, "high": ours.high, "n": ours.n})  # fmt: skip
    return pd.DataFrame(found)


def sharing_told(marks: Sequence[Marks], name: str, metrics: Sequence[str], blind: str) -> str:
    """How many of three tokens the maps share that two metrics pick, for a method and for random rankings."""
    parts = []
    for pool in (name, blind):
        pairs = [
            shared(marks, f"{pool}, picked by {ERASURE[a]}", f"{pool}, picked by {ERASURE[b]}")
            for i, a in enumerate(metrics)
            for b in metrics[i + 1 :]
        ]
        told = mean_of(pd.concat(pairs, axis=1).mean(axis=1))
        parts.append(f"{told.value:.2f} ({told.low:.2f} to {told.high:.2f}) in {pool}")
    chance = chance_shared(marks).mean()
    return (
        f"**Of their {MARKED} highest tokens, two maps that two metrics pick share {' and '.join(parts)}; two rankings "
        f"by chance share {chance:.2f}.** n = {len(marks)} texts, {len(metrics)} metrics."
    )
