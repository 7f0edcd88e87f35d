"""Rows made visible: heat maps, figures in light and dark, tables."""

from attribook.show.faithfulness import faithfulness_figure, faithfulness_listing
from attribook.show.figures import curves, intervals, mass_bars, score_grid
from attribook.show.heatmap import heatmaps, page
from attribook.show.marked import marked_texts
from attribook.show.tables import table

__all__ = [
    "curves",
    "faithfulness_figure",
    "faithfulness_listing",
    "heatmaps",
    "intervals",
    "marked_texts",
    "mass_bars",
    "page",
    "score_grid",
    "table",
]
