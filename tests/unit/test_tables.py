"""Tables: what stands in them, what only their download holds, and that nothing in them is read as anything else."""

import base64
import io
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from attribook.show.literal import literal
from attribook.show.source import source
from attribook.show.tables import table


class Cells(HTMLParser):
    """The texts of a table as a reader sees them, row by row, and the attributes of cells and of the link."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.caption, self.link, self.left, self._at = [], "", {}, [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            if tag == "th":
                self.left.append("left" in dict(attrs).get("style", ""))
        if tag == "a":
            self.link = dict(attrs)
        if tag in ("td", "th", "caption"):
            self._at = tag

    def handle_endtag(self, tag):
        if tag == self._at:
            self._at = ""

    def handle_data(self, data):
        if self._at == "caption":
            self.caption += data
        elif self._at:
            self.rows[-1][-1] += data


def shown(*args, **more):
    return Cells(table(*args, **more).source)


def downloaded(cells):
    kind, code = cells.link["href"].split(",")
    assert kind == "data:text/csv;charset=utf-8;base64"
    return pd.read_csv(io.BytesIO(base64.b64decode(code)))


FRAME = pd.DataFrame(
    {
        "method": ["m", "k"], "metric": ["soft_nc", "soft_nc"], "value": [0.51234, -0.1], "low": [0.4, float("nan")],
        "high": [0.6, float("nan")], "n": [40, 39], "failed": [0, 1], "p": [0.00001, 1.0],
        "detectable": [0.1, float("nan")],
    }
)  # fmt: skip


def test_an_estimate_has_eight_columns():
    told = shown(FRAME, "Soft-NC")
    assert told.caption == "Soft-NC"
    assert told.rows == [
        ["method", "metric", "value", "95% interval", "n (prompts)", "failed", "p", "smallest detectable difference"],
        ["m", "soft_nc", "+0.51", "+0.40 to +0.60", "40", "0", "< 0.0001", "0.10"],
        ["k", "soft_nc", "-0.10", "–", "39", "1", "1.0000", "–"],
    ]
    assert told.left == [True, True] + [False] * 6


def test_numbers_have_a_sign_only_where_one_is_negative():
    told = shown(FRAME[:1][["value", "low", "high"]], "c", digits=3)
    assert told.rows[1] == ["0.512", "0.400 to 0.600"]


def test_formats_by_column_are_shared_by_the_interval_and_what_was_published():
    frame = FRAME[["method", "value", "low", "high", "detectable"]].assign(share=[0.5, 0.25])
    printed = pd.DataFrame({"method": ["m"], "published": [0.7]})
    told = shown(frame, "c", digits={"value": "{:.0%}", "share": "{:.1%}"}, beside=printed)
    assert told.rows[:2] == [
        ["method", "published", "value", "95% interval", "smallest detectable difference", "share"],
        ["m", "70%", "51%", "40% to 60%", "0.10", "50.0%"],
    ]
    assert told.rows[2][1] == "–"


def test_other_intervals_keep_their_columns_names():
    frame = pd.DataFrame({"pool": ["a"], "gain": [-1.0], "gain low": [-2.0], "gain high": [3.0], "gain n": [7.0]})
    assert shown(frame, "c").rows == [
        ["pool", "gain", "gain interval", "gain n"],
        ["a", "-1.00", "-2.00 to +3.00", "7"],
    ]
    assert shown(frame, "c", names={"gain": "gain (points)", "gain interval": "its interval"}).rows[0] == [
        "pool", "gain (points)", "its interval", "gain n"
    ]  # fmt: skip
    alone = pd.DataFrame({"low": [1], "most low": ["x"]})
    assert shown(alone, "c").rows == [["low", "most low"], ["1", "x"]]


def test_published_cells_are_joined():
    printed = pd.DataFrame({"method": ["m", "z"], "metric": "soft_nc", "value": [1.5, 2.0], "column": "Average"})
    told = shown(FRAME, "c", beside=printed, drop=["metric"])
    assert told.rows[0][:3] == ["method", "published", "value"]
    assert [row[1] for row in told.rows[1:]] == ["+1.50", "–"]
    assert shown(FRAME, "c", beside=printed, on=["method"], drop=["p"]).rows[1][2] == "+1.50"
    with pytest.raises(ValueError, match="not a many-to-one"):
        table(FRAME, "c", beside=pd.concat([printed, printed]))
    with pytest.raises(ValueError, match="no column in common"):
        table(FRAME, "c", beside=printed[["column", "value"]])


def test_at_most_eight_columns_are_shown_and_all_are_in_the_download():
    wide = FRAME.assign(verdict=["supports", "undecided"])
    with pytest.raises(ValueError, match="at most 8 columns: `drop` some of method, metric, value, 95% interval"):
        table(wide, "c")
    told = shown(wide, "Table 2, LongRA: $x$", drop=["p", "metric"])
    assert "p" not in told.rows[0]
    assert told.link["download"] == "table-2-longra-x.csv"
    pd.testing.assert_frame_equal(downloaded(told), wide)
    with pytest.raises(KeyError):
        table(wide, "c", drop=["typo"])


def test_heads_are_given_by_names_and_told_apart():
    assert shown(FRAME[["n"]], "c", names={"n": "n (texts)"}).rows[0] == ["n (texts)"]
    with pytest.raises(ValueError, match="one head"):
        table(FRAME, "c", names={"n": "failed"})


def test_counts_are_whole_also_where_some_are_missing():
    told = shown(pd.DataFrame({"n": [3, None], "failed": [0.0, 1.0], "items": [10, 2], "right": [True, False]}), "c")
    assert told.rows[1:] == [["3", "0", "10", "yes"], ["–", "1", "2", "no"]]


def test_missing_values_are_a_dash_and_never_zero():
    for frame in (pd.DataFrame({"a": [1.5, float("nan")]}), pd.DataFrame({"a": [1.5, None]}, dtype=object)):
        assert shown(frame, "c").rows == [["a"], ["1.50"], ["–"]]


def test_what_the_index_names_is_shown():
    wide = FRAME.pivot(index="method", columns="metric", values="value")
    assert shown(wide, "c").rows == [["method", "soft_nc"], ["k", "-0.10"], ["m", "+0.51"]]


def test_words_stand_left_and_long_ones_are_wrapped():
    frame = pd.DataFrame({"why": ["word " * 9, None], "mixed": ["a", 1.0], "interval": ["+0.1 to +0.2", "–"]})
    html = table(frame, "c").source
    assert Cells(html).left == [True, False, False]
    assert html.count("white-space:normal") == 3


def test_an_empty_table_has_heads():
    assert shown(FRAME[:0], "c", drop=["p"]).rows == [
        ["method", "metric", "value", "95% interval", "n (prompts)", "failed", "smallest detectable difference"]
    ]


def test_nothing_is_markup_or_mathematics():
    bad = '<b title="x">$a$ & \\(b\\)</b>'
    html = table(pd.DataFrame({bad: [bad]}), bad).source
    told = Cells(html)
    assert told.rows == [[bad], [bad]]
    assert told.caption == bad
    visible = html[: html.index("<p class")]
    assert not re.search(r"<b|[$\\]", visible)
    assert "tex2jax_ignore mathjax_ignore" in visible
    assert literal("$x$") == "<span>&#36;</span>x<span>&#36;</span>"


def test_the_source_of_a_function_is_folded():
    html = source(literal).source
    assert html.startswith('<details class="attribook-source"><summary>source of <code>literal</code>')
    assert "<code>attribook.show.literal</code>" in html
    assert "def literal(text: object) -&gt; str:" in html
    assert "$" not in html
    assert source(Cells.handle_data).source.count("<pre>def handle_data(self, data):") == 1
