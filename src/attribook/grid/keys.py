"""Keys of stored rows: a hash of everything that moves their numbers.

A row is found again only under the same weights, text, method with its version and options, seed, and, for a metric's
rows, the metric with its version and options. Anything else may change, and no row has to be computed again.
"""

import hashlib
import json
from typing import Any


def digest(*parts: Any, length: int = 16) -> str:
    """Short hex SHA-256 of anything that JSON can write, keys sorted."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:length]
