"""The items of a study: what the model predicts on them, which are kept, and what it goes on with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm import tqdm

from attribook.data.datasets import load_dataset
from attribook.data.prompts import Prompt
from attribook.errors import AttribookError
from attribook.grid.executors import executor
from attribook.grid.keys import digest
from attribook.grid.settings import Setting
from attribook.grid.store import Store
from attribook.paths import study_folder

if TYPE_CHECKING:
    from attribook.grid.study import Definition
    from attribook.grid.work import Work

# Which items a study explains. ReAGent asks for a right prediction with and without the distractor.
KEEP = {
    "correct_both": "predicted correctly with and without its distractor",
    "correct": "predicted correctly as it stands",
    "all": "whatever the model predicts",
}


@dataclass(frozen=True)
class Unit:
    """What is computed and stored at once."""

    prompt: Prompt
    step: int  # how many tokens of the continuation stand behind the prompt
    setting: Setting
    seed: int

    @property
    def name(self) -> str:
        """The setting as text, for files and eyes."""
        return str(self.setting)

    @property
    def place(self) -> str:
        """Identifies the text that is explained."""
        return f"{self.prompt.fingerprint}+{self.step}" if self.step else self.prompt.fingerprint


class Items:
    """The items of one study. Predictions and continuations are stored for all studies of a profile together."""

    def __init__(self, study: "Definition", weights: Callable[[], str], worker: Callable[[], "Work"]) -> None:
        """`weights` identifies the model's; `worker` is asked for what is not stored."""
        self.study, self.weights, self.worker = study, weights, worker

    def predicted(self, prompts: Sequence[Prompt]) -> pd.DataFrame:
        """For each prompt: predicted token, probability, and whether it is right; what is missing is stored."""
        store = self._store("")
        keys = [digest("prediction 1", self.weights(), prompt.fingerprint) for prompt in prompts]
        self._fill(store, dict(zip(keys, prompts, strict=True)), "prediction")
        return pd.DataFrame([{**store[key][0], "item": p.id} for key, p in zip(keys, prompts, strict=True)])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The same for every item of the data set."""
        return self.predicted(load_dataset(self.study.dataset))

    @property
    def kept(self) -> pd.Series:
        """For every item of the data set, whether the study may explain it."""
        correct, plain = self.predictions["correct"], self.predictions["correct_plain"]
        return {"correct_both": correct & plain, "correct": correct, "all": correct | True}[self.study.keep]

    @cached_property
    def chosen(self) -> list[Prompt]:
        """Items to explain, in the order of a hash of their names: a smaller study is a part of a larger one."""
        study, prompts = self.study, load_dataset(self.study.dataset)
        if study.keep != "all":
            kept = dict(zip(self.predictions["item"], self.kept, strict=True))
            prompts = [prompt for prompt in prompts if kept[prompt.id]]
        if not prompts:
            raise AttribookError(
                f"{study.model} predicts no item of {study.dataset} correctly, so there is nothing to explain. "
                "Choose another model or data set, or keep='all'."
            )
        prompts.sort(key=lambda prompt: digest("order", study.seed, prompt.id))
        return prompts[: study.n_items or None]

    def counted(self) -> str:
        """How many items of the data set were kept, as a sentence; and how many of them have too short a text."""
        study = self.study
        if study.keep == "all":
            whole = len(load_dataset(study.dataset))
            found = f"Of the {whole} items of {study.dataset}, whatever is predicted, {len(self.chosen)} are explained."
        else:
            found = (
                f"{int(self.kept.sum())} of the {len(self.kept)} items of {study.dataset} are {KEEP[study.keep]} by "
                f"{study.model}; {len(self.chosen)} of these are explained."
            )
        if not study.continuation or not (short := sum(not self.steps(prompt) for prompt in self.chosen)):
            return found
        return f"{found} {short} of them have no row: the model goes on with {study.start} tokens or fewer."

    @cached_property
    def continuations(self) -> dict[str, list[int]]:
        """The first `continuation` tokens that the model goes on with, greedily, after each item."""
        many = self.study.continuation
        store = self._store(f".greedy{many}")
        keys = {p.id: digest("greedy 1", self.weights(), p.fingerprint, many) for p in self.chosen}
        self._fill(store, {keys[prompt.id]: prompt for prompt in self.chosen}, "continued", many)
        return {item: store[key][0]["ids"] for item, key in keys.items()}

    def steps(self, prompt: Prompt) -> range:
        """How many tokens of its continuation stand behind a prompt in each of its units."""
        if not self.study.continuation:
            return range(1)
        return range(self.study.start, len(self.continuations[prompt.id]), self.study.stride)

    def places(self) -> Iterator[tuple[Prompt, int]]:
        """All texts to explain: items and steps of their continuations."""
        return ((prompt, step) for prompt in self.chosen for step in self.steps(prompt))

    def _fill(self, store: Store, wanted: Mapping[str, Prompt], asked: str, *given: Any) -> None:
        """Store what the worker's method `asked` says of those prompts whose key is missing, with a bar."""
        if all(key in store for key in wanted):
            return
        with store.writing():
            todo = {key: prompt for key, prompt in wanted.items() if key not in store}
            found = executor().answers(self, asked, todo, *given)
            label = f"{self.study.dataset}: {asked}"
            for key, row in tqdm(found, desc=label, unit="item", total=len(todo), mininterval=1):
                store.append(key, [row])

    def _store(self, ending: str) -> Store:
        folder = study_folder(self.study.profile, "predictions", self.study.model)
        return Store(folder / f"{self.study.dataset}{ending}.jsonl")
