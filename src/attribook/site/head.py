"""What each page of the site gets when Sphinx writes it: a description, and no script that nothing here uses."""

from html import escape
from typing import Any

from docutils import nodes

LONGEST = 200  # letters of a description
# Jupyter Book brings the scripts of live code, twice on each page, which the browser calls an error; one of them names
# an address elsewhere.
UNUSED = ("THEBE_JS_URL", "sphinx-thebe")


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx; after the extensions whose scripts are left out."""
    app.connect("html-page-context", complete, priority=1000)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def complete(_app: Any, _name: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Change the context of one page."""
    context["script_files"] = [one for one in context.get("script_files", ()) if not unused(one)]
    if doctree is not None and (told := description(doctree)):
        context["metatags"] = f'{context.get("metatags", "")}<meta name="description" content="{escape(told)}" />\n'


def unused(script: Any) -> bool:
    """Whether a script is one of those that nothing here uses."""
    text = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}"
    return any(word in text for word in UNUSED)


def description(doctree: nodes.document) -> str:
    """The first paragraph of a page, cut at a word."""
    first = next((one for one in doctree.findall(nodes.paragraph) if one.astext().strip()), None)
    text = " ".join(first.astext().split()) if first is not None else ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} …"
