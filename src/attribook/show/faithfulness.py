"""A faithfulness table, drawn and listed."""

import pandas as pd

from attribook.show.figures import intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table

NAMES = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}


def faithfulness_figure(frame: pd.DataFrame, metric: str, protocol: str) -> Html:
    """Log-ratios with intervals against random, published values as diamonds."""
    label = f"log {NAMES[metric]} ratio to random (nats)"
    return intervals(frame.rename(columns={"method": "name", "ours": "value"}), label, f"{label}, protocol {protocol}")


def faithfulness_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """The same as a table; `where` names protocol, model and data."""
    bounds = zip(frame["low"], frame["high"], strict=True)
    shown = frame.assign(**{"95% interval": [f"{low:+.2f} to {high:+.2f}" for low, high in bounds]})
    columns = ["method", "published", "ours", "95% interval", "difference", "verdict", "n", "failed", "detectable"]
    formats = dict.fromkeys(("published", "ours", "difference"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{NAMES[metric]}, {where}", formats=formats)
