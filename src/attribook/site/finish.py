"""From an executed notebook to a page of the book: parameters as one table, and nothing that only a terminal needs."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import nbformat

from attribook.site.profiles import Parameter

PARAMETERS, INJECTED = "parameters", "injected-parameters"  # papermill's tags


def finish(draft: Path, output: Path, declared: Mapping[str, Parameter], injected: Mapping[str, Any]) -> None:
    """Move an executed notebook into the book without bars, paths and times, its parameters as a folded table.

    The cells of the parameters stay in the notebook, which can so be run again, and are not shown on its page.
    """
    notebook = nbformat.read(draft, as_version=4)
    notebook.metadata.pop("papermill", None)
    cells = []
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
        tags = cell.metadata.get("tags", [])
        if PARAMETERS in tags:
            cells.append(nbformat.v4.new_markdown_cell(parameters_table(declared, injected), id=PARAMETERS))
        if {PARAMETERS, INJECTED} & set(tags):
            cell.metadata["tags"] = [*(tag for tag in tags if tag != "hide-input"), "remove-cell"]
        cells.append(cell)
    notebook.cells = cells
    nbformat.write(notebook, output)


def parameters_table(declared: Mapping[str, Parameter], injected: Mapping[str, Any]) -> str:
    """What a page was run with, folded, in MyST Markdown."""
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td><code>{escape(repr(injected.get(name, one.default)))}</code></td>"
        f'<td class="wrap">{escape(one.about)}</td></tr>'
        for name, one in declared.items()
    )
    head = "<tr><th>parameter</th><th>value</th><th class='wrap'>meaning</th></tr>"
    table = f'<table class="attribook-table"><thead>{head}</thead><tbody>{lines}</tbody></table>'
    return f":::{{dropdown}} Parameters of this run\n```{{raw}} html\n{table}\n```\n:::"
