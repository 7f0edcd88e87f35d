"""Rows made visible: heat maps, figures in light and dark, tables."""

from attribook.show.figures import intervals, mass_bars, score_grid
from attribook.show.heatmap import heatmaps, page
from attribook.show.tables import table

__all__ = ["heatmaps", "intervals", "mass_bars", "page", "score_grid", "table"]
