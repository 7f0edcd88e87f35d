"""The models that have names of their own, and where fetched ones lie. A listing needs no torch."""

from pathlib import Path

from attribook.models.registry import SOURCES
from attribook.paths import home

# Families of tiny random models; tiny.py makes them.
TINY = (
    "gpt2", "opt", "opt_prenorm", "llama", "gemma3", "qwen2", "gptj", "mistral", "gemma2", "bert", "roberta",
    "distilbert",
)  # fmt: skip


def tiny_names() -> list[str]:
    """Names under which the tiny models can be explained."""
    return [f"tiny-{family}" for family in TINY]


def known_names() -> list[str]:
    """Registered and tiny models."""
    return [*SOURCES, *tiny_names()]


def model_folder(name: str) -> Path:
    """Where the converted model lies."""
    return home() / "models" / name


def status(name: str) -> str:
    """One word on a known model: built-in, fetched, or not fetched."""
    if name not in SOURCES:
        return "built-in"
    return "fetched" if model_folder(name).is_dir() else "not fetched"
