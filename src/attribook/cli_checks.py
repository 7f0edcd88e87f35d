"""The commands that judge: `attribook claims` and `attribook check`."""

import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from attribook.errors import AttribookError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WIDTH = 150  # where nothing says how wide the output is, as in a pipe


def claims(
    paper: Annotated[list[str] | None, typer.Option(help="Only this paper: reagent, noiser or rpi.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only this table.")] = None,
    verdict: Annotated[list[str] | None, typer.Option(help="Only this verdict, or one that begins so.")] = None,
    headlines: Annotated[bool, typer.Option("--headlines", help="Only the claims in words.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the ledger that `attribook check` compares.")] = False,
    as_json: Json = False,
) -> None:
    """The ledger: every printed cell and headline claim, and what became of it."""
    from attribook.study.claims import RULES
    from attribook.study.ledger import full_ledger

    rows = full_ledger()
    if write:
        from attribook.study.committed import write_committed

        for path in write_committed(rows):
            print(path)
        return
    chosen = wanted(rows, paper=paper, table=table, verdict=verdict)
    chosen = [row for row in chosen if not (headlines and row["column"])]
    if as_json:
        print(json.dumps(chosen, ensure_ascii=False, allow_nan=False))
        return
    out = Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=WIDTH)
    for name in dict.fromkeys(row["paper"] for row in chosen):
        out.print(listing(name, [row for row in chosen if row["paper"] == name]))
    out.print(summary(chosen, list(RULES)))


def wanted(rows: Sequence[dict[str, Any]], **filters: list[str] | None) -> list[dict[str, Any]]:
    """Rows that every filter lets through. Raises: AttribookError where a filter knows no row."""
    for name, values in filters.items():
        for value in values or []:
            if not any(fits(row[name], value, name) for row in rows):
                known = ", ".join(dict.fromkeys(part for row in rows for part in str(row[name]).split(", ") if part))
                raise AttribookError(f"No claim has the {name} {value!r}. Known: {known}.")
        if values:
            rows = [row for row in rows if any(fits(row[name], value, name) for value in values)]
    return list(rows)


def fits(found: Any, value: str, name: str) -> bool:
    """Whether a row's value is the wanted one; a verdict may be cut short, a headline may be about several tables."""
    if name == "verdict":
        return str(found).startswith(value)
    return value in str(found).split(", ")


def listing(paper: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Claims of one paper for a terminal."""
    shown = Table(title=paper, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("table", "row", "column", "metric", "published", "ours", "n", "verdict"):
        shown.add_column(name, justify="right" if name in {"published", "ours", "n"} else "left")
    for row in rows:
        column = row["column"] if row["dataset"] in {"", row["column"]} else f"{row['dataset']} {row['column']}"
        interval = "" if row["low"] is None else f" ({number(row['low'])} to {number(row['high'])})"
        ours, n = number(row["ours"]) + interval, "" if row["n"] is None else str(row["n"])
        name = row["row"] if row["column"] else row["claim"]
        shown.add_row(str(row["table"]), name, column, row["metric"], number(row["published"]), ours, n, row["verdict"])
    return shown


def number(value: float | None) -> str:
    """Three digits behind the point; nothing for nothing, whole counts as they are."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:g}" if float(value).is_integer() and abs(value) >= 2 else f"{value:.3f}"


def summary(rows: Sequence[dict[str, Any]], verdicts: Sequence[str]) -> Table:
    """How often each verdict was given, by paper; claims in words apart."""
    shown = Table(title="verdicts", title_justify="left")
    kinds = list(dict.fromkeys((row["paper"], "cells" if row["column"] else "headlines") for row in rows))
    shown.add_column("verdict")
    for paper, kind in kinds:
        shown.add_column(f"{paper}, {kind}", justify="right")
    for word in verdicts:
        mine = [(row["paper"], "cells" if row["column"] else "headlines") for row in rows if row["verdict"] == word]
        shown.add_row(word, *(str(mine.count(kind)) for kind in kinds))
    return shown
