"""From a grid of items, methods and metrics to rows, and from rows to statistics."""

from attribook.study.accuracy import accuracy_table
from attribook.study.claims import EXPLANATION, verdict_counts
from attribook.study.faithfulness import faithfulness_table
from attribook.study.kept import kept_table
from attribook.study.live import explain_live
from attribook.study.mass import PARTS, against_flat, length_shares, mass_shares, mean_shares
from attribook.study.matrix import cost_table, matrix_reasons, matrix_table
from attribook.study.protocols import PROTOCOLS, Protocol
from attribook.study.released import released_table
from attribook.study.sharpness import rank_agreement, sharp_or_right, sharpness
from attribook.study.statistics import LogRatio, against_leader, as_released, holm, log_ratio
from attribook.study.study import Study

__all__ = [
    "EXPLANATION",
    "PARTS",
    "PROTOCOLS",
    "LogRatio",
    "Protocol",
    "Study",
    "accuracy_table",
    "against_flat",
    "against_leader",
    "as_released",
    "cost_table",
    "explain_live",
    "faithfulness_table",
    "holm",
    "kept_table",
    "length_shares",
    "log_ratio",
    "mass_shares",
    "matrix_reasons",
    "matrix_table",
    "mean_shares",
    "rank_agreement",
    "released_table",
    "sharp_or_right",
    "sharpness",
    "verdict_counts",
]
