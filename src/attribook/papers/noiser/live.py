"""Noiser on one prompt, with everything that it looks at on the way made visible. Nothing is stored."""

from dataclasses import dataclass

import pandas as pd
import torch

from attribook.attribution.base import Attribution
from attribook.attribution.noiser import flip_thresholds
from attribook.attribution.registry import find_method
from attribook.grid.seeds import generator
from attribook.models.encoding import Encoding
from attribook.models.load import load_model


@dataclass(frozen=True)
class NoiserWalk:
    """One prompt, its shared search, and T separate ones with the same noise."""

    encoding: Encoding
    found: Attribution
    thresholds: torch.Tensor  # (T,)
    separate: int  # forwards of the separate searches
    cells: int  # of the grid on which scales are searched

    @property
    def scale(self) -> float:
        """s*, the bound that all tokens get."""
        return self.found.details["scale"]

    def tokens(self) -> pd.DataFrame:
        """A row for each token: its threshold and its score."""
        return pd.DataFrame({
            "token": [token.strip() or repr(token) for token in self.encoding.tokens],
            "flips above": self.thresholds.tolist(), "score": self.found.scores.tolist(),
        })  # fmt: skip

    def told(self) -> str:
        """The bound, what it rests on, and what the search cost, in two sentences."""
        moved = self.encoding.movable("keep").nonzero()[:, 0]
        smallest = self.thresholds[moved].min()
        first = int(moved[self.thresholds[moved].argmin()])
        agree = "the same" if abs(float(smallest) - self.scale) < 0.5 / self.cells else f"{float(smallest):.4f}"
        return (
            f"The bound is **s\\* = {self.scale:.4f}**; the smallest threshold of separate searches is {agree}, "
            f"that of `{self.encoding.tokens[first].strip()}`. The shared search took {self.found.cost.forwards} "
            f"forwards, separate searches {self.separate}, {self.separate / self.found.cost.forwards:.1f} times as "
            "many."
        )


def walk_noiser(model: str, prompt: str, *, vectors: int = 3, steps: int = 10, seed: int = 0) -> NoiserWalk:
    """Explain one prompt by Noiser, and search every token alone with the same noise vectors."""
    explained = load_model(model)
    encoding = explained.encode(prompt)
    chance, again = (generator("walk", "noiser", seed) for _ in range(2))
    found = find_method("noiser")(explained, encoding, generator=chance, vectors=vectors, steps=steps)
    before = explained.engine.counter.copy()
    alone = flip_thresholds(explained, encoding, generator=again, vectors=vectors, steps=steps)
    spent = (explained.engine.counter - before).forwards
    return NoiserWalk(encoding, found, alone, spent, 2**steps)
