"""What every worker has: the model, and the texts that it explains. Here the grid computes, with torch."""

import os
import platform
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import torch

from attribook.data.datasets import DATASETS
from attribook.data.prompts import Prompt, matches
from attribook.errors import AttribookError
from attribook.grid.items import Unit
from attribook.grid.keys import digest
from attribook.grid.store import Row
from attribook.models.causal import CausalLM
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.load import load_model
from attribook.models.names import known_fingerprint

if TYPE_CHECKING:
    from attribook.grid.rows import Rows

LOADED: WeakValueDictionary[tuple[str, str | None], Explained] = WeakValueDictionary()  # as long as a study has them


def loaded(name: str) -> Explained:
    """The model of that name: the one that another study holds, if its weights are the same."""
    key = name, known_fingerprint(name)
    model = LOADED.get(key) or load_model(name)
    LOADED[key] = model
    return model


def machine_class() -> str:
    """The kind of machine, not its name."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} cores"
    return f"{platform.machine()}, {device}, {sys.platform}"


def significant(value: float) -> float:
    """Nine significant digits: more than float32 carries, and a short row."""
    return float(f"{value:.9g}")


class Work:
    """The part of a worker that all kinds of studies share. A kind adds `computed`."""

    def __init__(self, rows: "Rows[Any]") -> None:
        """`rows`: those of the study, which are read for what was computed before."""
        self.rows = rows
        self._encoding: tuple[tuple[str, int], Encoding] | None = None  # of the text in hand

    @cached_property
    def model(self) -> Explained:
        """The explained model."""
        return loaded(self.rows.study.model)

    def fingerprint(self, model: str) -> str:
        """What identifies weights that have to be read for it."""
        return (self.model if model == self.rows.study.model else loaded(model)).fingerprint

    def machine(self) -> str:
        """The kind of machine, not its name."""
        return machine_class()

    def prepare(self) -> None:
        """Nothing is needed before the first row."""

    # -- texts -------------------------------------------------------------------------------------------------------

    def encoding(self, prompt: Prompt, step: int) -> Encoding:
        """A text that is explained; kept until another one is asked for."""
        place = prompt.fingerprint, step
        if self._encoding is None or self._encoding[0] != place:
            encoding = self.model.encode(prompt.text, spans=prompt.spans)
            if step:
                encoding = self._writer().extended(encoding, self.rows.items.continuations[prompt.id][:step])
            self._encoding = place, encoding
        return self._encoding[1]

    def tokens(self, prompt: Prompt, step: int) -> list[str]:
        """The tokens of a text that is explained."""
        return self.encoding(prompt, step).tokens

    def stored_tokens(self, encoding: Encoding) -> list[str]:
        """Tokens as rows hold them: none of a text that is not part of this project."""
        return [] if DATASETS[self.rows.study.dataset].elsewhere else encoding.tokens

    def prediction(self, prompt: Prompt) -> Row:
        """What the model predicts on an item, as it stands and without its distractor."""
        whole = self.model.encode(prompt.text)
        plain = self.model.encode(prompt.plain) if prompt.plain else whole
        return {
            "item": prompt.id, "predicted": whole.target_text, "predicted_plain": plain.target_text,
            "probability": round(whole.probability, 6), "correct": matches(prompt.answer, whole.target_text),
            "correct_plain": matches(prompt.answer, plain.target_text),
        }  # fmt: skip

    def continued(self, prompt: Prompt, tokens: int) -> Row:
        """What the model goes on with after an item, greedily."""
        model = self._writer()
        encoding = model.encode(prompt.text)
        ids = model.generated(encoding, tokens)
        whole = model.extended(encoding, ids)
        return {"item": prompt.id, "ids": ids, "tokens": whole.tokens[len(encoding) :]}

    def _writer(self) -> CausalLM:
        if not isinstance(self.model, CausalLM):
            raise AttribookError(f"{self.model.name} writes no text, so nothing that follows can be explained.")
        return self.model

    # -- rows --------------------------------------------------------------------------------------------------------

    def computed(self, unit: Unit, part: str) -> list[Row]:
        """What is to be stored of a part of a unit."""
        raise NotImplementedError

    def recomputed(self, unit: Unit, part: str) -> list[Row]:
        """The same, to be compared with what is stored."""
        return self.rows.study.numbers(part, self.computed(unit, part))

    def named(self, unit: Unit) -> Row:
        """What a row says of its unit's method and options."""
        return {
            "item": unit.prompt.id, "method": unit.name,
            "options_hash": digest(unit.setting.facts.keyed(self.rows.study.options(unit.setting)), length=8),
            "method_version": unit.setting.facts.version, "seed": unit.seed,
        }  # fmt: skip
