"""One page for each attribution method, all in one form, made from its docstring, its options and a stored run."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from attribook.attribution.base import KIND_NAMES, Method
from attribook.attribution.registry import METHODS
from attribook.errors import AttribookError
from attribook.grid.protocols import PROTOCOLS
from attribook.grid.study import Study
from attribook.show.heatmap import heatmaps
from attribook.show.literal import in_markdown
from attribook.show.tables import table
from attribook.show.tokens import label
from attribook.site.matrix import matrix_row
from attribook.site.pages import filled, write_page

SECTIONS = ("Formula", "Shapes", "Range", "Raises", "Source", "Differs")


@dataclass(frozen=True)
class Example:
    """What the pages explain: a study's model and data set, one for causal models and one for classifiers."""

    profile: str
    causal_model: str
    causal_data: str
    classifier_model: str
    classifier_data: str
    keep: str = "correct"
    on_classifier: str = ""  # methods that could explain either, and are shown on the classifier; commas between

    def study(self, method: Method) -> Study:
        """The study of one item whose stored scores a method's page shows."""
        causal = method.name not in self.on_classifier.split(",") and "causal_lm" in (method.kinds or ["causal_lm"])
        model, data = (self.causal_model, self.causal_data) if causal else (self.classifier_model, self.classifier_data)
        return Study(
            name="methods", profile=self.profile, model=model, dataset=data, protocol="attribook",
            methods=(method.name,), n_items=1, random_seeds=1, keep=self.keep,
        )  # fmt: skip


def docstring_parts(method: Method) -> dict[str, str]:
    """The idea under `Idea`, and every section of the docstring under its name, without line breaks.

    Raises: AttribookError for a docstring without one of the sections.
    """
    text = inspect.getdoc(method.function) or ""
    pieces = re.split(rf"^({'|'.join(SECTIONS)}):\s*", text, flags=re.MULTILINE)
    parts = {"Idea": pieces[0], **dict(zip(pieces[1::2], pieces[2::2], strict=True))}
    if missing := [name for name in SECTIONS if name not in parts]:
        raise AttribookError(f"The docstring of {method.name} lacks: {', '.join(missing)}.")
    return {name: " ".join(part.split()) for name, part in parts.items()}


def prose(text: str) -> str:
    """Docstring text as HTML: code between backticks, everything else as it stands."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def method_page(method: Method, example: Example) -> str:
    """The page in MyST Markdown."""
    works, families = matrix_row(method.name)
    study = example.study(method)
    return filled(
        "method.md", method=method, parts={name: prose(part) for name, part in docstring_parts(method).items()},
        options=options_table(method), model=study.model, **live(study, method), works=works, families=families,
        kinds=", ".join(KIND_NAMES[kind] for kind in method.kinds or KIND_NAMES),
    )  # fmt: skip


def options_table(method: Method) -> str:
    """Every option with its default, and the protocols that set another value; empty where there are none."""
    protocols = {name: protocol.method_options(method.name) for name, protocol in PROTOCOLS.items()}
    rows = []
    for option, default in method.defaults.items():
        values = {name: str(options[option]) for name, options in protocols.items() if option in options}
        said = [
            f"{value} ({', '.join(p for p in values if values[p] == value)})"
            for value in dict.fromkeys(values.values())
        ]
        rows.append({"option": option, "default": str(default), "set by a protocol": "; ".join(said) or "–"})
    return table(pd.DataFrame(rows), f"Options of {method.name}, and what protocols set instead").source if rows else ""


def live(study: Study, method: Method) -> dict[str, Any]:
    """The stored example with its heat map, or why there is none."""
    try:
        row = study.scores()[0]
    except AttribookError as error:
        return {"row": None, "refusal": error}
    cost = f"{row['forwards']} fwd, {row['backwards']} bwd, {row['seconds']:.2f} s"
    return {
        "row": row, "target": in_markdown(label(row["target"])),
        "heatmap": heatmaps(row["tokens"], {method.name: row["scores"]}, {method.name: cost}).source,
        "details": ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in row["details"].items()),
    }  # fmt: skip


def write_method_pages(folder: Path, profile: str, settings: Mapping[str, Any]) -> None:
    """A page for every registered method into `folder`, and none else."""
    example = Example(profile=profile, **settings)
    for method in METHODS.values():
        write_page(folder / f"{method.name}.md", method_page(method, example))
    for path in folder.glob("*.md"):
        if path.stem not in METHODS:
            path.unlink()
