"""Who computes what is not stored: this process, or the workers of a Dask cluster (cluster.py). No row differs by it.

An executor is asked for the missing parts of units, and for the model's predictions and continuations. It gives each as
it is done; only the process that asked writes, so that rows have one writer. What fails is tried again, and then given
as `Failed`: one text that a method cannot explain takes no other text with it.
"""

import os
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from attribook.data.prompts import Prompt
from attribook.errors import Unanswered
from attribook.grid.store import Row

if TYPE_CHECKING:
    from attribook.grid.items import Items, Unit
    from attribook.grid.rows import Rows

SCHEDULER = "ATTRIBOOK_SCHEDULER"  # the address of a Dask scheduler; without it this process computes
TRIES = 2


@dataclass(frozen=True)
class Failed:
    """What stands in the place of rows that could not be computed."""

    why: str
    error: Exception | None = None  # where it was raised in this process
    later: bool = False  # whether another run may get them: a judge's server is out of order


Outcome = list[Row] | Failed
Step = tuple["Unit", str, Outcome]  # a unit, one of its parts, and what became of it


class Executor(Protocol):
    """What both kinds of executors do."""

    def outcomes(self, rows: "Rows[Any]", units: Sequence["Unit"]) -> Iterator[Step]:
        """The missing parts of these units. Whoever takes one stores it before taking the next."""
        ...

    def answers(self, items: "Items", asked: str, prompts: Mapping[str, Prompt], *given: Any) -> Iterator[Any]:
        """Pairs of a key and what the worker's method `asked` says of the prompt under that key."""
        ...


class InProcess:
    """The process that asks computes, one part after the other."""

    def outcomes(self, rows: "Rows[Any]", units: Sequence["Unit"]) -> Iterator[Step]:
        """See `Executor`."""
        return computed(rows, units)

    def answers(self, items: "Items", asked: str, prompts: Mapping[str, Prompt], *given: Any) -> Iterator[Any]:
        """See `Executor`."""
        return ((key, getattr(items.worker(), asked)(prompt, *given)) for key, prompt in prompts.items())


def executor() -> Executor:
    """The executor that the environment names."""
    address = os.environ.get(SCHEDULER)
    if not address:
        return InProcess()
    connected: Callable[[str], Executor] = pkgutil.resolve_name("attribook.grid.cluster:connected")
    return connected(address)


def computed(rows: "Rows[Any]", units: Sequence["Unit"]) -> Iterator[Step]:
    """The parts of units that neither are stored nor failed before, each from the parts before it."""
    for unit in units:
        for part in rows.study.parts(unit):
            if not rows.settled(unit, part):
                yield unit, part, attempt(lambda unit=unit, part=part: rows.worker.computed(unit, part))  # type: ignore[misc]


def attempt(compute: Callable[[], list[Row]]) -> Outcome:
    """Rows, or why there are none after some tries. A machine at its end (disk, memory) is no fault of the text."""
    for left in reversed(range(TRIES)):
        try:
            return compute()
        except (OSError, MemoryError):
            raise
        except Unanswered as error:
            return Failed(str(error), later=True)
        except Exception as error:
            if not left:
                return Failed(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", error)
    raise AssertionError("unreachable")
