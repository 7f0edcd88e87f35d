"""The worker of judged studies: a judge is asked with the words that stored scores select."""

import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from attribook.data.prompts import matches
from attribook.errors import AttribookError, Unanswered
from attribook.grid.items import Unit
from attribook.grid.judged import CONTROL, MINIMUM, SERVER, JudgeStudy
from attribook.grid.rows import SCORES, Rows
from attribook.grid.seeds import generator
from attribook.grid.store import Row
from attribook.grid.work import Work, loaded, significant
from attribook.metrics.answerability import answered, minimum_share
from attribook.metrics.judge_server import ServerJudge, may_pass
from attribook.metrics.judges import JudgeAnswer, LocalJudge

LONGEST = 2  # words of an answer that are kept; gold answers have one


class Judging(Work):
    """The scores that select words are computed before the first question."""

    rows: Rows[JudgeStudy]

    def prepare(self) -> None:
        """Compute the scores that are missing."""
        if self.scored:
            self.scored.run()

    @cached_property
    def scored(self) -> Rows[Any] | None:
        """The rows that hold the scores; None where no method's words are asked for."""
        study = self.rows.study
        return Rows(study.scored, self.rows.weights(study.model)) if study.scored else None

    @cached_property
    def judge(self) -> "Remembering":
        """The judge; the same words are asked once."""
        study = self.rows.study
        if study.asking == SERVER:
            return Remembering(ServerJudge.from_environment(study.judge))
        return Remembering(LocalJudge(loaded(study.judge), asking=study.asking, max_words=LONGEST))

    def selecting(self, unit: Unit) -> Tensor:
        """The stored scores `(T,)`; for what no method decides, ones."""
        if unit.name == CONTROL:
            return torch.ones(len(self.encoding(unit.prompt, 0)), dtype=torch.float64)
        if self.scored is None:
            raise AttribookError(f"{self.rows.study.name} judges no scores of {unit.name}.")
        return torch.tensor(self.scored.group(unit, SCORES)[0]["scores"], dtype=torch.float64)

    def computed(self, unit: Unit, part: str) -> list[Row]:
        """The row of one answer. Raises: Unanswered where the judge is out of order."""
        encoding, scores, start = self.encoding(unit.prompt, 0), self.selecting(unit), time.perf_counter()
        study, gold = self.rows.study, unit.prompt.gold
        wanted = gold if gold and matches(gold, encoding.target_text) else encoding.target_text
        row = self.named(unit) | {
            "judge": study.judge_name(self.rows.weights), "selection": part, "wanted": one_line(wanted),
            "answer": "", "candidates": "", "correct": "", "among": "",
        }  # fmt: skip
        found: Row
        if part == MINIMUM:
            least = minimum_share(self.judge, encoding, scores, wanted=wanted)
            found = {"kept": least.kept, "value": least.share, "status": least.status, "asked": least.asked}
        else:
            chance = generator("words", unit.place, unit.seed)
            answer = answered(self.judge, encoding, scores, wanted=wanted, share=study.share, which=part,
                              candidates=study.candidates, generator=chance)  # fmt: skip
            row |= {"answer": one_line(answer.answer), "candidates": one_line(" | ".join(answer.candidates))}
            row |= {"correct": int(answer.correct), "among": "" if answer.among is None else int(answer.among)}
            asked = int(answer.status == "ok")
            found = {"kept": answer.kept, "value": answer.mass, "status": answer.status, "asked": asked}
        if may_pass(found["status"]):
            raise Unanswered(f"The judge {study.judge} did not answer: {found['status']}.")
        value = significant(found["value"]) if found["status"] == "ok" else ""
        spent = round(time.perf_counter() - start, 3)
        return [row | found | {"kept": one_line(" ".join(found["kept"])), "value": value, "seconds": spent}]


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
