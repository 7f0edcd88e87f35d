"""Studies of many settings of ReAGent that differ in steps, runs, averaging or the stopping test alone."""

from dataclasses import dataclass
from typing import ClassVar

from attribook.grid.study import Study


@dataclass(frozen=True)
class ReagentStudy(Study):
    """A study that runs ReAGent once for all settings that can be read off it (grid/recorded.py)."""

    worker: ClassVar[str] = "attribook.grid.recorded:RecordedRuns"
