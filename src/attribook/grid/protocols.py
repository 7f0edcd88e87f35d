"""Every protocol by its name: ours, and those that the papers' folders hold as values.

A protocol names every option that moves a number. A paper adds its own by a module `protocols` in its folder with a
tuple `PROTOCOLS`. They are found there as plugins are, so that the grid knows no paper and everyone who names a
protocol, on a page or in the command, finds all of them without an import of their own.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec

from attribook.errors import AttribookError
from attribook.grid.settings import Protocol, ProtocolName
from attribook.metrics.conventions import CONVENTIONS, SOFT_RECOMMENDED

PAPERS = "attribook.papers"

OURS = Protocol(
    name="attribook",
    about="ours: the true distance, raw attention, signed gradients clipped at 0, special tokens kept",
    metric=SOFT_RECOMMENDED,
    baseline={"form": "softmax"},
    methods={},
    metrics=CONVENTIONS["paper"],
)


def papers_protocols() -> Iterator[Protocol]:
    """Protocols of all papers, paper by paper."""
    for found in pkgutil.iter_modules(importlib.import_module(PAPERS).__path__, f"{PAPERS}."):
        if found.ispkg and find_spec(f"{found.name}.protocols"):
            yield from importlib.import_module(f"{found.name}.protocols").PROTOCOLS


PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (OURS, *papers_protocols())}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name; `name+option=value,option=value` has these options of its metrics changed.

    Raises: AttribookError with the known names.
    """
    wanted = ProtocolName.parse(name)
    if wanted.known not in PROTOCOLS:
        raise AttribookError(f"Unknown protocol {wanted.known!r}. Known: {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[wanted.known].changed(wanted)
