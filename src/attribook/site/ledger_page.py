"""The ledger as pages: a table to sort and filter, the rules of its verdicts, and badges; all made from the ledger."""

import re
import shutil
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from attribook.ledger.rows import texts
from attribook.ledger.verdicts import NO_ROWS, NOT_HERE, RULES, TESTS, counted
from attribook.paths import results_folder
from attribook.show.badges import badge
from attribook.statistics.evidence import FEWEST_DRAWS, FEWEST_SEEDS
from attribook.statistics.resampling import RESAMPLES
from attribook.statistics.units import METRICS

Row = Mapping[str, Any]
UNTESTED = (NO_ROWS, NOT_HERE)
HEADS = ("paper", "table", "row", "column", "metric", "published", "ours", "n", "verdict", "where")
NUMERIC = ("table", "published", "ours", "n")
BADGE = "attribook-badge"  # the id of the cell that holds a page's badge


def write_ledger_pages(book: Path, rows: Sequence[Row]) -> None:
    """Pages `claims/ledger` and `claims/verdicts`, copies of the rows that they link to, and badges of notebooks."""
    folder = book / "claims"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"ledger": ledger_page(rows), "verdicts": verdicts_page()}.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for place in sorted({place for row in rows for place in files(row)}):
        copy = book / "book" / "_static" / "rows" / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results_folder() / place, copy)
    for notebook in (book / "notebooks").rglob("*.ipynb"):
        name = notebook.relative_to(book / "notebooks").with_suffix("").as_posix()
        mark(notebook, name, [row for row in rows if row["notebook"].split("#")[0] == name])


# -- the table -----------------------------------------------------------------------------------------------------


def ledger_page(rows: Sequence[Row]) -> str:
    """The page with every claim, in MyST Markdown."""
    heads = "".join(f'<th aria-sort="none"><button type="button">{name}</button></th>' for name in HEADS)
    body = "\n".join(map(line, rows))
    choices = {"paper": [r["paper"] for r in rows], "metric": [r["metric"] for r in rows], "verdict": list(RULES)}
    selects = "".join(select(name, values) for name, values in choices.items())
    return f"""# The ledger

Every cell of the papers' tables and every claim that they make in words, with what became of it:
{counted(rows)}.
A verdict opens to its reason. [How a verdict is reached](verdicts) has the rules. The same table in a terminal:
`attribook claims`, and `attribook claims --json` with all fields.

```{{raw}} html
<form class="attribook-filters" onsubmit="return false">{selects}
<label>notebook <input name="notebook" size="18"></label>
<label>any word <input name="word" type="search" size="18"></label>
<output></output></form>
<div class="attribook-ledger"><table class="attribook-table"><thead><tr>{heads}</tr></thead>
<tbody>
{body}
</tbody></table></div>
<script src="../_static/ledger.js"></script>
```
"""


def select(name: str, values: Sequence[str]) -> str:
    """A filter by one of the values."""
    options = "".join(f"<option>{escape(value)}</option>" for value in dict.fromkeys(values) if value)
    return f'<label>{name} <select name="{name}"><option value="">all</option>{options}</select></label>\n'


def line(row: Row) -> str:
    """One claim's line."""
    cells = {name: escape(text) for name, text in texts(row).items()}
    cells["ours"] = re.sub(r"(\(.*\))", r"<small>\1</small>", cells["ours"])
    cells["verdict"] = f"<details><summary>{cells['verdict']}</summary>{escape(row['reason'])}</details>"
    shown = "".join(f"<td>{cell}</td>" for cell in cells.values())
    marks = {"verdict": row["verdict"], "notebook": row["notebook"].split("#")[0]}
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in marks.items() if value)
    return f"<tr{data}>{shown}<td>{where(row)}</td></tr>"


def where(row: Row) -> str:
    """Links to the page that shows a claim and to the rows that decide it."""
    name, _, anchor = row["notebook"].partition("#")
    page = [f'<a href="../notebooks/{name}.html{"#" + anchor if anchor else ""}">page</a>'] if name else []
    return " ".join([*page, *(f'<a href="../_static/rows/{path}">rows</a>' for path in files(row))])


def files(row: Row) -> list[str]:
    """Files of rows that decide a claim, under the results."""
    return row["rows"].split(", ") if row["rows"] else []


# -- the rules -----------------------------------------------------------------------------------------------------


def verdicts_page() -> str:
    """What each verdict means, as the code has it."""
    rules = "\n".join(f"{word}\n: {rule}\n" for word, rule in RULES.items())
    better = {"higher": ", higher is better", "lower": ", lower is better", "none": ""}
    units = "\n".join(f"- `{name}`: {one.unit}{better[one.better]}." for name, one in METRICS.items())
    return f"""# How a verdict is reached

Verdicts are computed from stored rows and never typed. This page prints the rules as the code holds them.

{rules}
## Tests

{TESTS}

An estimate is a mean over prompts, or the logarithm of a ratio of such means. Its interval comes from {RESAMPLES:,}
resamples of the prompts (symmetric studentised bootstrap); the seeds and draws of a prompt are averaged first. Two
methods that are compared are resampled together. Every undecided claim states the smallest difference that its prompts
could have shown with 80% power: at the 5% level of one test, and at the level of the whole family.
[](../notebooks/shared/intervals) measures how far these intervals and decisions can be trusted.

[](../notebooks/shared/noise) says where the noise of our numbers comes from. We ask for at least {FEWEST_SEEDS} seeds
of a random method and {FEWEST_DRAWS} draws of a soft metric; the reason of a verdict says where there are fewer.

## What the metrics of the tables count

{units}
"""


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
