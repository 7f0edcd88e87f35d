"""Pages of methods: every docstring has the form that they are made from, and they say what the code says."""

import pytest

from attribook.attribution.base import method
from attribook.attribution.registry import METHODS
from attribook.errors import AttribookError
from attribook.site.matrix import general, load_matrix, matrix_row
from attribook.site.method_pages import SECTIONS, Example, docstring_parts, method_page, prose, write_method_pages

SMOKE = {
    "causal_model": "tiny-llama", "causal_data": "longra-mini", "classifier_model": "tiny-bert",
    "classifier_data": "reviews-mini", "keep": "all",
}  # fmt: skip


@pytest.mark.parametrize("name", list(METHODS))
def test_docstrings_have_every_section_and_a_short_idea(name):
    parts = docstring_parts(METHODS[name])
    assert list(parts) == ["Idea", *SECTIONS]
    assert all(parts.values())
    assert parts["Idea"].count(". ") in (1, 2), "an idea is two or three sentences"


def test_a_docstring_without_a_section_is_refused():
    @method(version=1)
    def bare(model, encoding, *, generator=None):
        """An idea.

        Formula: none.
        """

    with pytest.raises(AttribookError, match="bare lacks: Shapes, Range, Raises, Source, Differs"):
        docstring_parts(bare)


def test_prose_escapes_and_marks_code():
    assert prose("a < b, `x & y`") == "a &lt; b, <code>x &amp; y</code>"


def test_a_page_shows_options_cost_and_a_heat_map():
    page = method_page(METHODS["occlusion"], Example(profile="smoke", **SMOKE))
    assert page.startswith("# occlusion\n")
    assert "attribook-heat" in page
    assert "`P` forwards" in page
    assert "operator" in page
    page = method_page(METHODS["decompx"], Example(profile="smoke", **SMOKE))
    assert "tiny-bert" in page
    assert "completeness gap" in page


def test_a_model_that_a_method_cannot_explain_is_said_on_its_page():
    example = Example(profile="smoke", **{**SMOKE, "causal_model": "tiny-gptj"})
    assert "Not on this profile's model: alti_logit cannot" in method_page(METHODS["alti_logit"], example)


def test_pages_are_written_for_methods_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("attribook.site.method_pages.method_page", lambda m, example: f"# {m.name}\n")
    (tmp_path / "gone.md").write_text("old", encoding="utf-8")
    write_method_pages(tmp_path, "smoke", SMOKE)
    assert {path.stem for path in tmp_path.iterdir()} == set(METHODS)


def test_the_matrix_covers_all_methods_and_counts_what_the_formulas_say():
    cells = load_matrix()
    assert list(dict.fromkeys(cells["method"])) == list(METHODS)
    assert not cells.duplicated(["method", "model"]).any()
    assert len(cells) == len(METHODS) * cells["model"].nunique()
    assert set(zip(cells["method"], cells["version"], strict=True)) == {(n, str(m.version)) for n, m in METHODS.items()}
    works, families = matrix_row("rpi")
    assert set(families) - set(works) == {"gptj"}


def test_equal_reasons_for_a_refusal_are_one():
    cells = load_matrix().query("works != 'True'")
    reasons = {general(reason, name) for reason, name in zip(cells["reason"], cells["model"], strict=True)}
    assert len(reasons) < len(cells)
    assert all("Use " in reason for reason in reasons)
    one = "alti cannot explain tiny-gpt2, a causal language model: it does. Use lime."
    assert general(one, "tiny-gpt2") == "cannot explain a causal language model: it does. Use lime."
