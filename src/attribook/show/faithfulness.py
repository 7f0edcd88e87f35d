"""A faithfulness table, drawn and listed."""

import pandas as pd

from attribook.show.figures import intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table

NAMES = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}
SIGNED = ("published", "ours", "low", "high", "difference")


def faithfulness_figure(frame: pd.DataFrame, metric: str, protocol: str) -> Html:
    """Log-ratios with intervals against random, published values as diamonds."""
    label = f"log {NAMES[metric]} ratio to random (nats)"
    return intervals(frame.rename(columns={"method": "name", "ours": "value"}), label, f"{label}, protocol {protocol}")


def faithfulness_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """The same as a table; `where` names protocol, model and data."""
    formats = dict.fromkeys(SIGNED, "{:+.3f}") | {"detectable": "{:.3f}"}
    n = "–".join(str(k) for k in sorted(set(frame["n"])))
    return table(frame, caption=f"{NAMES[metric]}, {where}, n = {n} prompts", formats=formats)
