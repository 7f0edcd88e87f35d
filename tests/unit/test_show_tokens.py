"""Tokens for readers: nothing is invisible, nothing is markup, and pages, figures, terminals and JSON stay valid."""

import base64
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from html import unescape
from html.parser import HTMLParser

import pandas as pd
import pytest
from conftest import ROOT
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from markdown_it import MarkdownIt
from matplotlib import font_manager
from rich.console import Console

from attribook.cli.explain import explain
from attribook.errors import AttribookWarning
from attribook.models.load import load_model
from attribook.show import figures, glyphs
from attribook.show.badges import badge
from attribook.show.heatmap import heatmaps, page
from attribook.show.literal import attribute, in_markdown, literal
from attribook.show.marked import marked_texts, with_marks
from attribook.show.tables import table
from attribook.show.terminal import coloured_text
from attribook.show.tokens import display_tokens, label, labels, named

NASTY = {
    "script": "</span><script>alert(1)</script>",
    "quotes": "\"' onload='x' \"",
    "ampersands": "&amp; && &lt",
    "comment": "<!-- --> ]]> -- <?x?>",
    "mathematics": "$$ $5 and $6 \\(x\\) $x_1^2$",
    "rich": "[red]a[/red] :warning: [link=x]b",
    "right to left": "a\u202eb\u2066c\u200f שלום",
    "control": "\x00\x01\x07\x1b[31m\x7f\x85\u2028\u2029",
    "breaks": "a\r\n\rb\tc\v\f",
    "blank": "\u200b\u00a0\u3000\u2800\u3164\ufe0f\u034f\u00ad\ufeff",
    "surrogates": "\ud800\udfff",
    "nothing assigned": "\u0378\ue000\ufffe\U0010ffff",
    "scripts": "東京 한국어 हिन्दी 🥰👨\u200d👩\u200d👧🇯🇵",
    "long": "x" * 5000,
    "accents": "\u0301\u0302e\u0301",
    "empty": "",
}
VOID = {"meta", "img"}
OURS = {
    *("html", "head", "title", "style", "body", "h1", "dl", "dt", "dd", "div", "p", "a", "span", "small", "mark"),
    *("table", "tbody", "thead", "caption", "tr", "th", "td", *VOID),
}


def lengthened(texts, n=100):
    """The texts, and others of any characters, drawn by seed."""
    draw = random.Random(0)
    ranges = [(0, 0xA0), (0, 0x3100), (0x2000, 0x2070), (0, 0x110000)]
    drawn = ["".join(chr(draw.randrange(*draw.choice(ranges))) for _ in range(draw.randrange(6))) for _ in range(n)]
    return [*texts, *drawn]


class Parsed(HTMLParser):
    """Elements of HTML that must be balanced, with their attributes, and the text of each `.attribook-heat` cell."""

    def __init__(self, html):
        super().__init__()
        self.open, self.attributes, self.cells = [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        for letter in html:  # what HTML may not hold, whether or not written as an entity
            assert letter in "\n\t" or letter.isprintable() or letter in "\u200c\u200d" or letter.isspace()
            assert letter not in "\r\v\f\x85\u2028\u2029\ufeff"
        html.encode("utf-8")

    def handle_starttag(self, tag, attrs):
        assert tag in OURS, f"{tag} is none of ours"
        assert len(dict(attrs)) == len(attrs)
        assert {name for name, _ in attrs} <= {"style", "title", "class", "scope", "lang", "charset", "name", "content",
                                               "alt", "src", "href", "download"}  # fmt: skip
        self.attributes.append((tag, dict(attrs)))
        if tag == "td":
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.cells[-1] += data


def svgs(html):
    """The pictures of a figure, as XML that could be read."""
    return [ElementTree.fromstring(base64.b64decode(code)) for code in re.findall(r"base64,([^\"]+)", html)]


def seen_in(html):
    """What a figure writes: matplotlib puts each text into a comment before its outlines."""
    picture = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode()
    return [text.strip() for text in re.findall(r"<!-- (.*?) -->", picture, flags=re.DOTALL)]


# -- what is shown instead of nothing ------------------------------------------------------------------------------


def test_pieces_of_a_character_are_that_character_with_their_part():
    assert display_tokens(["I", " love", " 🥰", ""]) == ["I", " love", " 🥰 1/2", "🥰 2/2"]
    assert display_tokens(["x東", "", "", "é", ""]) == ["x東 1/3", "東 2/3", "東 3/3", "é 1/2", "é 2/2"]
    assert display_tokens(["東", "東"]) == ["東", "東"]


def test_an_empty_token_that_is_no_piece_is_named():
    assert display_tokens(["", "a"]) == ["∅", "a"]  # SentencePiece's first token
    assert display_tokens(["<s>", "", "a"]) == ["<s>", "∅", "a"]  # one byte has no parts


@pytest.mark.parametrize(
    ("text", "shown"),
    {
        "\n": "⏎", "\r\n": "␍⏎", "\t": "⇥", "\u200b": "U+200B", "\x00": "U+0000", "\u202e": "U+202E",
        "\u00a0": "U+00A0", "\u3164": "U+3164", "\ufe0f": "U+FE0F", "\ud800": "U+D800", "\U000e0020": "U+E0020",
        "\u0301": "◌\u0301", "❤\ufe0f": "❤\ufe0f", "👨\u200d👩": "👨\u200d👩", "👨\u200d": "👨U+200D",
        "می\u200cخواهم": "می\u200cخواهم", " Japan": "Japan", "  ": "␣␣", "": "∅", "a b": "a b",
    }.items(),
)  # fmt: skip
def test_a_label_is_never_blank(text, shown):
    assert label(text) == shown


def test_every_code_point_is_seen():
    """A character of every kind: what is shown is printable, and blank by no rule of Unicode that we know."""
    hidden = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    for code in range(0x110000):
        shown = label(chr(code))
        assert shown.isprintable()
        assert shown.strip()
        assert shown[0] not in hidden
        assert not "\ufe00" <= shown[0] <= "\ufe0f"


def test_a_line_break_is_named_and_still_breaks():
    assert coloured_text(["a", "\n", "b"], [1.0, 1.0, 0.0]).plain == "a⏎\nb"
    assert "⏎\n</span>" in heatmaps(["a", "\n"], {"m": [0.0, 1.0]}).source


def test_cells_that_are_blank_say_what_they_hold():
    html = table(pd.DataFrame({"next token": ["\n", " ", " \t", "\u200b", ""]}), "c").source
    assert Parsed(html).cells == ["⏎", "␣", "⇥", "U+200B", ""]


def test_marks_keep_the_parts_of_a_character():
    assert with_marks(["a", " 🥰", ""], {2}) == "a 🥰 1/2<mark>🥰 2/2</mark>"


# -- nothing is markup ---------------------------------------------------------------------------------------------


def test_texts_are_literal_where_html_shows_them():
    assert literal("$5 <b>\x00\n") == "<span>&#36;</span>5 &lt;b&gt;U+0000\n"
    assert attribute('x<b>y&z "$"\n') == "x&lt;b&gt;y&amp;z &quot;$&quot;⏎"
    heat = heatmaps(["$5", " and", " $6"], {"$m$": [1.0, 0.0, 1.0]}, {"$m$": "$note$"}).source
    marked = marked_texts({"$m$": (["$5", " and", " $6"], {0, 2})}, {"$m$": "\\(x\\)"}).source
    for html in (heat, marked):
        assert not set("$\\") & set(html[html.rindex("</style>") :]), "MathJax would read it"
        assert "mathjax_ignore" in html
        assert Parsed(html).cells == ["$5 and $6"]


NAME = "x<b>y&z $$ \"'_"
ROWS = pd.DataFrame(
    {"name": [NAME, "$a_1$"], "value": [0.5, 0.1], "low": [0.4, 0.0], "high": [0.6, 0.2], "steps": [1, 10]}
)
DRAWN = {
    "score_grid": lambda: figures.score_grid(["$$", "\\$", "<b>"], pd.DataFrame({NAME: [1.0, 0, 2]}), NAME),
    "mass_bars": lambda: figures.mass_bars(pd.DataFrame({NAME: [0.2], "$b$": [0.8]}, index=["$$"]), NAME),
    "curves": lambda: figures.curves(ROWS, NAME, NAME, across="$$"),
    "intervals": lambda: figures.intervals(ROWS, "$$", NAME),
    "scatter": lambda: figures.scatter(ROWS.rename(columns={"low": "$$"}), "value", "$$", "name", NAME),
    "lines": lambda: figures.lines(pd.DataFrame({NAME: [0.2, 0.5]}, index=pd.RangeIndex(2, name="$$")), "$y$", NAME),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_show_dollars_and_angle_brackets_as_they_are(name):
    html = DRAWN[name]().source
    assert [found["alt"] for tag, found in Parsed(html).attributes if tag == "img"] == [NAME, NAME]
    assert len(svgs(html)) == 2
    assert any("$$" in text for text in seen_in(html))


def test_legends_keep_names_that_begin_with_an_underscore():
    html = figures.lines(pd.DataFrame({"_own": [0.2, 0.5], "b": [0.1, 0.2]}), "y", "alt").source
    assert "_own" in seen_in(html)


def test_markdown_reads_nothing_in_a_text_of_others():
    text = "**a** `b` [c](d) <b> _e_ # f $5$ \\(x\\) ~~g~~ :h: | &amp;\n- i\n\n    j"
    told = MarkdownIt("gfm-like", {"linkify": False}).render(f"It says **{in_markdown(text)}**.")
    assert told.startswith("<p>It says <strong>")
    assert unescape(re.sub("</?span>", "", told)) == f"<p>It says <strong>{named(text)}</strong>.</p>\n"
    assert "$5" not in told


def test_a_prompt_full_of_dollars_and_emoji_passes_through_the_page_of_one_prediction(monkeypatch):
    """The cells of the notebook, with a prompt that stopped it: mathtext read `$$` in the labels of its figure."""
    source = (ROOT / "notebooks" / "shared" / "one_prediction.py").read_text(encoding="utf-8")
    for name, value in {
        "model": "tiny-gpt2",
        "prompt": "pay $5 $$ and $6 for 東京 🥰\n<b>now</b> & `x` **y** $$",
    }.items():
        source = re.sub(rf"^{name}: str = .*$", lambda _, new=f"{name} = {value!r}": new, source, flags=re.MULTILINE)
    place = {}
    exec(compile(source, "one_prediction.py", "exec"), place)
    assert "$$" in place["prompt"]
    assert place["scores"].shape == (len(place["tokens"]), len(place["methods"]))


def test_badges_are_escaped():
    picture = ElementTree.fromstring(badge(NAME, "</svg><script>"))
    assert picture.get("aria-label") == f"{NAME}: </svg><script>"


# -- scripts that no font has --------------------------------------------------------------------------------------


@pytest.fixture
def bare_fonts(monkeypatch):
    """The fonts that come with matplotlib, whatever this machine has."""
    own = [entry for entry in font_manager.fontManager.ttflist if "mpl-data" in str(entry.fname)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    forget()
    yield
    forget()


def forget():
    glyphs.family_of.cache_clear()
    glyphs.characters.cache_clear()


def with_font(path, letter):
    """A font that has one character, which is a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "square"])
    font.setupCharacterMap({ord(letter): "square"})
    font.setupGlyf({".notdef": square, "square": square})
    font.setupHorizontalMetrics({".notdef": (800, 0), "square": (800, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Own Script", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    font_manager.fontManager.addfont(path)


@pytest.mark.usefixtures("bare_fonts")
def test_characters_that_no_font_has_are_told_apart_and_the_alt_text_says_so():
    html = figures.score_grid(["東京", " 大阪", " 🥰", "", "é"], pd.DataFrame({"m": range(5)}), "Scores").source
    written = seen_in(html)
    for text in ("U+6771 U+4EAC", "U+5927 U+962A", "U+1F970 1/2", "U+1F970 2/2", "é"):
        assert text in written
    (alt, _) = [found["alt"] for tag, found in Parsed(html).attributes if tag == "img"]
    assert alt.startswith("Scores. No font here has these characters, so they are written as code points: U+4EAC is 京")
    assert "é" not in alt


@pytest.mark.usefixtures("bare_fonts")
def test_code_points_do_not_run_into_letters():
    assert glyphs.writable("a東b") == "a U+6771 b"
    assert glyphs.writable("東 京") != glyphs.writable("東京")
    assert glyphs.writable("plain  text") == "plain  text"


@pytest.mark.usefixtures("bare_fonts")
def test_an_installed_font_is_taken_where_it_has_the_character(tmp_path):
    with_font(tmp_path / "own.ttf", "東")
    forget()
    html = figures.score_grid(["東", "京"], pd.DataFrame({"m": [1.0, 2.0]}), "Scores").source
    assert {"東", "U+4EAC"} <= set(seen_in(html))
    assert "U+6771" not in html
    assert glyphs.families(["東", "京"]) == ["DejaVu Sans", "Own Script"]


@pytest.mark.usefixtures("bare_fonts")
def test_long_labels_lose_their_middle_and_no_part_of_a_code_point():
    assert figures.short("x" * 41) == "x" * 20 + "…" + "x" * 20
    assert figures.short("東" * 50) == "U+6771 U+6771 … U+6771 U+6771"


# -- any text ------------------------------------------------------------------------------------------------------


def test_pages_hold_any_text_and_show_every_token():
    for text in lengthened(NASTY.values()):
        tokens = ["a", text, text, " b"]
        whole = Parsed(page(text, {text: text}, tokens, [0.0, 1.0, -1.0, 0.5], text))
        shown = "".join(display_tokens(tokens))
        assert whole.cells[0].replace("⏎\n", "⏎") == shown
        assert [found["title"] for tag, found in whole.attributes if "title" in found] == ["+0", "+1", "-1", "+0.5"]
        marked = Parsed(marked_texts({text: (tokens, {1, 3})}, {text: text}).source)
        assert marked.cells[0].replace("␣", " ") == shown.replace("␣", " ")
        Parsed(table(pd.DataFrame({f"head {text}": [text]}), text).source)


def test_the_terminal_shows_any_text_and_obeys_none():
    for text in lengthened(NASTY.values()):
        with (console := Console(width=80, force_terminal=True, color_system=None)).capture() as told:
            console.print(coloured_text(["a", text], [0.0, 1.0]), end="", soft_wrap=True)
        shown = told.get()
        assert shown.replace("⏎\n", "⏎") == "".join(display_tokens(["a", text]))
        assert all(letter.isprintable() or letter in "\n\u200c\u200d" for letter in shown)
        assert all(label.strip() for label in labels(["a", text]))


@pytest.mark.filterwarnings("error")
def test_figures_hold_any_text():
    texts = lengthened(NASTY.values(), n=30)
    html = figures.score_grid(texts, pd.DataFrame({"m": range(len(texts)), NASTY["script"]: 1}), "".join(texts)).source
    Parsed(html)
    assert len(svgs(html)) == 2


def answered(capsys, prompt, **more):
    given = {
        "model": "tiny-gpt2",
        "method": "input_x_gradient",
        "target": None,
        "option": None,
        "seed": 0,
        "html": None,
    }
    explain(prompt, **{**given, "as_json": False, **more})
    return capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(set(NASTY) - {"surrogates", "empty", "long"}))
def test_explain_shows_any_prompt(name, capsys, tmp_path):
    prompt = f"In the city {NASTY[name]} of"
    answer = json.loads(answered(capsys, prompt, as_json=True))
    assert "".join(answer["tokens"]) == prompt, "rows and JSON keep the texts"
    assert len(answer["ids"]) == len(answer["scores"]) == len(answer["tokens"])
    told = answered(capsys, prompt)
    assert all(letter.isprintable() or letter in "\n\u200c\u200d" for letter in told)
    answered(capsys, prompt, html=tmp_path / "why.html")
    whole = Parsed((tmp_path / "why.html").read_bytes().decode("utf-8"))
    assert ("meta", {"charset": "utf-8"}) in whole.attributes
    assert whole.cells[0].replace("⏎\n", "⏎") == "".join(display_tokens(answer["tokens"]))


def test_explain_names_a_target_without_visible_text(capsys, tmp_path):
    answered(capsys, "In the city", target="\n", html=tmp_path / "why.html")
    html = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert "<title>Why &#x27;⏎&#x27;?</title>" in html
    assert "→ ⏎ (p = " in answered(capsys, "In the city", target="\n")


def test_targets_that_are_bytes_of_a_character_are_told_apart_by_their_ids(capsys):
    with pytest.warns(AttribookWarning, match="tokens; its first"):
        told = [answered(capsys, "I love you", target=target) for target in "🥰é"]
    assert re.findall(r"→ � \(token (\d+)\) \(p = ", "".join(told)) == ["175", "130"]


def test_explain_names_the_parts_of_a_character(capsys):
    told = answered(capsys, "I love you 🥰")
    assert "🥰 1/4🥰 2/4🥰 3/4🥰 4/4" in told
    strongest = told[told.index("strongest:") :].replace("\n", " ")
    assert all(
        re.fullmatch(r"\S.* [+-]\d\S*", one) for one in strongest.removeprefix("strongest: ").strip().split(", ")
    )


def test_the_default_model_names_all_parts_of_an_emoji(smollm):
    tokens = load_model("smollm2-135m").encode("I love you 🥰").tokens
    assert tokens[-3:] == [" 🥰", "", ""]
    assert labels(tokens)[-3:] == ["🥰 1/3", "🥰 2/3", "🥰 3/3"]
