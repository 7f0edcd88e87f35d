"""attribook: feature attribution for language models, with claims, controls and checks."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "from_scores"]


def __getattr__(name: str) -> Any:
    """`from_scores`, imported when asked for: it needs torch, which `import attribook` should not wait for."""
    if name == "from_scores":
        from attribook.attribution.imported import from_scores

        return from_scores
    raise AttributeError(f"module 'attribook' has no attribute {name!r}")
