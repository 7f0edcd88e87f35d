"""Findings of the first page are sentences of pages' answers; what pages get when Sphinx writes them."""

from types import SimpleNamespace

import pytest
import yaml
from conftest import ROOT
from docutils import nodes, utils

from attribook.errors import AttribookError
from attribook.site.findings import finding
from attribook.site.head import complete, description
from attribook.site.profiles import notebook_names
from attribook.site.reads import finding_of

ANSWER = "In nats.\n\n- **Knowns**: it is +0.1 (R = 2, n = 3). *More* follows. And more.\n- **LongRA**: +0.2."


def test_a_finding_is_two_sentences_from_where_it_begins_at_most():
    assert finding(ANSWER, "**Knowns**", "p") == "**Knowns**: it is +0.1 (R = 2, n = 3). *More* follows."
    assert finding(ANSWER, "**LongRA**", "p") == "**LongRA**: +0.2."
    assert finding(ANSWER, "**Other** | **LongRA**", "p") == "**LongRA**: +0.2."
    with pytest.raises(AttribookError, match="p: no sentence of its answer begins with"):
        finding(ANSWER, "**Other**", "p")


def test_eight_pages_have_a_finding():
    found = [name for name in notebook_names() if finding_of(ROOT / "notebooks" / f"{name}.py")]
    assert len(found) == 8
    assert {name.split("/")[0] for name in found} == {"reagent", "noiser", "rpi"}


def test_the_first_page_cites_what_the_citation_file_says():
    told, page = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8")), (ROOT / "book/intro.md").read_text("utf-8")
    assert told["title"] in page
    assert f"Version {told['version']}, {told['license']} licence" in page


def test_pages_have_a_description_and_no_script_that_nothing_uses():
    page = utils.new_document("page")
    page += nodes.paragraph("", "What is " + "asked " * 60)
    used = SimpleNamespace(filename="_static/site.js", attributes={})
    thebe = SimpleNamespace(filename=None, attributes={"body": "const THEBE_JS_URL = 1"})
    context = {"script_files": [used, thebe, "_static/sphinx-thebe.js"], "metatags": "<meta />"}
    complete(None, "page", "", context, page)
    assert context["script_files"] == [used]
    told = description(page)
    assert told.startswith("What is asked asked")
    assert told.endswith("asked …")
    assert len(told) < 210
    assert context["metatags"] == f'<meta /><meta name="description" content="{told}" />\n'
