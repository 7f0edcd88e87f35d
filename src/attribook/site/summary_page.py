"""What the first page tells: how often each verdict was given to each paper, and what became of its headline claims."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from attribook.ledger.verdicts import NO_ROWS, NOT_HERE, RULES
from attribook.papers.registry import paper_names, paper_title

Row = Mapping[str, Any]


def write_summary(book: Path, rows: Sequence[Row]) -> None:
    """`claims/summary.inc`, which the first page includes."""
    path = book / "claims" / "summary.inc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(summary(rows))


def summary(rows: Sequence[Row]) -> str:
    """Both tables, as raw HTML for a page in `book/`."""
    cells = [row for row in rows if row["column"]]
    words = [row for row in rows if not row["column"]]
    return (
        "```{raw} html\n"
        f'<div class="attribook-summary">{counted(cells)}</div>\n'
        f'<div class="attribook-summary">{said(words)}</div>\n'
        "```\n"
    )


def counted(cells: Sequence[Row]) -> str:
    """Printed cells by paper and verdict."""
    found = Counter((row["paper"], row["verdict"]) for row in cells)
    shown = [verdict for verdict in RULES if any(found[paper, verdict] for paper in paper_names())]
    head = "".join(f"<th>{escape(verdict)}</th>" for verdict in ("", *shown, "cells"))
    lines = []
    for paper in paper_names():
        numbers = [found[paper, verdict] for verdict in shown]
        total = sum(row["paper"] == paper for row in cells)
        lines.append(f"<tr><td>{paper_title(paper)}</td>{''.join(f'<td>{n:,}</td>' for n in (*numbers, total))}</tr>")
    return table("Printed cells and what became of them", head, lines)


def said(words: Sequence[Row]) -> str:
    """Claims that the papers make in words and that rows of ours were asked about."""
    asked = [row for row in words if row["verdict"] not in (NO_ROWS, NOT_HERE)]
    lines = [
        f"<tr><td>{paper_title(row['paper'])}</td><td class='wrap'>{escape(row['claim'])}</td>"
        f"<td class='wrap'><b>{escape(row['verdict'])}</b>: {escape(row['reason'])}</td></tr>"
        for row in asked
    ]
    head = "<th></th><th class='wrap'>claim</th><th class='wrap'>here</th>"
    return table(f"Claims in words: {len(asked)} of {len(words)} could be asked", head, lines)


def table(caption: str, head: str, lines: Sequence[str]) -> str:
    """An HTML table in the book's dress."""
    body = "".join(lines)
    return (
        f'<table class="attribook-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
