"""Texts that a method failed on: recorded with the error, and no run stops for them but where a method fails on all."""

import warnings
from typing import TYPE_CHECKING, Any

from attribook.errors import AttribookError, AttribookWarning
from attribook.grid.executors import Failed
from attribook.grid.items import Unit

if TYPE_CHECKING:
    from attribook.grid.rows import Rows

PATIENCE = 3  # texts on which a method may fail before it has succeeded on one


class Failures:
    """What failed in one run of a study. Nothing is recorded of a method that never succeeded: it is at fault."""

    def __init__(self, rows: "Rows[Any]") -> None:
        self.rows = rows
        self.found: list[tuple[Unit, str, Failed]] = []

    def add(self, unit: Unit, part: str, failed: Failed) -> None:
        """Note a failure; what is made of failed scores fails with them.

        Raises: the first error of a method that has failed on some texts and succeeded on none.
        """
        self.rows.hold(unit, part, failed)
        self.found.append((unit, part, failed))
        places = {other.place for other, what, _ in self.found if (other.name, what) == (unit.name, part)}
        if len(places) >= PATIENCE:
            self._blame(unit.name, part, self.rows.units())

    def record(self, units: list[Unit]) -> None:
        """Write down what failed, and say so. Raises: the first error of a method that succeeded on no text."""
        for name, part in dict.fromkeys((unit.name, part) for unit, part, _ in self.found):
            self._blame(name, part, units)
        for unit, part, failed in self.found:
            row = {"item": unit.prompt.id, "step": unit.step, "method": unit.name, "seed": unit.seed, "part": part}
            self.rows.failures.append(self.rows.key(unit, part), [row | {"error": failed.why}])
        if self.found:
            unit, part, failed = self.found[0]
            warnings.warn(
                f"{self.rows.study.label}: {len({id(unit) for unit, *_ in self.found})} of {len(units)} units failed, "
                f"first {part} of {unit.name} on {unit.prompt.id}: {failed.why}. "
                f"Delete {self.rows.failures.path} to try them again.",
                AttribookWarning,
                stacklevel=2,
            )

    def _blame(self, name: str, part: str, units: list[Unit]) -> None:
        if any(unit.name == name and self.rows.has(unit, part) for unit in units):
            return
        self.rows.failures.read()  # forgets what was only held
        first = next(failed for unit, what, failed in self.found if (unit.name, what) == (name, part))
        raise first.error or AttribookError(first.why)
