"""The ledger as pages: a table to sort and filter, the rules of its verdicts, and badges; all made from the ledger."""

import shutil
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from attribook.ledger.rows import texts
from attribook.ledger.verdicts import TESTS
from attribook.ledger.words import NO_ROWS, NOT_HERE, RULES, counted
from attribook.paths import results_folder
from attribook.show.badges import badge
from attribook.site.pages import filled, write_page
from attribook.statistics.evidence import FEWEST_DRAWS, FEWEST_SEEDS
from attribook.statistics.resampling import RESAMPLES
from attribook.statistics.units import METRICS

Row = Mapping[str, Any]
UNTESTED = (NO_ROWS, NOT_HERE)
HEADS = ("paper", "table", "row", "column", "metric", "published", "ours", "n", "verdict", "where")
BADGE = "attribook-badge"  # the id of the cell that holds a page's badge


def write_ledger_pages(book: Path, rows: Sequence[Row]) -> None:
    """Pages `claims/ledger` and `claims/verdicts`, copies of the rows that they link to, and badges of notebooks."""
    write_page(book / "claims" / "ledger.md", ledger_page(rows))
    write_page(book / "claims" / "verdicts.md", verdicts_page())
    for place in sorted({place for row in rows for place in files(row)}):
        copy = book / "book" / "_static" / "rows" / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results_folder() / place, copy)
    for notebook in (book / "notebooks").rglob("*.ipynb"):
        name = notebook.relative_to(book / "notebooks").with_suffix("").as_posix()
        mark(notebook, name, [row for row in rows if row["notebook"].split("#")[0] == name])


def ledger_page(rows: Sequence[Row]) -> str:
    """The page with every claim, in MyST Markdown."""
    lines = [(row, texts(row), files(row)) for row in rows]
    choices = {name: dict.fromkeys(row[name] for row in rows) for name in ("paper", "metric")}
    return filled("ledger.md", counts=counted(rows), choices={**choices, "verdict": RULES}, heads=HEADS, rows=lines)


def files(row: Row) -> list[str]:
    """Files of rows that decide a claim, under the results."""
    return row["rows"].split(", ") if row["rows"] else []


def verdicts_page() -> str:
    """What each verdict means, as the code has it."""
    return filled(
        "verdicts.md", rules=RULES, tests=TESTS, resamples=f"{RESAMPLES:,}", seeds=FEWEST_SEEDS, draws=FEWEST_DRAWS,
        metrics=METRICS,
    )  # fmt: skip


# -- badges --------------------------------------------------------------------------------------------------------


def readme_badge(rows: Sequence[Row]) -> str:
    """All claims in one line of SVG."""
    tested = [row for row in rows if row["verdict"] not in UNTESTED]
    return badge("claims", f"{counted(tested)} · {len(rows) - len(tested):,} not tested")


def page_badge(name: str, rows: Sequence[Row]) -> str:
    """What became of the claims that one page decides, with a link to them."""
    tested = [row for row in rows if row["verdict"] not in UNTESTED]
    link = f"{'../' * (name.count('/') + 1)}claims/ledger.html#notebook={name}"
    return f'<p class="attribook-badge"><a href="{link}"><b>claims</b> {escape(counted(tested))}</a></p>'


def mark(notebook: Path, name: str, rows: Sequence[Row]) -> None:
    """Set, change or take away the badge of an executed notebook, behind its first cell."""
    import nbformat

    page = nbformat.read(notebook, as_version=4)
    cells = [cell for cell in page.cells if cell.get("id") != BADGE]
    if any(row["verdict"] not in UNTESTED for row in rows):
        cells.insert(1, nbformat.v4.new_markdown_cell(page_badge(name, rows), id=BADGE))
    if cells != page.cells:
        page.cells = cells
        nbformat.write(page, notebook)
