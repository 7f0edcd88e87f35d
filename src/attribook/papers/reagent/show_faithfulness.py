"""A faithfulness table, drawn and listed."""

import pandas as pd

from attribook.show.figures import intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table

NAMES = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}


def faithfulness_figure(frame: pd.DataFrame, metric: str, protocol: str) -> Html:
    """Log-ratios with intervals against random, published values as diamonds."""
    label = f"log {NAMES[metric]} ratio to random (nats)"
    return intervals(
        frame.dropna(subset="ours").rename(columns={"method": "name", "ours": "value"}),
        label,
        f"{label}, protocol {protocol}",
    )


def faithfulness_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """The same as a table; `where` names protocol, model and data."""
    shown = with_interval(frame)
    columns = ["method", "published", "ours", "95% interval", "difference", "verdict", "n", "failed", "detectable"]
    formats = dict.fromkeys(("published", "ours", "difference"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{NAMES[metric]}, {where}", formats=formats)


def model_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """ReAGent's Table 3: the printed models' columns, then ours."""
    shown = with_interval(frame).drop(columns=["low", "high", "published"])
    columns = [*shown.columns.drop(["n", "failed"]), "n", "failed"]
    numbers = [name for name in columns if name not in ("method", "95% interval", "n", "failed")]
    return table(shown[columns], caption=f"{NAMES[metric]}, {where}", formats=dict.fromkeys(numbers, "{:+.2f}"))


def with_interval(frame: pd.DataFrame) -> pd.DataFrame:
    """`low` and `high` as words in one more column."""
    bounds = zip(frame["low"], frame["high"], strict=True)
    return frame.assign(**{"95% interval": [f"{low:+.2f} to {high:+.2f}" for low, high in bounds]})
