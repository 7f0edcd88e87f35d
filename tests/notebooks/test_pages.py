"""Pages show how each of their tables and figures is made: visible cells, short, from a tidy frame."""

import ast
import re

import jupytext
import pytest
from conftest import ROOT

PAGES = sorted((ROOT / "notebooks").rglob("*.py"))
HIDDEN = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
SHOWS = {"attribook.show.tables", "attribook.show.figures", "attribook.show.marked", "attribook.show.heatmap"}
MOST_LINES, MOST_CODE, MOST_DEF = 12, 75, 5


@pytest.fixture(params=PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def page(request):
    return jupytext.read(request.param)


def tags(cell) -> set[str]:
    return set(cell.metadata.get("tags", []))


def code_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def code_cells(page):
    return [cell for cell in page.cells if cell.cell_type == "code"]


def test_a_page_begins_with_folded_parameters_and_imports(page):
    parameters, plumbing, *rest = code_cells(page)
    assert {"parameters", "hide-input"} <= tags(parameters)
    assert "hide-input" in tags(plumbing)
    assert not any(re.search(r"^(from|import) ", cell.source, re.M) for cell in rest), (
        "imports stand in the second cell"
    )


def test_every_page_answers(page):
    answers = [cell for cell in code_cells(page) if "answer" in tags(cell)]
    assert len(answers) == 1
    assert "remove-input" in tags(answers[0])


def drawing(page) -> set[str]:
    """Names of the functions that draw, as the page imports them."""
    tree = ast.parse("\n".join(cell.source for cell in code_cells(page)))
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in SHOWS
        for alias in node.names
        if alias.name[:1].islower()
    }


def test_tables_and_figures_come_from_visible_cells(page):
    shown = drawing(page)
    for cell in code_cells(page)[1:]:
        tree = ast.parse(cell.source)
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        if calls & shown:
            assert not tags(cell) & HIDDEN, f"hidden: {cell.source[:80]}"
            assert len(code_lines(cell.source)) <= MOST_LINES, f"too long: {cell.source[:80]}"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < MOST_DEF, f"{node.name} is too long for a page"


def test_pages_are_short(page):
    _, _, *rest = code_cells(page)
    assert sum(len(code_lines(cell.source)) for cell in rest) <= MOST_CODE
    for cell in rest:
        if not tags(cell) & HIDDEN:
            assert len(code_lines(cell.source)) <= MOST_LINES, cell.source[:80]


def test_visible_cells_take_only_data_and_settings_from_papers(page):
    """A making that two pages share may stand in a paper's folder; then both pages show its source."""
    taken = {
        alias.asname or alias.name: str(node.module)
        for cell in code_cells(page)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("attribook.papers.")
        for alias in node.names
    }
    shown = "\n".join(cell.source for cell in page.cells)
    for cell in code_cells(page)[2:]:
        if tags(cell) & HIDDEN:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in taken:
                name, module = node.func.id, taken[node.func.id]
                known = module in {"attribook.papers.cells"} or re.search(rf"\bsource\({name}\)", shown)
                assert known or name[:1].isupper(), f"{name} of {module} makes a table out of sight"
