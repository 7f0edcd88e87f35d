"""Prompts before a judge: which words of stored scores it sees, what it answers, and whether that is right.

Rows lie beside those of other studies, under a name of their own; the scores are read from the study `source`. Each
answer has its key: of the scores, the judge's name with the hash of its weights, the selection, its share, the seed and
the version. Of a prompt, a method's `top` and `bottom` words are asked for; the controls that no method decides
(`random` words, the `first` ones, `none`) belong to the name `random`, whose seeds are draws of words.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from attribook.data.prompts import matches
from attribook.errors import AttribookError
from attribook.grid.frames import tidy_answers
from attribook.grid.seeds import digest, generator
from attribook.grid.settings import read_setting
from attribook.grid.store import Row, Store
from attribook.grid.study import Study, Unit, significant
from attribook.metrics.answerability import SELECTIONS, answered, minimum_share
from attribook.metrics.judge_server import ServerJudge
from attribook.metrics.judges import JudgeAnswer, local_judge
from attribook.models.encoding import Encoding
from attribook.models.names import known_fingerprint
from attribook.models.registry import DEFAULT_MODEL

VERSION = 1  # of what is asked and compared; raised when answers change
MINIMUM = "minimum"  # words are taken away until the judge fails; `value` is the share that was left
CONTROL = "random"
LONGEST = 2  # words of an answer that are kept; gold answers have one
JUDGED_COLUMNS = (
    "item", "method", "options_hash", "method_version", "seed", "judge", "selection", "kept", "wanted", "answer",
    "candidates", "correct", "among", "value", "status", "asked", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class JudgeStudy(Study):
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metrics or self.continuation or not self.source or any(":" in name for name in self.methods):
            raise AttribookError("A judged study names a source of scores, and no metric, continuation or variant.")
        if unknown := set(self.selections) - {*SELECTIONS, MINIMUM}:
            raise AttribookError(f"Unknown selections {', '.join(sorted(unknown))}. Known: {', '.join(SELECTIONS)}.")

    def units(self) -> Iterator[Unit]:
        """Each prompt with each method once; with `random`, as many draws of words as are asked for."""
        for prompt in self.items:
            for name in self.methods:
                for seed in range(self.draws if name == CONTROL else 1):
                    yield Unit(prompt, 0, name, self.seed + seed)

    def parts(self, unit: Unit) -> list[str]:
        """What is asked of a unit."""
        if unit.name != CONTROL:
            return list(self.selections)
        return ["random", "first", "none"] if unit.seed == self.seed else ["random"]

    def run(self) -> None:
        """Ask for what is missing, append it answer by answer, and bring the manifest up to date."""
        units = list(self.units())
        if not units:
            raise AttribookError(f"Nothing can be judged. {self.n_kept()} Choose another keep, data set or model.")
        if all(self._done(unit) for unit in units) and self._told():
            return
        if self._given_methods:
            self._giver.run()
            self._given.read()
        encoded: dict[str, Encoding] = {}
        with self._rows.writing():
            missing = [unit for unit in units if not self._done(unit)]
            for unit in tqdm(missing, desc=f"{self.name} · {self.judge}", unit="unit", mininterval=1, disable=None):
                if unit.prompt.id not in encoded:
                    encoded = {unit.prompt.id: self._encode(unit.prompt, 0)}
                for part in self.parts(unit):
                    key = self._answer_key(unit, part)
                    if key not in self._rows:
                        self._rows.append(key, [self._answer_row(encoded[unit.prompt.id], unit, part)])
            self._write_manifest()

    def rows(self) -> pd.DataFrame:
        """Answers of every unit, asked for where they are missing, with the columns that the study fixes."""
        self.run()
        keys = [(unit, self._answer_key(unit, part)) for unit in self.units() for part in self.parts(unit)]
        frame = pd.DataFrame([{**row, "method": unit.name} for unit, key in keys for row in self._rows[key]])
        numbers = ["seed", "correct", "among", "value", "asked", "seconds", "method_version"]
        frame[numbers] = frame[numbers].apply(pd.to_numeric)
        return frame.assign(study=self.name, protocol=self.protocol, model=self.model, dataset=self.dataset)

    def frame(self) -> pd.DataFrame:
        """The metrics of answerability as a tidy frame (frames.py), asked for where they are missing."""
        rows = self.rows()
        return tidy_answers(rows[rows["selection"] != MINIMUM], profile=self.profile)

    def scores(self) -> list[Row]:
        """The stored score vectors of every method that were judged."""
        return self._giver.scores()

    def stored(self, unit: Unit) -> dict[str, list[Row]]:
        """As `Study.stored`: of each answer whether it is right, whether a candidate is, and its value."""
        keys = {part: self._answer_key(unit, part) for part in self.parts(unit)}
        return {part: row_each(self._rows[key][0]) for part, key in keys.items() if key in self._rows}

    def recomputed(self, unit: Unit, parts: Sequence[str]) -> dict[str, list[Row]]:
        """The same, asked anew of the stored scores."""
        encoding = self._encode(unit.prompt, unit.step)
        return {part: row_each(self._answer_row(encoding, unit, part)) for part in parts}

    @cached_property
    def asked(self) -> "Remembering":
        """The judge; the same words are asked once."""
        if self.asking == "server":
            return Remembering(ServerJudge.from_environment(self.judge))
        return Remembering(local_judge(self.judge, asking=self.asking, max_words=LONGEST))

    @cached_property
    def judge_name(self) -> str:
        """The judge in a row's key: with its weights' hash where it is a model of this process."""
        if self.asking == "server":
            return f"{self.judge}, server"
        return f"{self.judge}@{known_fingerprint(self.judge) or self.asked.judge.model.fingerprint}, {self.asking}"

    @property
    def _given_methods(self) -> tuple[str, ...]:
        return tuple(name for name in self.methods if name != CONTROL)

    @cached_property
    def _giver(self) -> Study:
        """The study that has the scores."""
        given = Study(
            self.source, self.profile, self.model, self.dataset, self.protocol, self._given_methods,
            n_items=self.n_items, seed=self.seed, random_seeds=1, keep=self.keep,
        )  # fmt: skip
        given.__dict__["fingerprint"] = self.fingerprint
        return given

    @cached_property
    def _given(self) -> Store:
        return self._giver._scores

    @cached_property
    def _rows(self) -> Store:
        return Store(self.folder / "rows.csv", JUDGED_COLUMNS)

    def _answer_key(self, unit: Unit, part: str) -> str:
        chosen = [self.fingerprint, unit.place] if unit.name == CONTROL else [self._score_key(unit)]
        share = [] if part == MINIMUM else [self.share, self.candidates]
        return digest("judged", VERSION, *chosen, self.judge_name, part, *share, unit.seed)

    def _done(self, unit: Unit) -> bool:
        return all(self._answer_key(unit, part) in self._rows for part in self.parts(unit))

    def _selecting(self, encoding: Encoding, unit: Unit) -> Tensor:
        """The stored scores `(T,)`; for what no method decides, ones."""
        if unit.name == CONTROL:
            return torch.ones(len(encoding), dtype=torch.float64)
        return torch.tensor(self._given[self._score_key(unit)][0]["scores"], dtype=torch.float64)

    def _answer_row(self, encoding: Encoding, unit: Unit, part: str) -> Row:
        scores, start = self._selecting(encoding, unit), time.perf_counter()
        gold = unit.prompt.gold
        wanted = gold if gold and matches(gold, encoding.target_text) else encoding.target_text
        row = {
            "item": unit.prompt.id,
            "method": unit.name,
            "options_hash": digest(self._options(unit.name), length=8),
            "method_version": read_setting(unit.name)[0].version,
            "seed": unit.seed,
            "judge": self.judge_name,
            "selection": part,
            "wanted": one_line(wanted),
            "answer": "", "candidates": "", "correct": "", "among": "",
        }  # fmt: skip
        found: Row
        if part == MINIMUM:
            least = minimum_share(self.asked, encoding, scores, wanted=wanted)
            found = {"kept": least.kept, "value": least.share, "status": least.status, "asked": least.asked}
        else:
            chance = generator("words", unit.place, unit.seed)
            told = answered(self.asked, encoding, scores, wanted=wanted, share=self.share, which=part,
                            candidates=self.candidates, generator=chance)  # fmt: skip
            row |= {"answer": one_line(told.answer), "candidates": one_line(" | ".join(told.candidates))}
            row |= {"correct": int(told.correct), "among": "" if told.among is None else int(told.among)}
            found = {"kept": told.kept, "value": told.mass, "status": told.status, "asked": int(told.status == "ok")}
        value = significant(found["value"]) if found["status"] == "ok" else ""
        spent = round(time.perf_counter() - start, 3)
        return row | found | {"kept": one_line(" ".join(found["kept"])), "value": value, "seconds": spent}


class Remembering:
    """A judge that is asked the same words once."""

    def __init__(self, judge: Any) -> None:
        self.judge, self.name = judge, judge.name
        self._answers: dict[tuple[tuple[str, ...], int], JudgeAnswer] = {}

    def ask(self, words: Sequence[str], candidates: int = 1) -> JudgeAnswer:
        """See `Judge`. An answer that failed is not remembered."""
        key = tuple(words), candidates
        if key in self._answers:
            return self._answers[key]
        found = self.judge.ask(words, candidates)
        if found.status == "ok":
            self._answers[key] = found
        return found


def one_line(text: str) -> str:
    """Text without anything that could end a line of a file."""
    return " ".join(text.split())


def row_each(row: Row) -> list[Row]:
    """A row for each number of an answer."""
    return [{**row, "value": row[name]} for name in ("correct", "among", "value")]
