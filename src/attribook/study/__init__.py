"""From a grid of items, methods and metrics to rows, and from rows to statistics."""

from attribook.study.accuracy import accuracy_table
from attribook.study.agreement import agreement
from attribook.study.claims import EXPLANATION, verdict_counts
from attribook.study.departures import departure_names, departure_readings, departures_told
from attribook.study.faithfulness import faithfulness_table, mean_over_tasks, order_table
from attribook.study.golden_picking import METRICS as GOLDEN
from attribook.study.golden_picking import golden_curves, golden_headline, golden_pools, golden_table
from attribook.study.kept import kept_table
from attribook.study.live import explain_live
from attribook.study.map_pools import PoolStudy, told_study
from attribook.study.mass import PARTS, against_flat, length_shares, mass_shares, mean_shares
from attribook.study.matrix import cost_table, matrix_reasons, matrix_table
from attribook.study.names import setting
from attribook.study.option_effects import option_effects
from attribook.study.picking import (
    crossed_table,
    lead,
    mean_of,
    picking_curves,
    picking_table,
    ratio_of,
    read_pool,
    share_by_picking,
    transfer,
)
from attribook.study.protocol_options import erasure_moves, method_moves, options_table, rpi_moves, soft_moves
from attribook.study.protocols import PROTOCOLS, Protocol
from attribook.study.reagent_runs import ReagentStudy, first_steps, step_grid
from attribook.study.reagent_walk import (
    passes,
    run_agreement,
    runs_from_seeds,
    runs_table,
    sharpness_curve,
    steps_table,
    stop_table,
    stop_texts,
    walk_reagent,
)
from attribook.study.released import released_table
from attribook.study.rpi_tables import (
    ERASURE,
    arrow,
    erasure_table,
    headline,
    item_values,
    nested_table,
    order_agreement,
    path_or_picking,
    pool_values,
    printed,
    released_setting,
    sides,
)
from attribook.study.sensitivity import change_table, changes_told, one_at_a_time
from attribook.study.sharpness import rank_agreement, sharp_or_right, sharpness
from attribook.study.statistics import LogRatio, Reading, against_leader, as_released, holm, log_ratio
from attribook.study.step_tables import faithful_steps, stable_steps, steps_told
from attribook.study.study import Study
from attribook.study.third_party import agreement_table, third_party_table, third_party_told
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
    "ERASURE",
    "EXPLANATION",
    "GOLDEN",
    "PARTS",
    "PROTOCOLS",
    "LogRatio",
    "PoolStudy",
    "Protocol",
    "Reading",
    "ReagentStudy",
    "Study",
    "accuracy_table",
    "against_flat",
    "against_leader",
    "agreement",
    "agreement_table",
    "antecedent_table",
    "arrow",
    "as_released",
    "chance_jaccard",
    "change_table",
    "changes_told",
    "cost_of_scores",
    "cost_table",
    "crossed_table",
    "departure_names",
    "departure_readings",
    "departures_told",
    "erasure_moves",
    "erasure_table",
    "explain_live",
    "faithful_steps",
    "faithfulness_table",
    "first_steps",
    "golden_curves",
    "golden_headline",
    "golden_pools",
    "golden_table",
    "headline",
    "holm",
    "item_values",
    "kept_table",
    "lead",
    "length_shares",
    "log_ratio",
    "marked_example",
    "marked_live",
    "mass_shares",
    "matrix_reasons",
    "matrix_table",
    "mean_of",
    "mean_over_tasks",
    "mean_shares",
    "method_moves",
    "nested_table",
    "one_at_a_time",
    "option_effects",
    "options_table",
    "order_agreement",
    "order_table",
    "overlap_table",
    "passes",
    "path_or_picking",
    "picking_curves",
    "picking_table",
    "pool_values",
    "printed",
    "rank_agreement",
    "ratio_of",
    "read_pool",
    "released_setting",
    "released_table",
    "rpi_moves",
    "run_agreement",
    "runs_from_seeds",
    "runs_table",
    "score_studies",
    "setting",
    "share_by_picking",
    "sharp_or_right",
    "sharpness",
    "sharpness_curve",
    "sides",
    "soft_moves",
    "stable_steps",
    "step_grid",
    "steps_table",
    "steps_told",
    "stop_table",
    "stop_texts",
    "targets_table",
    "third_party_table",
    "third_party_told",
    "told_study",
    "top_sets",
    "transfer",
    "verdict_counts",
    "walk_reagent",
]
