"""Rows made visible: heat maps, figures in light and dark, tables."""

from attribook.show.audits import (
    change_figure,
    change_listing,
    stable_figure,
    stable_listing,
    steps_figure,
    steps_listing,
)
from attribook.show.faithfulness import NAMES, faithfulness_figure, faithfulness_listing, model_listing
from attribook.show.figures import intervals, lines, mass_bars, scatter, score_grid
from attribook.show.heatmap import heatmaps, page
from attribook.show.marked import marked_texts
from attribook.show.noiser import (
    bound_listing,
    mass_lead_listing,
    search_listing,
    share_listing,
    sum_figure,
    sum_listing,
    versus_listing,
)
from attribook.show.noiser_judge import answer_listing, control_listing, gain_figure, minimum_listing
from attribook.show.picking import (
    budget_figure,
    crossed_listing,
    erasure_figure,
    erasure_listing,
    golden_figure,
    golden_listing,
    layer_listing,
    lead_listing,
    nested_listing,
    path_listing,
    picking_listing,
)
from attribook.show.rpi_audits import ceiling_listing, moved_figure, moved_listing, operator_listing
from attribook.show.tables import moves_listing, table

__all__ = [
    "NAMES",
    "answer_listing",
    "bound_listing",
    "budget_figure",
    "ceiling_listing",
    "change_figure",
    "change_listing",
    "control_listing",
    "crossed_listing",
    "erasure_figure",
    "erasure_listing",
    "faithfulness_figure",
    "faithfulness_listing",
    "gain_figure",
    "golden_figure",
    "golden_listing",
    "heatmaps",
    "intervals",
    "layer_listing",
    "lead_listing",
    "lines",
    "marked_texts",
    "mass_bars",
    "mass_lead_listing",
    "minimum_listing",
    "model_listing",
    "moved_figure",
    "moved_listing",
    "moves_listing",
    "nested_listing",
    "operator_listing",
    "page",
    "path_listing",
    "picking_listing",
    "scatter",
    "score_grid",
    "search_listing",
    "share_listing",
    "stable_figure",
    "stable_listing",
    "steps_figure",
    "steps_listing",
    "sum_figure",
    "sum_listing",
    "table",
    "versus_listing",
]
