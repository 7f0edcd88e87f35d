"""The columns of a row of the ledger."""

from typing import Any

COLUMNS = ("paper", "table", "row", "column", "metric", "published", "claim", "ours", "low", "high", "n", "profile",
           "protocol", "verdict", "reason", "notebook", "dataset", "model", "data", "detectable", "rows")  # fmt: skip
ROLES = ("written", "code", "ours")  # protocols: as the paper describes it, as released, ours
Row = dict[str, Any]
