"""The items of a study: what the model predicts on them, which are kept, and what it goes on with."""

from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from attribook.data.datasets import load_dataset
from attribook.data.prompts import Prompt, matches
from attribook.errors import AttribookError
from attribook.grid.seeds import digest
from attribook.grid.store import Row, Store
from attribook.models.causal import CausalLM
from attribook.models.explained import Explained
from attribook.models.load import load_model
from attribook.models.names import known_fingerprint
from attribook.paths import results_folder

# Which items a study explains. ReAGent asks for a right prediction with and without the distractor.
KEEP = {
    "correct_both": "predicted correctly with and without its distractor",
    "correct": "predicted correctly as it stands",
    "all": "whatever the model predicts",
}

# The least that each number of a study may be; Python would read less as a count from the end, or as nothing at all.
LEAST = {"n_items": 0, "continuation": 0, "start": 0, "stride": 1, "random_seeds": 1}


class Items:
    """The part of a study that finds its items; predictions and continuations are stored for all studies together."""

    profile: str
    model: str
    dataset: str
    n_items: int
    seed: int
    keep: str
    continuation: int
    stride: int
    start: int

    @cached_property
    def explained(self) -> Explained:
        """The explained model, loaded when the first missing row needs it."""
        return load_model(self.model)

    @cached_property
    def fingerprint(self) -> str:
        """Weights' identity, without loading them where the registry knows it."""
        return known_fingerprint(self.model) or self.explained.fingerprint

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """For every item of the data set: predicted token, probability, and whether it is kept."""
        return self.predicted(load_dataset(self.dataset))

    def predicted(self, prompts: Sequence[Prompt]) -> pd.DataFrame:
        """The same for some items; what is missing is computed and stored."""
        model = self.model.strip("/").replace("/", "--")
        store = Store(results_folder() / self.profile / "predictions" / model / f"{self.dataset}.jsonl")
        keys = [digest("prediction 1", self.fingerprint, prompt.fingerprint) for prompt in prompts]
        todo = dict(zip(keys, prompts, strict=True))
        for key, prompt in store.missing(todo, f"{self.dataset}: predictions"):
            store.append(key, [self._prediction(prompt)])
        return pd.DataFrame([store[key][0] for key in keys])

    def _prediction(self, prompt: Prompt) -> Row:
        whole = self.explained.encode(prompt.text)
        plain = self.explained.encode(prompt.plain) if prompt.plain else whole
        return {
            "item": prompt.id,
            "predicted": whole.target_text,
            "predicted_plain": plain.target_text,
            "probability": round(whole.probability, 6),
            "correct": matches(prompt.answer, whole.target_text),
            "correct_plain": matches(prompt.answer, plain.target_text),
        }

    @property
    def kept(self) -> pd.Series:
        """For every item of the data set, whether the study may explain it."""
        correct, plain = self.predictions["correct"], self.predictions["correct_plain"]
        return {"correct_both": correct & plain, "correct": correct, "all": correct | True}[self.keep]

    @cached_property
    def items(self) -> list[Prompt]:
        """Items to explain, in the order of a hash of their names: a smaller study is a part of a larger one."""
        prompts = load_dataset(self.dataset)
        if self.keep != "all":
            kept = dict(zip(self.predictions["item"], self.kept, strict=True))
            prompts = [prompt for prompt in prompts if kept[prompt.id]]
        if not prompts:
            raise AttribookError(
                f"{self.model} predicts no item of {self.dataset} correctly, so there is nothing to explain. "
                "Choose another model or data set, or keep='all'."
            )
        prompts.sort(key=lambda prompt: digest("order", self.seed, prompt.id))
        return prompts[: self.n_items or None]

    def n_kept(self) -> str:
        """How many items of the data set were kept, as a sentence; and how many of them have too short a text."""
        if self.keep == "all":
            found = len(load_dataset(self.dataset)), self.dataset, len(self.items)
            told = "Of the {} items of {}, whatever is predicted, {} are explained.".format(*found)
        else:
            told = (
                f"{int(self.kept.sum())} of the {len(self.kept)} items of {self.dataset} are {KEEP[self.keep]} by "
                f"{self.model}; {len(self.items)} of these are explained."
            )
        if not self.continuation or not (short := sum(not self._steps(prompt) for prompt in self.items)):
            return told
        return f"{told} {short} of them have no row: the model goes on with {self.start} tokens or fewer."

    @cached_property
    def continuations(self) -> dict[str, list[int]]:
        """The first `continuation` tokens that the model goes on with, greedily, after each item."""
        model = self.model.strip("/").replace("/", "--")
        file = f"{self.dataset}.greedy{self.continuation}.jsonl"
        store = Store(results_folder() / self.profile / "predictions" / model / file)
        keys = {p.id: digest("greedy 1", self.fingerprint, p.fingerprint, self.continuation) for p in self.items}
        todo = {keys[prompt.id]: prompt for prompt in self.items}
        for key, prompt in store.missing(todo, f"{self.dataset}: continuations"):
            store.append(key, [self._continued(prompt)])
        return {item: store[key][0]["ids"] for item, key in keys.items()}

    def _steps(self, prompt: Prompt) -> range:
        return range(self.start, len(self.continuations[prompt.id]), self.stride) if self.continuation else range(1)

    def _continued(self, prompt: Prompt) -> Row:
        model = self._writer()
        encoding = model.encode(prompt.text)
        ids = model.generated(encoding, self.continuation)
        whole = model.extended(encoding, ids)
        return {"item": prompt.id, "ids": ids, "tokens": whole.tokens[len(encoding) :]}

    def _writer(self) -> CausalLM:
        if not isinstance(self.explained, CausalLM):
            raise AttribookError(f"{self.model} writes no text, so nothing that follows can be explained.")
        return self.explained
