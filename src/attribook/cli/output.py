"""How commands print: tables for people, JSON for programs."""

import json
import os
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from attribook.show.terminal import listed

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WIDTH = 150  # where nothing says how wide the output is, as in a pipe
out = Console()


def as_json_text(value: Any) -> str:
    """JSON with letters as they are where the output can hold them, else as escapes. NaN is no JSON."""
    unicode_out = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    return json.dumps(value, ensure_ascii=not unicode_out, allow_nan=False)


def terminal() -> Console:
    """Where tables are printed; wide where nothing says how wide."""
    return Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=WIDTH)


def show_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """A list of like rows, as JSON or as a table."""
    if as_json:
        print(json.dumps(rows))
        return
    out.print(listed(rows[0], (row.values() for row in rows), whole=["name"]))  # names are to be typed: never cut
