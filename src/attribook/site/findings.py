"""The findings of the first page: sentences of pages' answers, as their notebooks computed them.

A notebook names the sentence in its header, `attribook: {finding: how it begins}`, or several with ` | ` between them,
of which the first counts that is there. The first page tells it up to the end of its line, or of its second sentence
where the line is longer, behind a link to the page.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from attribook.errors import AttribookError
from attribook.paths import checkout
from attribook.site.pages import write_page
from attribook.site.profiles import notebook_names
from attribook.site.reads import finding_of

SENTENCES = 2


def write_findings(book: Path) -> None:
    """`claims/findings.inc`, which the first page includes."""
    lines = [f"- [](../notebooks/{name}). {text}" for name, text in findings(book)]
    write_page(book / "claims" / "findings.inc", "\n".join(lines) + "\n")


def findings(book: Path) -> Iterator[tuple[str, str]]:
    """Names of notebooks that have a finding, and its text."""
    for name in notebook_names():
        if begins := finding_of(checkout() / "notebooks" / f"{name}.py"):
            yield name, finding(answer(book / "notebooks" / f"{name}.ipynb"), begins, name)


def answer(notebook: Path) -> str:
    """The answer of an executed notebook, as Markdown."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        if "answer" in cell.metadata.get("tags", []):
            return "".join(str(output.get("data", {}).get("text/markdown", "")) for output in cell.outputs)
    raise AttribookError(f"{notebook} has no answer.")


def finding(text: str, begins: str, name: str) -> str:
    """The sentence that begins so, and the next one of its line. Raises: AttribookError where none does."""
    for wanted in begins.split(" | "):
        for line in text.splitlines():
            if wanted in line:
                return " ".join(re.split(r"(?<=[.?!]) (?=[A-Z`*])", line[line.index(wanted) :])[:SENTENCES])
    raise AttribookError(
        f"{name}: no sentence of its answer begins with {begins!r}. Change it in the notebook's header."
    )
