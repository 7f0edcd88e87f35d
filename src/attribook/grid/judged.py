"""Prompts before a judge: which words of stored scores it sees, what it answers, and whether that is right.

Rows lie beside those of other studies, under a name of their own; the scores are read from the study `source`. Each
answer has its key: of the scores, the judge's name with the hash of its weights, the selection, its share, the seed and
the version. Of a prompt, a method's `top` and `bottom` words are asked for; the controls that no method decides
(`random` words, the `first` ones, `none`) belong to the name `random`, whose seeds are draws of words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.frames import tidy_answers
from attribook.grid.items import Items, Unit
from attribook.grid.keys import digest
from attribook.grid.store import Row
from attribook.grid.study import Definition, Study, Weights, score_key
from attribook.metrics.names import SELECTIONS
from attribook.metrics.questions import server_class
from attribook.models.registry import DEFAULT_MODEL

VERSION = 1  # of what is asked and compared; raised when answers change
MINIMUM = "minimum"  # words are taken away until the judge fails; `value` is the share that was left
CONTROL = "random"
SERVER = "server"
JUDGED_COLUMNS = (
    "item", "method", "options_hash", "method_version", "seed", "judge", "selection", "kept", "wanted", "answer",
    "candidates", "correct", "among", "value", "status", "asked", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class JudgeStudy(Definition):
    """A study whose rows are a judge's answers to words that stored scores select.

    `asking`: `plain` or `chat` for a model of this process, `server` for the one behind $OPENAI_BASE_URL. `candidates`:
    how many of the judge's most probable answers count for the top-5 variant. `draws`: of random words.
    """

    source: str = ""
    judge: str = DEFAULT_MODEL
    asking: str = "plain"
    selections: tuple[str, ...] = ("top", "bottom")
    share: float = 0.5
    candidates: int = 5
    draws: int = 3

    columns: ClassVar[tuple[str, ...]] = JUDGED_COLUMNS
    worker: ClassVar[str] = "attribook.grid.judging:Judging"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metrics or self.continuation or not self.source or any(each.variant for each in self.settings):
            raise AttribookError("A judged study names a source of scores, and no metric, continuation or variant.")
        if unknown := set(self.selections) - {*SELECTIONS, MINIMUM}:
            raise AttribookError(f"Unknown selections {', '.join(sorted(unknown))}. Known: {', '.join(SELECTIONS)}.")

    @property
    def label(self) -> str:
        """For progress bars."""
        return f"{self.name} · {self.judge}"

    @cached_property
    def scored(self) -> Study | None:
        """The study that has the scores; None where nothing but words that no method decides is asked for."""
        methods = tuple(name for name in self.methods if name != CONTROL)
        if not methods:
            return None
        return Study(
            self.source, self.profile, self.model, self.dataset, self.protocol, methods,
            n_items=self.n_items, seed=self.seed, random_seeds=1, keep=self.keep,
        )  # fmt: skip

    def judge_name(self, weights: Weights) -> str:
        """The judge in a row's key: with its weights' hash, or with the server that has a model of that name."""
        own = server_class() if self.asking == SERVER else weights(self.judge)
        return f"{self.judge}@{own}, {self.asking}"

    def units_of(self, items: Items) -> Iterator[Unit]:
        """Each prompt with each method once; with `random`, as many draws of words as are asked for."""
        for prompt in items.chosen:
            for setting in self.settings:
                for seed in range(self.draws if str(setting) == CONTROL else 1):
                    yield Unit(prompt, 0, setting, self.seed + seed)

    def parts(self, unit: Unit) -> list[str]:
        """What is asked of a unit."""
        if unit.name != CONTROL:
            return list(self.selections)
        return ["random", "first", "none"] if unit.seed == self.seed else ["random"]

    def key(self, weights: Weights, unit: Unit, part: str) -> str:
        """The key of an answer."""
        own = weights(self.model)
        chosen = [own, unit.place] if unit.name == CONTROL else [score_key(own, unit, self.options(unit.setting))]
        share = [] if part == MINIMUM else [self.share, self.candidates]
        return digest("judged", VERSION, *chosen, self.judge_name(weights), part, *share, unit.seed)

    def numbers(self, part: str, rows: list[Row]) -> list[Row]:
        """Of an answer whether it is right, whether a candidate is, and its value."""
        return [{**rows[0], "value": rows[0][name]} for name in ("correct", "among", "value")]

    def rows(self) -> pd.DataFrame:
        """Answers of every unit, asked for where they are missing, with the columns that the study fixes."""
        numbers = ["seed", "correct", "among", "value", "asked", "seconds", "method_version"]
        return self.table(numbers)

    def frame(self) -> pd.DataFrame:
        """The metrics of answerability as a tidy frame (frames.py), asked for where they are missing."""
        rows = self.rows()
        return tidy_answers(rows[rows["selection"] != MINIMUM], profile=self.profile)

    def scores(self) -> list[Row]:
        """The stored score vectors of every method that were judged."""
        return self.scored.scores() if self.scored else []
