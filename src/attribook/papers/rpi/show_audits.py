"""What RPI's audits of its code, of the ceiling and of operators found, drawn and listed."""

import math

import pandas as pd

from attribook.papers.reagent.show_audits import interval_text
from attribook.papers.rpi.settings import UNIT
from attribook.show.figures import intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table

NAMES = {"sufficiency": "Suff", "comprehensiveness": "Comp", "log_odds": "LO", "aopc_sufficiency": "A-S",
         "aopc_comprehensiveness": "A-C"}  # fmt: skip


def percent_text(low: pd.Series, high: pd.Series) -> list[str]:
    """Intervals of shares as text."""
    return ["–" if math.isnan(a) else f"{a:.0%} to {b:.0%}" for a, b in zip(low, high, strict=True)]


def moved_figure(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """How far each departure moves a number, against 0; see `study.departure_table`."""
    label = f"change of {UNIT[metric].split(',')[0]}), above 0 better"
    moved = frame.dropna(subset=["moved"]).drop(columns=["value", "low", "high"])
    names = {"change": "name", "moved": "value", "moved low": "low", "moved high": "high"}
    return intervals(moved.rename(columns=names), label, f"{label}, {where}")


def moved_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """The same as a table."""
    shown = frame.assign(
        **{
            "95% interval": interval_text(frame["low"], frame["high"], 3),
            "moved interval": interval_text(frame["moved low"], frame["moved high"], 3),
        }
    )
    columns = ["change", "value", "95% interval", "moved", "moved interval", "detectable", "n"]
    formats = dict.fromkeys(("value", "moved"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{UNIT[metric]}, {where}", formats=formats)


def ceiling_listing(frame: pd.DataFrame, where: str) -> Html:
    """How far pools go towards the best set of tokens; see `study.ceiling_table`."""
    shown = frame.assign(
        metric=frame["metric"].map(NAMES),
        **{
            "share interval": percent_text(frame["share low"], frame["share high"]),
            "left interval": interval_text(frame["left low"], frame["left high"], 3),
        },
    )
    columns = ["metric", "pool", "picked", "value", "ceiling", "share", "share interval", "left", "left interval", "n"]
    formats = dict.fromkeys(("value", "ceiling", "left"), "{:+.3f}") | {"share": "{:.0%}"}
    return table(shown[columns], caption=f"One map, the best of many, and the ceiling, {where}", formats=formats)


def operator_listing(frame: pd.DataFrame, where: str) -> Html:
    """What is left of a pick under the other operator; see `study.operator_table`."""
    shown = frame.assign(
        metric=frame["metric"].map(NAMES),
        interval=percent_text(frame["low"], frame["high"]),
    )
    columns = ["pool", "metric", "kept", "interval", "n"]
    return table(shown[columns], caption=f"Gain by picking that is left under the other operator, {where}",
                 formats={"kept": "{:.0%}"})  # fmt: skip
