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

SECTIONS = ("Formula", "Shapes", "Range", "Raises", "Source", "Differs")
HEADINGS = {"Range": "Range and direction", "Raises": "Errors", "Differs": "Paper, released code, and here"}


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
    parts = docstring_parts(method)
    blocks = [f"# {method.name}", html(f'<p class="attribook-idea">{prose(parts["Idea"])}</p>')]
    blocks += ["## Formula", html(f'<p class="attribook-formula">{prose(parts["Formula"])}</p>')]
    facts = "".join(
        f"<dt>{HEADINGS.get(name, name)}</dt><dd>{prose(parts[name])}</dd>" for name in ("Shapes", "Range", "Raises")
    )
    blocks += [html(f'<dl class="attribook-facts">{facts}</dl>')]
    blocks += [f"## {HEADINGS['Differs']}", html(f"<p>{prose(parts['Differs'])}</p>")]
    blocks += [html(f"<p><b>Source:</b> {prose(parts['Source'])}</p>")]
    blocks += ["## Options", options_block(method), "## Live", live_block(method, example)]
    blocks += [
        "## Cost and reach",
        reach(method),
        f"Version {method.version}. From a terminal:",
        terminal(method, example),
    ]
    return "\n\n".join(blocks) + "\n"


def html(source: str) -> str:
    """Raw HTML in MyST."""
    return f"```{{raw}} html\n{source}\n```"


def options_block(method: Method) -> str:
    """Every option with its default, and the protocols that set another value."""
    rows = [{"option": name, "default": str(value)} for name, value in method.defaults.items()]
    if not rows:
        return "None."
    for row in rows:
        values = {p: set_by(p, method, row["option"]) for p in PROTOCOLS}
        given = dict.fromkeys(value for value in values.values() if value)
        said = [f"{value} ({', '.join(p for p in values if values[p] == value)})" for value in given]
        row["set by a protocol"] = "; ".join(said) or "–"
    return html(table(pd.DataFrame(rows), f"Options of {method.name}, and what protocols set instead").source)


def set_by(protocol: str, method: Method, option: str) -> str:
    """The value that a protocol gives to an option, empty where it leaves the default."""
    return str(PROTOCOLS[protocol].method_options(method.name).get(option, ""))


def live_block(method: Method, example: Example) -> str:
    """A heat map of the stored example, or why there is none."""
    study = example.study(method)
    try:
        row = study.scores()[0]
    except AttribookError as error:
        return f"Not on this profile's model: {error}"
    cost = f"{row['forwards']} fwd, {row['backwards']} bwd, {row['seconds']:.2f} s"
    target = in_markdown(label(row["target"]))
    said = f"`{study.model}` predicts **{target}** with probability {row['probability']:.1%}."
    details = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in row["details"].items())
    shown = heatmaps(row["tokens"], {method.name: row["scores"]}, {method.name: cost}).source
    return "\n\n".join([said, html(shown), f"The method reports: {details}." if details else ""]).strip()


def reach(method: Method) -> str:
    """What it costs and what it can explain, in sentences."""
    works, families = matrix_row(method.name)
    kinds = ", ".join(KIND_NAMES[kind] for kind in method.kinds or KIND_NAMES)
    cost = f"A call adds `{method.forwards}` forwards and `{method.backwards}` backwards"
    return (
        f"{cost} (T tokens, P of them taken away or moved). Fits {kinds}; works on {len(works)} of the {len(families)} "
        f"models of [the matrix](../notebooks/shared/method_matrix): {', '.join(works)}."
    )


def terminal(method: Method, example: Example) -> str:
    """The command that explains a prompt of one's own."""
    model = example.study(method).model
    return f'```\nattribook explain --model {model} --method {method.name} "..."\n```'


def write_method_pages(folder: Path, profile: str, settings: Mapping[str, Any]) -> None:
    """A page for every registered method into `folder`, touching only what differs."""
    example = Example(profile=profile, **settings)
    folder.mkdir(parents=True, exist_ok=True)
    for method in METHODS.values():
        path, page = folder / f"{method.name}.md", method_page(method, example)
        if not path.is_file() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")
    for path in folder.glob("*.md"):
        if path.stem not in METHODS:
            path.unlink()
