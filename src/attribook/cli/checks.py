"""The commands that judge: `attribook claims` and `attribook check`."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from attribook.cli.output import Json, terminal
from attribook.errors import AttribookError
from attribook.paths import stored_results
from attribook.show.terminal import listed

PLAIN: dict[str, Any] = {"box": SIMPLE, "padding": (0, 1, 0, 0)}  # the look of long tables


def claims(
    paper: Annotated[list[str] | None, typer.Option(help="Only this paper, as `rpi`.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only this table.")] = None,
    verdict: Annotated[list[str] | None, typer.Option(help="Only this verdict, or one that begins so.")] = None,
    headlines: Annotated[bool, typer.Option("--headlines", help="Only the claims in words.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="List all printed cells too, more than 2,000.")] = False,
    recompute: Annotated[bool, typer.Option("--recompute", help="Compute it, also where nothing changed.")] = False,
    as_json: Json = False,
) -> None:
    """The ledger: what became of the papers' claims in words, and of the printed cells that are asked for."""
    from attribook.ledger.stored import ledger
    from attribook.ledger.words import RULES

    stored_results()  # told before an empty ledger is
    rows = ledger(recompute=recompute)
    chosen = wanted(rows, paper=paper, table=table, verdict=verdict)
    chosen = [row for row in chosen if not (headlines and row["column"])]
    if as_json:
        print(json.dumps(chosen, ensure_ascii=False, allow_nan=False))
        return
    out = terminal()
    asked = cells or any((paper, table, verdict))
    listed_rows = [row for row in chosen if asked or not row["column"]]
    for name in dict.fromkeys(row["paper"] for row in listed_rows):
        out.print(listing(name, [row for row in listed_rows if row["paper"] == name]))
    out.print(summary(chosen, list(RULES)))
    if left_out := len(chosen) - len(listed_rows):
        out.print(f"{left_out:,} printed cells are not listed. --paper, --table or --verdict lists some, --cells all.")


def check(
    profile: Annotated[str, typer.Option(help="Whose rows are computed again.")] = "laptop",
    sample: Annotated[int | None, typer.Option(help="Units of each study; default 3, with smoke all; 0: none.")] = None,
    seed: Annotated[int | None, typer.Option(help="What the sample is drawn by; default: today's date.")] = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds for all rows together; default 360, with smoke no limit.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write ledger and hashes anew; with --profile smoke its rows too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stored rows, files and verdicts against what the code gives now; exit 1 where something drifted."""
    if update:
        from attribook.check.committed import update as write_committed
        from attribook.check.smoke import write_smoke

        if profile == "smoke":
            print(write_smoke())
        print(*write_committed(), sep="\n")
        return
    from attribook.check.run import SAMPLE, check_all

    drawn_by = int(datetime.now(UTC).strftime("%Y%m%d")) if seed is None else seed
    number = None if sample is None and profile == "smoke" else SAMPLE if sample is None else sample
    stored_results()
    report = check_all(profile, number, drawn_by, budget)
    if as_json:
        drifts = [dict(zip(("check", "where", "what"), drift.row, strict=True)) for drift in report.drifts]
        print(json.dumps({"profile": profile, "seed": drawn_by, "drift": drifts, "looked_at": report.looked_at}))
    else:
        out = terminal()
        if report.drifts:
            out.print(
                listed(
                    ("check", "where", "what"),
                    (map(escape, drift.row) for drift in report.drifts),
                    title="drift",
                    **PLAIN,
                )
            )
        for line in report.looked_at:
            out.print(f"looked at: {line}", highlight=False, markup=False)
        found = f"{len(report.drifts)} differences" if report.drifts else "no drift"
        out.print(f"{found} (profile {profile}, seed {drawn_by})", highlight=False)
    if report.drifts:
        raise typer.Exit(1)


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
    """Whether a row's value is the wanted one. A verdict may be cut short; a claim in words may name several tables."""
    if name == "verdict":
        return str(found).startswith(value)
    return value in str(found).split(", ")


def listing(paper: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Claims of one paper for a terminal."""
    from attribook.ledger.rows import texts

    names = ("table", "row", "column", "metric", "published", "ours", "n", "verdict")
    lines = ([cells[name] for name in names] for cells in map(texts, rows))
    return listed(names, lines, right={"published", "ours", "n"}, title=paper, **PLAIN)


def summary(rows: Sequence[dict[str, Any]], verdicts: Sequence[str]) -> Table:
    """How often each verdict was given, by paper; claims in words apart."""
    kinds = [(row["paper"], "cells" if row["column"] else "claims in words") for row in rows]
    counts = Counter((*kind, row["verdict"]) for kind, row in zip(kinds, rows, strict=True))
    heads = {f"{paper}, {kind}": (paper, kind) for paper, kind in kinds}
    lines = ([word, *(counts[*kind, word] for kind in heads.values())] for word in verdicts)
    return listed(["verdict", *heads], lines, right=heads, title="verdicts")
