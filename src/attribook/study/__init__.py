"""From a grid of items, methods and metrics to rows, and from rows to statistics."""

from attribook.study.accuracy import accuracy_table
from attribook.study.claims import EXPLANATION, verdict_counts
from attribook.study.faithfulness import faithfulness_table
from attribook.study.kept import kept_table
from attribook.study.live import explain_live
from attribook.study.mass import PARTS, against_flat, length_shares, mass_shares, mean_shares
from attribook.study.matrix import cost_table, matrix_reasons, matrix_table
from attribook.study.protocols import PROTOCOLS, Protocol
from attribook.study.reagent_walk import (
    agreement,
    passes,
    reagent_runs,
    runs_table,
    sharpness_curve,
    steps_table,
    stop_table,
    stop_texts,
    walk_reagent,
)
from attribook.study.statistics import LogRatio, as_released, log_ratio
from attribook.study.study import Study
from attribook.study.top import (
    antecedent_table,
    chance_jaccard,
    cost_of_scores,
    marked_example,
    marked_live,
    overlap_table,
    score_studies,
    targets_table,
    top_sets,
)

__all__ = [
    "EXPLANATION",
    "PARTS",
    "PROTOCOLS",
    "LogRatio",
    "Protocol",
    "Study",
    "accuracy_table",
    "against_flat",
    "agreement",
    "antecedent_table",
    "as_released",
    "chance_jaccard",
    "cost_of_scores",
    "cost_table",
    "explain_live",
    "faithfulness_table",
    "kept_table",
    "length_shares",
    "log_ratio",
    "marked_example",
    "marked_live",
    "mass_shares",
    "matrix_reasons",
    "matrix_table",
    "mean_shares",
    "overlap_table",
    "passes",
    "reagent_runs",
    "runs_table",
    "score_studies",
    "sharpness_curve",
    "steps_table",
    "stop_table",
    "stop_texts",
    "targets_table",
    "top_sets",
    "verdict_counts",
    "walk_reagent",
]
