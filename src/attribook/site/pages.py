"""Pages that are generated: the files in `templates/`, filled by jinja2, and written where they have changed."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = Environment(
    loader=PackageLoader("attribook.site"), autoescape=False, undefined=StrictUndefined, trim_blocks=True,
    keep_trailing_newline=True,
)  # fmt: skip  # pages are Markdown; what a template escapes as HTML it says


def filled(template: str, **values: Any) -> str:
    """A template with its values; one that is not given is an error."""
    return TEMPLATES.get_template(template).render(values)


def write_page(path: Path, text: str) -> None:
    """Write a page, touching it only where it differs, so that only changed pages are rendered again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
