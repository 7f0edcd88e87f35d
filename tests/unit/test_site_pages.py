"""Pages of the site: former addresses lead on, and what a page was run with stands in one table."""

import nbformat
import yaml
from conftest import ROOT

from attribook.site.finish import finish, parameters_table
from attribook.site.profiles import declared
from attribook.statistics.tests import LEAST_N

NOTEBOOK = """# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
prompt: str = "a # sign & more"  # explained
n_items: int = 24
"""


def pages():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {contents["root"], *(each["file"] for part in contents["parts"] for each in part["chapters"])}


def test_former_addresses_lead_to_pages_and_hide_none():
    redirects = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]["redirects"]
    assert len(redirects) >= 44
    for former, target in redirects.items():
        place = (ROOT / former).parent / target.removesuffix(".html")
        assert place.resolve().relative_to(ROOT).as_posix() in pages(), former
        assert former not in pages()


def test_comments_of_parameters_are_their_meaning(tmp_path):
    path = tmp_path / "page.py"
    path.write_text(NOTEBOOK, encoding="utf-8")
    found = declared(path)
    assert {name: one.about for name, one in found.items()} == {
        "profile": "which stored rows to read", "prompt": "explained", "n_items": "",
    }  # fmt: skip
    table = parameters_table(found, {"profile": "smoke", "n_items": 2})
    assert "<td><code>&#x27;a # sign &amp; more&#x27;</code></td>" in table
    assert "<td><code>n_items</code></td><td><code>2</code></td>" in table
    assert table.startswith(":::{dropdown}")


def test_a_finished_page_shows_its_parameters_once_and_can_be_run_again(tmp_path):
    path, draft, output = (tmp_path / name for name in ("page.py", "draft.ipynb", "page.ipynb"))
    path.write_text(NOTEBOOK, encoding="utf-8")
    new, code = nbformat.v4, nbformat.v4.new_code_cell
    cells = [new.new_markdown_cell("# Page")]
    cells += [code("profile = 'laptop'", metadata={"tags": ["parameters", "hide-input"]})]
    cells += [code("profile = 'smoke'", metadata={"tags": ["injected-parameters"]})]
    cells += [code("1 + 1", outputs=[new.new_output("stream", name="stderr", text="3 of 4")])]
    nbformat.write(new.new_notebook(cells=cells), draft)
    finish(draft, output, declared(path), {"profile": "smoke"})
    title, table, own, injected, visible = nbformat.read(output, as_version=4).cells
    assert title.source == "# Page"
    assert "<td><code>&#x27;smoke&#x27;</code></td>" in table.source
    assert [cell.source for cell in (own, injected)] == ["profile = 'laptop'", "profile = 'smoke'"]
    assert own.metadata.tags == ["parameters", "remove-cell"]
    assert injected.metadata.tags == ["injected-parameters", "remove-cell"]
    assert not visible.metadata
    assert not visible.outputs


def test_the_page_on_reading_tables_names_the_least_n():
    text = (ROOT / "book" / "reading.md").read_text(encoding="utf-8")
    assert f"Nothing is decided on fewer than {LEAST_N} prompts" in " ".join(text.split())
