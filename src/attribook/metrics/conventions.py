"""Options of metrics that several protocols share, by the names that erasure.py explains.

Of the soft metrics those that we recommend; for the five metrics that erase tokens three sets:

paper    RPI's appendix: shares of 20 % or 1, 5, 10, 20 and 50 %, their sum divided by 5. It gives neither
rounding nor least; floor and 1 are our reading, so that `code` differs only in what is known to differ.
code     RPI as released: k may be 0, sufficiency is then 0 without asking the model, and the sum is divided by 6.
eraser   ERASER's formula: an empty first bin, which is a sixth value, and the sum divided by 6. Its rounding is
not in the formula; ceil is our reading.
"""

from collections.abc import Mapping
from typing import Any

from attribook.metrics.names import SHARES

SOFT_RECOMMENDED = {"distance": "hellinger", "scores_as": "clip_sum", "draws": 8, "specials": "keep"}

READ_BY_PAPER = {"rounding": "floor", "least": 1, "specials": "keep", "explained": "predicted"}
AS_RELEASED = {**READ_BY_PAPER, "least": 0}
AS_ERASER = {**READ_BY_PAPER, "rounding": "ceil", "least": 0}


def convention(common: Mapping[str, Any], empty: str, averages: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Options of the five metrics, of which two are averages and two know an `empty`."""
    deleting = {**common, "operator": "delete"}
    return {
        "sufficiency": {**deleting, "empty": empty, "share": 20.0},
        "comprehensiveness": {**deleting, "share": 20.0},
        "log_odds": {**common, "operator": "mask", "share": 20.0},  # a decoder needs unk
        "aopc_sufficiency": {**deleting, "empty": empty, **averages},
        "aopc_comprehensiveness": {**deleting, **averages},
    }


CONVENTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "paper": convention(READ_BY_PAPER, "evaluate", {"shares": SHARES, "divisor": "bins"}),
    "code": convention(AS_RELEASED, "zero", {"shares": SHARES, "divisor": "bins_plus_one"}),
    "eraser": convention(AS_ERASER, "evaluate", {"shares": (0.0, *SHARES), "divisor": "bins"}),
}
