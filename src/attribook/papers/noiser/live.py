"""Noiser on one prompt, with everything that it looks at on the way made visible. Nothing is stored."""

from dataclasses import dataclass

import torch

from attribook.attribution.base import Attribution
from attribook.attribution.noiser import flip_thresholds
from attribook.attribution.registry import find_method
from attribook.grid.seeds import generator
from attribook.models.encoding import Encoding
from attribook.models.load import load_model


@dataclass(frozen=True)
class SearchedPrompt:
    """One prompt, the search that its tokens share, and one of each token alone with the same noise."""

    encoding: Encoding
    found: Attribution  # by the shared search
    scale: float  # s*, the bound that all tokens get
    thresholds: torch.Tensor  # (T,) up to which scale each token alone holds the prediction
    forwards_alone: int  # of the searches of each token alone


def run_step_by_step(model: str, prompt: str, *, vectors: int = 3, steps: int = 10, seed: int = 0) -> SearchedPrompt:
    """Explain one prompt by Noiser, and search every token alone with the same noise vectors.

    Shapes: thresholds (T,), in units of the standard deviation of the noise, from 0 to 1.
    Raises: AttribookError for an unknown model, or a prompt that it cannot explain.
    """
    explained = load_model(model)
    encoding = explained.encode(prompt)
    shared, alone = (generator("walk", "noiser", seed) for _ in range(2))  # the name is part of the random numbers
    found = find_method("noiser")(explained, encoding, generator=shared, vectors=vectors, steps=steps)
    before = explained.engine.counter.copy()
    thresholds = flip_thresholds(explained, encoding, generator=alone, vectors=vectors, steps=steps)
    forwards = (explained.engine.counter - before).forwards
    return SearchedPrompt(encoding, found, found.details["scale"], thresholds, forwards)
