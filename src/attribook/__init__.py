"""attribook: feature attribution for language models, with claims, controls and checks."""

from typing import Any

__version__ = "0.1.0"
IMPORTS = ("aligned", "from_captum", "from_scores", "read_inseq")
__all__ = ["__version__", "aligned", "from_captum", "from_scores", "read_inseq"]


def __getattr__(name: str) -> Any:
    """What brings in other tools' scores, imported when asked for: torch, which it needs, takes seconds."""
    if name in IMPORTS:
        from attribook.attribution import imported

        return getattr(imported, name)
    raise AttributeError(f"module 'attribook' has no attribute {name!r}")
