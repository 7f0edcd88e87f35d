"""The kinds of studies, and the study that a manifest lists."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from attribook.errors import AttribookError
from attribook.grid.judged import JudgeStudy
from attribook.grid.pools import PoolStudy
from attribook.grid.study import Definition, Study

KINDS: tuple[type[Definition], ...] = (Study, PoolStudy, JudgeStudy)


def study_of(listed: Mapping[str, Any]) -> Definition:
    """The study whose fields a manifest lists, of the plainest kind that has them. Raises: AttribookError for others.

    A field that came after the manifest has its default.
    """
    fitting = [kind for kind in KINDS if set(listed) <= {each.name for each in fields(kind)}]
    if not fitting:
        raise AttribookError(f"No kind of study has the fields {', '.join(listed)}, which a manifest lists.")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in listed.items()}
    return min(fitting, key=lambda kind: len(fields(kind)))(**given)
