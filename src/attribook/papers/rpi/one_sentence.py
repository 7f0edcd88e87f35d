"""RPI's Table 1: one sentence, all maps that RPI draws for it, how far they differ, and which one each metric picks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribook.grid.pools import PoolStudy
from attribook.papers.rpi.tables import ERASURE, arrow
from attribook.statistics.bootstrap import Numbers
from attribook.statistics.picking import sign

MARKED = 3  # words that the paper's Table 1 marks


@dataclass(frozen=True)
class Sentence:
    """A sentence, its stored maps `(R, T)`, and by metric the value of each."""

    item: str
    tokens: Sequence[str]
    attributable: Sequence[bool]
    target: str
    probability: float
    maps: Numbers
    values: Mapping[str, Numbers]

    def picked(self, metric: str) -> int:
        """The map that a metric likes best; of equal ones the first."""
        return int((self.values[metric] * sign(metric)).argmax())

    def top(self, scores: Numbers, many: int = MARKED) -> list[int]:
        """Places of the highest scores, special tokens left out."""
        places = [place for place, counts in enumerate(self.attributable) if counts]
        return sorted(places, key=lambda place: -scores[place])[:many]


def read_sentence(study: PoolStudy, place: int) -> Sentence:
    """The sentence at a place of a study of one method; missing maps are computed."""
    tables = study.values()
    unit = list(study.units())[place]
    row = study.score_row(unit)
    attributable = study.explained.encode(unit.prompt.text).attributable.tolist()
    values = {metric: tables[unit.name, metric].loc[unit.prompt.id].to_numpy(float) for metric in study.metrics}
    return Sentence(
        unit.prompt.id, row["tokens"], attributable, row["target"], row["probability"], study.maps(unit), values
    )


def map_frame(sentence: Sentence) -> pd.DataFrame:
    """Scores of words and marks, a column for each map by its number from 1, special tokens left out."""
    frame = pd.DataFrame(sentence.maps.T, columns=[str(r + 1) for r in range(len(sentence.maps))])
    return frame[list(sentence.attributable)].reset_index(drop=True)


def words_of(sentence: Sentence) -> list[str]:
    """The tokens of `map_frame`."""
    return [token for token, counts in zip(sentence.tokens, sentence.attributable, strict=True) if counts]


def picked_texts(sentence: Sentence) -> dict[str, tuple[Sequence[str], list[int]]]:
    """For each metric the text and the top of the map that it picks, then of the mean; for `show.marked_texts`."""
    found = {arrow(m): (sentence.tokens, sentence.top(sentence.maps[sentence.picked(m)])) for m in sentence.values}
    return found | {"mean of the maps": (sentence.tokens, sentence.top(sentence.maps.mean(0)))}


def picked_notes(sentence: Sentence) -> dict[str, str]:
    """Which map each metric picks."""
    return {arrow(metric): f"map {sentence.picked(metric) + 1}" for metric in sentence.values}


def spread_table(sentence: Sentence) -> pd.DataFrame:
    """By metric: the map picked, its value, and mean, worst and standard deviation of the values of all maps."""
    found = []
    for metric, values in sentence.values.items():
        turned = values * sign(metric)
        found.append({"metric": arrow(metric), "picked": f"map {sentence.picked(metric) + 1}",
                      "its value": values[turned.argmax()], "mean of maps": values.mean(),
                      "worst": values[turned.argmin()], "deviation": values.std(ddof=1)})  # fmt: skip
    return pd.DataFrame(found)


def likeness(sentence: Sentence) -> tuple[float, float]:
    """Means over pairs of maps: Spearman's correlation over words, and the share of the top that both have."""
    ranks = map_frame(sentence).rank().corr().to_numpy()
    tops = [set(sentence.top(scores)) for scores in sentence.maps]
    above = np.triu_indices(len(tops), 1)
    shared = [len(tops[a] & tops[b]) / MARKED for a, b in zip(*above, strict=True)]
    return float(np.nanmean(ranks[above])), float(np.mean(shared))


def sentence_told(sentence: Sentence) -> str:
    """How alike the maps are, and how many different ones the metrics pick."""
    rank, shared = likeness(sentence)
    picks = {ERASURE[metric]: sentence.picked(metric) for metric in sentence.values}
    listed = ", ".join(f"{name} picks map {number + 1}" for name, number in picks.items())
    by_chance = MARKED / max(MARKED, sum(sentence.attributable))
    return (
        f"Two of the {len(sentence.maps)} maps have a rank correlation of {rank:+.2f} on average, and share "
        f"{shared:.0%} of their top {MARKED} words (two random rankings share {by_chance:.0%}). {listed}: "
        f"{len(set(picks.values()))} different maps for {len(picks)} metrics."
    )
