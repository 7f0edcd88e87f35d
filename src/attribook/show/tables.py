"""Tables as HTML: estimates with their intervals, published values beside them, and everything in a download."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import pandas as pd

from attribook.show.heatmap import Html
from attribook.show.literal import literal
from attribook.show.tokens import label

MOST_COLUMNS = 8
LONG = 30  # characters, beyond which words are wrapped
DASH = "–"
HEADS = {
    "n": "n (prompts)", "detectable": "smallest detectable difference",
    "detectable (max-T)": "smallest difference detectable in the family",
}  # fmt: skip
BARRED = "no verdict"  # a column of reasons, which the caption tells once
COUNTS = ("n", "failed")
Digits = int | Mapping[str, str]
Texts = dict[str, list[str]]  # a column's head, and its cells from top to bottom


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    digits: Digits = 2,
    beside: pd.DataFrame | None = None,
    on: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
) -> Html:
    """A table with its caption above and a link below, behind which all its columns are, as CSV with nine digits.

    Columns `low` and `high` become one, "95% interval"; `x low` and `x high` become "x interval". Missing values are a
    dash, never 0. Words stand left, numbers right. Why rows have no verdict stands in the caption.

    digits: decimals of all numbers that are no counts; or formats by column, as `{"value": "{:+.3f}"}`, which the ends
        of its interval and `published` share; the rest then has two decimals. Where no format is given, numbers have a
        sign if one of their column, its interval or what was published is negative.
    beside: published cells, joined by the columns `on` (by default, those that both have): their column `published`, or
        else `value`, stands before ours. A published cell without a row here is not shown.
    names: heads of columns, where not the ones of `HEADS`.
    drop: columns that only the download has.
    Raises: ValueError with more than eight columns, with two of one head, where several published cells belong to one
        row, or where they have no column in common with the table.
    """
    whole = frame.reset_index([name for name in frame.index.names if name is not None])
    whole = whole if beside is None else with_published(whole, beside, on)
    shown = whole.drop(columns=[*drop, *barred_columns(whole)])
    caption += why_no_verdict(whole)
    texts = columns_of(shown, digits)
    if len(texts) > MOST_COLUMNS:
        raise ValueError(f"A table shows at most {MOST_COLUMNS} columns: `drop` some of {', '.join(texts)}.")
    heads = {name: {**HEADS, **(names or {})}.get(name, name) for name in texts}
    if len(set(heads.values())) < len(heads):
        raise ValueError(f"Two columns have one head: {', '.join(heads.values())}.")
    words = {heads[name] for name in worded(shown)}
    return Html(drawn({heads[name]: cells for name, cells in texts.items()}, words, caption) + download(whole, caption))


def why_no_verdict(frame: pd.DataFrame) -> str:
    """The end of a caption: why rows of the table cannot be decided, and how many there are."""
    barred = frame[barred_columns(frame)].replace("", None)
    many = int(barred.notna().any(axis=1).sum())
    reasons = dict.fromkeys(reason for name in barred for reason in barred[name].dropna())
    which = "" if many == len(frame) else f" ({many} of {len(frame)} rows)"
    return f"; no verdict where {' or '.join(reasons)}{which}" if many else ""


def barred_columns(frame: pd.DataFrame) -> list[str]:
    """Columns that say why there is no verdict; merged tables have several."""
    return [name for name in map(str, frame) if name.startswith(BARRED)]


# -- what stands in the cells --------------------------------------------------------------------------------------


def with_published(frame: pd.DataFrame, beside: pd.DataFrame, on: Sequence[str] | None) -> pd.DataFrame:
    """The frame with a column `published` before its values."""
    printed = beside if "published" in beside else beside.rename(columns={"value": "published"})
    keys = list(on) if on else [name for name in frame if name in printed and name not in ("published", "value")]
    if not keys:
        raise ValueError("The table and the published cells have no column in common: name them alike, or give `on`.")
    joined = frame.merge(printed[[*keys, "published"]], on=keys, how="left", validate="many_to_one")
    joined.insert(list(frame).index("value") if "value" in frame else len(keys), "published", joined.pop("published"))
    return joined


def columns_of(frame: pd.DataFrame, digits: Digits) -> Texts:
    """The columns as texts, the two ends of an interval as one."""
    texts: Texts = {}
    for name in map(str, frame):
        stem, low, high = interval_at(name, frame)
        if name == low:
            ends = zip(written(frame, low, digits, stem), written(frame, high, digits, stem), strict=True)
            cells = [DASH if DASH in pair else " to ".join(pair) for pair in ends]
            texts["95% interval" if stem == "value" else f"{stem} interval"] = cells
        elif name != high:
            texts[name] = written(frame, name, digits)
    return texts


def interval_at(name: str, frame: pd.DataFrame) -> tuple[str, str, str]:
    """If a column is one end of an interval: whose it is, and both its ends. Empty if not."""
    stem, _, end = name.rpartition(" ")
    low, high = (f"{stem} {each}".strip() for each in ("low", "high"))
    return (stem or "value", low, high) if end in ("low", "high") and low in frame and high in frame else ("", "", "")


def written(frame: pd.DataFrame, name: str, digits: Digits, stem: str = "") -> list[str]:
    """The cells of a column as texts. `stem`: the column whose interval this one is an end of."""
    style = style_of(frame, name, digits, stem or name)
    return [cell_text(cell, style) for cell in frame[name]]


def style_of(frame: pd.DataFrame, name: str, digits: Digits, stem: str) -> Callable[[Any], str]:
    """How the numbers of a column are written."""
    kin = "value" if stem == "published" else stem
    given = {} if isinstance(digits, int) else digits
    if style := given.get(name, given.get(kin)):
        return style.format
    if re.fullmatch(r"p( \(.*\))?", name):
        return small_p
    if name in COUNTS or name.endswith(" n"):
        return "{:.0f}".format
    ends = ("low", "high", "published") if kin == "value" else (f"{kin} low", f"{kin} high")
    alike = frame[[one for one in dict.fromkeys((name, kin, *ends)) if one in frame]].select_dtypes("number")
    sign = "+" if (alike.astype(float) < 0).to_numpy().any() else ""
    plain = f"{{:{sign}.{digits if isinstance(digits, int) else 2}f}}".format
    return lambda cell: str(cell) if isinstance(cell, Integral) else plain(cell)


def cell_text(cell: Any, style: Callable[[Any], str]) -> str:
    """A cell as text: words as they are, blanks by name, numbers in a style, a dash where there is nothing."""
    if isinstance(cell, str):
        return label(cell) if cell.isspace() else cell
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return DASH
    if pd.api.types.is_bool(cell):
        return "yes" if cell else "no"
    return style(cell) if pd.api.types.is_number(cell) else str(cell)


def small_p(p: float) -> str:
    """A p-value, which is never written as 0."""
    return f"{p:.4f}" if p >= 0.0001 else "< 0.0001"


# -- HTML ----------------------------------------------------------------------------------------------------------


def worded(frame: pd.DataFrame) -> set[str]:
    """Columns of words: every cell is text or missing, and some begin with a letter or are long."""
    words = set()
    for name in map(str, frame):
        known = frame[name].dropna()
        if all(isinstance(cell, str) for cell in known) and any(c[:1].isalpha() or len(c) > LONG for c in known):
            words.add(name)
    return words


def drawn(texts: Texts, words: set[str], caption: str) -> str:
    """The table itself; columns of words stand left, and long ones are wrapped."""
    styles = {name: ' style="text-align:left"' if name in words else "" for name in texts}
    for name in words & set(texts):
        if any(len(cell) > LONG for cell in texts[name]):
            styles[name] = ' style="text-align:left;white-space:normal"'
    head = "".join(f'<th scope="col"{styles[name]}>{literal(name)}</th>' for name in texts)
    rows = (
        "".join(f"<td{styles[name]}>{literal(cell)}</td>" for name, cell in zip(texts, row, strict=True))
        for row in zip(*texts.values(), strict=True)
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        '<div class="attribook-scroll" style="overflow-x:auto">'
        '<table class="dataframe attribook-table tex2jax_ignore mathjax_ignore">'
        f"<caption>{literal(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def download(frame: pd.DataFrame, caption: str) -> str:
    """A link that holds the whole frame as CSV and needs no server."""
    name = re.sub(r"[^a-z0-9]+", "-", caption.lower()).strip("-")[:60].rstrip("-") or "table"
    text = frame.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    code = b64encode(text.encode(errors="backslashreplace")).decode()  # of a lone surrogate
    link = f'<a download="{name}.csv" href="data:text/csv;charset=utf-8;base64,{code}">'
    many = f"{len(frame.columns)} columns, {len(frame)} row{'s' * (len(frame) != 1)}"
    return f'<p class="attribook-download">{link}Download this table as CSV</a> ({many})</p>'
