"""attribook: feature attribution for language models, with claims, controls and checks."""

__version__ = "0.1.0"
