"""The columns of a row of the ledger, and its cells as texts."""

import math
from collections.abc import Mapping
from typing import Any

COLUMNS = ("paper", "table", "row", "column", "metric", "published", "claim", "ours", "low", "high", "n", "profile",
           "protocol", "verdict", "reason", "notebook", "dataset", "model", "data", "detectable", "rows")  # fmt: skip
ROLES = ("written", "code", "ours")  # protocols: as the paper describes it, as released, ours
Row = dict[str, Any]


def texts(row: Mapping[str, Any]) -> dict[str, str]:
    """What a page or a terminal shows of a row, by column."""
    column = row["column"] if row["dataset"] in {"", row["column"]} else f"{row['dataset']} {row['column']}"
    interval = "" if row["low"] is None else f"({number(row['low'])} to {number(row['high'])})"
    return {
        "paper": row["paper"], "table": str(row["table"]), "row": row["row"] if row["column"] else row["claim"],
        "column": column, "metric": row["metric"], "published": number(row["published"]),
        "ours": f"{number(row['ours'])} {interval}".strip(), "n": "" if row["n"] is None else str(row["n"]),
        "verdict": row["verdict"],
    }  # fmt: skip


def number(value: float | None) -> str:
    """Three digits behind the point; nothing for nothing, whole counts as they are."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:g}" if float(value).is_integer() and abs(value) >= 2 else f"{value:.3f}"
