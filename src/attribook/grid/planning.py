"""While something is planned, studies say that they were asked for their rows, and compute nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from attribook.models.names import MAY_LOAD

if TYPE_CHECKING:
    from attribook.grid.study import Definition

ASKED: ContextVar[list["Definition"] | None] = ContextVar("asked", default=None)


class Planned(Exception):
    """Rows were asked for that are only planned."""


@contextmanager
def planning() -> Iterator[list["Definition"]]:
    """The studies that are asked for their rows."""
    asked: list[Definition] = []
    token, loading = ASKED.set(asked), MAY_LOAD.set(False)
    try:
        yield asked
    finally:
        ASKED.reset(token)
        MAY_LOAD.reset(loading)


def only_planned(study: "Definition") -> bool:
    """Whether rows are only planned; if so, the study is noted."""
    if (asked := ASKED.get()) is None:
        return False
    asked.append(study)
    return True


def refuse_if_planned() -> None:
    """Raises: Planned where nothing may be computed, and no weights be looked for."""
    if ASKED.get() is not None:
        raise Planned
