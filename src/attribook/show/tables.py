"""Tables as HTML."""

from collections.abc import Mapping
from zlib import crc32

import pandas as pd

from attribook.show.heatmap import Html


def table(frame: pd.DataFrame, *, caption: str, formats: Mapping[str, str] | None = None) -> Html:
    """A table with its caption above; missing values are shown as a dash, never as 0."""
    styled = frame.style.format(dict(formats or {}), na_rep="–", escape="html").hide(axis="index").set_caption(caption)
    long = [name for name in frame if frame[name].map(lambda cell: isinstance(cell, str) and len(cell) > 30).any()]
    styled = styled.set_properties(subset=long, **{"white-space": "normal", "text-align": "left"}) if long else styled
    html = styled.set_table_attributes('class="dataframe attribook-table"').to_html(
        table_uuid=f"t{crc32(caption.encode())}"
    )
    return Html(f'<div style="overflow-x:auto">{html}</div>')
