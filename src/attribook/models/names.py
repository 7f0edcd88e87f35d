"""What a model's name tells without its weights: model and template, its folder of rows, its fingerprint."""

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from attribook.errors import AttribookError
from attribook.models.files import folder_fingerprint
from attribook.models.recipes import RECIPES
from attribook.models.registry import SOURCES
from attribook.models.templates import TEMPLATES, Template
from attribook.paths import home

TINY = "tiny-"
MAY_LOAD: ContextVar[bool] = ContextVar("may_load", default=True)  # False while something is only planned


@dataclass(frozen=True)
class ModelName:
    """A model's own name, and the template that makes a causal model a classifier; written `<model>+<template>`."""

    core: str
    template: Template | None = None

    @classmethod
    def parse(cls, text: str) -> "ModelName":
        """The last `+` parts them; a folder may have one in its name. Raises: AttribookError for no known template."""
        core, plus, wanted = text.rpartition("+")
        if not plus or Path(text).is_dir():
            return cls(text)
        if wanted not in TEMPLATES:
            raise AttribookError(f"Unknown template {wanted!r} in {text!r}. Known: {', '.join(TEMPLATES)}.")
        return cls(core, TEMPLATES[wanted])

    def __str__(self) -> str:
        return f"{self.core}+{self.template.name}" if self.template else self.core

    @property
    def fingerprint(self) -> str | None:
        """What identifies its weights in a row's key, where that is known without reading them.

        Of a registered model, of one that is tuned on this machine, and of a folder; None for others.
        Raises: AttribookError for a model that has to be tuned first.
        """
        if self.core in SOURCES:
            return self._with_template(SOURCES[self.core].weights_sha256)
        if self.core.startswith(TINY):  # made anew from a seed, whatever a folder of that name holds
            return None
        folder = tuned_folder(self.core) or Path(self.core)
        return self._with_template(folder_fingerprint(folder)) if folder.is_dir() else None

    def _with_template(self, weights: str) -> str:
        return f"{weights}+{self.template.fingerprint}" if self.template else weights


def tuned_where_used(name: str) -> bool:
    """Whether a model is tuned by its recipe on each machine, and not registered."""
    return name in RECIPES and name not in SOURCES


def tuned_alike(name: str, fingerprint: str) -> bool:
    """Whether a model that is tuned where it is used has been tuned here, to these weights."""
    folder = home() / "trained" / name
    return folder.is_dir() and folder_fingerprint(folder) == fingerprint


def tuned_folder(name: str) -> Path | None:
    """Where a model with a recipe lies that is tuned here; None for others. Raises: AttribookError if not yet."""
    if not tuned_where_used(name):
        return None
    folder = home() / "trained" / name
    if not folder.is_dir():
        raise AttribookError(
            f"{name} is tuned where it is used, in some ten minutes: run `attribook models train {name}`, with "
            "$ATTRIBOOK_DATA set."
        )
    return folder


def known_fingerprint(name: str) -> str | None:
    """What identifies the weights of that name, where it is known without reading them: see `ModelName`."""
    return ModelName.parse(name).fingerprint
