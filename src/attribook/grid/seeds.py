"""Randomness of a study: every draw has its own generator, found from what is drawn, not from when."""

from typing import Any

import torch

from attribook.grid.keys import digest


def generator(*parts: Any) -> torch.Generator:
    """A CPU generator seeded by the parts: the same parts, the same numbers, in any order of work."""
    return torch.Generator().manual_seed(int(digest(*parts, length=15), 16))
