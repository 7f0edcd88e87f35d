"""Tables as HTML."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import pandas as pd

from attribook.show.heatmap import Html


def table(frame: pd.DataFrame, *, caption: str, formats: Mapping[str, str] | None = None) -> Html:
    """A table with its caption above. Missing values are a dash, never 0; words stand left, numbers right."""
    styled = frame.style.format(dict(formats or {}), na_rep="–", escape="html").hide(axis="index").set_caption(caption)
    long = [name for name in frame if frame[name].map(lambda cell: isinstance(cell, str) and len(cell) > 30).any()]
    styled = styled.set_properties(subset=long, **{"white-space": "normal"}) if long else styled
    sides: Any = {
        name: [{"selector": "", "props": "text-align: left"}] for name in frame if name in long or worded(frame[name])
    }
    styled = styled.set_table_styles(sides, overwrite=False) if sides else styled
    html = styled.set_table_attributes('class="dataframe attribook-table"').to_html(
        table_uuid=f"t{crc32(caption.encode())}"
    )
    return Html(f'<div style="overflow-x:auto">{html}</div>')


def worded(cells: pd.Series) -> bool:
    """Whether a column holds words: every cell is text, and some begin with a letter."""
    return all(isinstance(cell, str) for cell in cells) and any(cell[:1].isalpha() for cell in cells)


def moves_listing(frame: pd.DataFrame, caption: str, studies: str) -> Html:
    """How far numbers move with one option each; where there are no rows, the `studies` that would have them."""
    if frame.empty:
        return Html(f"<p>Rows are not there yet: this profile has none, or too few, of {studies}.</p>")
    alone = frame["model"].nunique() == 1
    shown = frame.drop(columns="model") if alone else frame
    where = f"{caption}, {frame['model'].iloc[0]}" if alone else caption
    return table(
        shown, caption=where, formats={name: "{:.2f}" for name in map(str, frame) if name.endswith("detectable")}
    )
