"""What is shown: escaped, in proportion, and without a value where there is none."""

import pandas as pd
import pytest

from attribook.show.colours import AGAINST, STRONGEST, SUPPORTS, strengths
from attribook.show.figures import intervals, lines, mass_bars, score_grid
from attribook.show.heatmap import heatmaps, page
from attribook.show.marked import marked_texts, with_marks
from attribook.show.tables import table
from attribook.show.terminal import coloured_text
from attribook.show.words import in_words


def test_strengths_are_relative_to_the_largest_score():
    assert strengths([1.0, -4.0, 0.0]) == [0.25, -1.0, 0.0]
    assert strengths([0.0, 0.0]) == [0.0, 0.0]
    assert strengths([]) == []


def test_heatmaps_escape_tokens_and_show_scores():
    html = heatmaps(["<b>", " a&b"], {"occlusion": [0.5, -1.0]}, {"occlusion": "2 fwd"})._repr_html_()
    assert "&lt;b&gt;" in html
    assert " a&amp;b" in html
    assert 'title="+0.5"' in html
    assert f"rgba(50,120,220,{STRONGEST:.2f})" in html
    assert "2 fwd" in html
    assert "<b>" not in html


def test_heatmaps_refuse_scores_of_another_length():
    with pytest.raises(ValueError, match="shorter"):
        heatmaps(["a", "b"], {"occlusion": [0.5]})


def test_a_page_is_whole_and_escaped():
    html = page("Why '<i>'?", {"model": "<script>"}, ["a"], [1.0], "occlusion")
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert "<script>" not in html


def test_missing_values_are_a_dash_and_never_zero():
    html = table(pd.DataFrame({"a": [1.5, float("nan")]}), caption="c", digits={"a": "{:.2f}"}).source
    assert "1.50" in html
    assert "–" in html
    assert "nan" not in html
    assert "0.00" not in html


def test_captions_are_part_of_a_table_and_markup_in_cells_is_text():
    html = table(pd.DataFrame({"a": ["<b>"]}), caption="Shares").source
    assert "<caption>Shares</caption>" in html
    assert "&lt;b&gt;" in html


FRAME = pd.DataFrame(
    {
        "method": ["m", "k"], "published": [1.0, float("nan")], "ours": [0.5, -0.1], "low": [0.4, -0.3],
        "high": [0.6, 0.1], "difference": [-0.5, float("nan")], "verdict": ["direction only", "not published"],
        "n": [40, 39], "failed": [0, 1], "detectable": [0.1, 0.2],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    "draw",
    [
        lambda: intervals(FRAME.rename(columns={"method": "name", "ours": "value"}), "nats", "alternative"),
        lambda: lines(pd.DataFrame({"a": [0.2, 0.5]}, index=pd.RangeIndex(2, name="step")), "share", "alternative"),
        lambda: mass_bars(pd.DataFrame({"a": [0.2], "b": [0.8]}, index=["m"]), "alternative"),
        lambda: score_grid(["a", " "], pd.DataFrame({"m": [0.0, 0.0], "k": [1.0, -2.0]}), "alternative"),
    ],
)
def test_figures_have_both_themes_and_say_what_they_show(draw):
    html = draw().source
    assert html.count("data:image/svg+xml") == 2
    assert "only-light" in html
    assert "only-dark" in html
    assert html.count('alt="alternative"') == 2
    assert html == draw().source, "the same figure is the same bytes"


def test_terminal_keeps_the_text():
    assert coloured_text(["a", " b"], [1.0, 0.0]).plain == "a b"


def test_marks_stand_around_runs_of_tokens_and_nothing_is_lost():
    html = with_marks(["The", " <b>", " old", "er", "\n", " home"], {1, 3, 4})
    assert html == "The <mark>&lt;b&gt;</mark> old<mark>er⏎</mark> home"
    assert with_marks([" ", "a"], {0}) == "<mark>␣</mark>a"  # nothing but a space: its name is marked
    assert with_marks(["a", " b"], set()) == "a b"


def test_marked_texts_are_told_by_more_than_colour():
    html = marked_texts({"<lime>": (["a", " b"], {1})}, {"<lime>": "two & more"}).source
    assert "a <mark>b</mark>" in html
    assert "&lt;lime&gt;" in html
    assert "two &amp; more" in html
    style = html[html.index("mark{") : html.index("</style>", html.index("mark{"))]
    for said in ("text-decoration:underline", "font-weight", "color:inherit", "content:' [mark: '"):
        assert said in style


def test_an_estimate_within_a_sentence():
    found = {"value": 0.314, "low": 0.1, "high": -0.0, "n": 24}
    assert in_words(found) == "+0.31 (+0.10 to -0.00, n = 24)"
    assert in_words(found, 1, sign="") == "0.3 (0.1 to -0.0, n = 24)"
    nan = float("nan")
    assert in_words(found | {"low": nan, "high": nan}) == "+0.31 (no interval, n = 24)"
    assert in_words(found | {"value": nan}) == "no value (n = 24)"


@pytest.mark.parametrize(("page", "text"), [((255, 255, 255), (34, 40, 50)), ((18, 20, 24), (206, 214, 221))])
@pytest.mark.parametrize("colour", [SUPPORTS, AGAINST])
def test_text_on_the_strongest_score_can_be_read_on_both_themes(page, text, colour):
    """WCAG's contrast of the theme's text on the blended colour, which is at least 4.5."""

    def luminance(rgb):
        parts = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in rgb)
        ]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    blended = [under * (1 - STRONGEST) + over * STRONGEST for under, over in zip(page, colour, strict=True)]
    low, high = sorted([luminance(text), luminance(blended)])
    assert (high + 0.05) / (low + 0.05) >= 4.5
