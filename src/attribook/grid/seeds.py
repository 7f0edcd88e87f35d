"""Randomness of a study: every draw has its own generator, found from what is drawn, not from when."""

import hashlib
import json
from typing import Any

import torch


def digest(*parts: Any, length: int = 16) -> str:
    """Short hex SHA-256 of anything that JSON can write, keys sorted."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:length]


def generator(*parts: Any) -> torch.Generator:
    """A CPU generator seeded by the parts: the same parts, the same numbers, in any order of work."""
    return torch.Generator().manual_seed(int(digest(*parts, length=15), 16))
