"""Rows made visible: heat maps, figures in light and dark, tables."""

from attribook.show.faithfulness import faithfulness_figure, faithfulness_listing
from attribook.show.figures import intervals, mass_bars, scatter, score_grid
from attribook.show.heatmap import heatmaps, page
from attribook.show.tables import table

__all__ = [
    "faithfulness_figure",
    "faithfulness_listing",
    "heatmaps",
    "intervals",
    "mass_bars",
    "page",
    "scatter",
    "score_grid",
    "table",
]
