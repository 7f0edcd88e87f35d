"""What the audits of ReAGent found, drawn and listed."""

import pandas as pd

from attribook.papers.reagent.show_faithfulness import NAMES
from attribook.show.figures import curves, intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table


def lines(frame: pd.DataFrame) -> pd.DataFrame:
    """Steps with a name for every line."""
    tests = frame["test"].map({"on": "stopping test", "off": "no stopping test"})
    runs = frame["runs"].map(lambda r: f"{r} run{'s' * (r > 1)}")
    return frame.assign(name=runs + ", " + tests)


def interval_text(low: pd.Series, high: pd.Series, digits: int = 2) -> list[str]:
    """Intervals as text; a dash where there is none."""
    return [
        f"{a:+.{digits}f} to {b:+.{digits}f}" if pd.notna(a) and pd.notna(b) else "–"
        for a, b in zip(low, high, strict=True)
    ]


def steps_figure(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """Faithfulness against random by steps."""
    label = f"log {NAMES[metric]} ratio to random (nats)"
    return curves(lines(frame), label, f"{label} by steps of ReAGent, {where}")


def steps_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """The same as a table, with the change to the last step."""
    names = {"value": "log-ratio", "gain": "to the last step", "gain detectable": "its detectable"}
    shown = frame.rename(columns=names)
    shown["95% interval"] = interval_text(frame["low"], frame["high"])
    shown["its interval"] = interval_text(frame["gain low"], frame["gain high"])
    columns = ["test", "runs", "steps", "log-ratio", "95% interval", "to the last step", "its interval", "n", "failed",
               "detectable", "its detectable"]  # fmt: skip
    formats = dict.fromkeys(("log-ratio", "to the last step"), "{:+.2f}") | dict.fromkeys(columns[-2:], "{:.2f}")
    return table(shown[columns], caption=f"{NAMES[metric]}, {where}", formats=formats)


def stable_figure(frame: pd.DataFrame, column: str, where: str) -> Html:
    """Rank correlations by steps: `to the end` or `between seeds`."""
    values = {"value": frame[column], "low": frame[f"{column} low"], "high": frame[f"{column} high"]}
    label = f"Spearman, {column}"
    return curves(lines(frame).assign(**values), label, f"{label}, by steps of ReAGent, {where}")


def stable_listing(frame: pd.DataFrame, where: str) -> Html:
    """Rank correlations and the share of runs that had not stopped."""
    both = ["to the end", "between seeds"]
    texts = {f"95% {name}": interval_text(frame[f"{name} low"], frame[f"{name} high"]) for name in both}
    shown = frame.assign(**texts).rename(columns={"never": "not stopped"})
    columns = ["test", "runs", "steps", *(c for name in both for c in (name, f"95% {name}")), "not stopped", "n"]
    formats = dict.fromkeys(both, "{:+.2f}") | {"not stopped": "{:.0%}"}
    return table(shown[columns], caption=f"Rank correlations (Spearman), {where}", formats=formats)


def change_figure(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """How far each change moves the log-ratio, against 0."""
    label = f"change of the log {NAMES[metric]} ratio (nats)"
    moved = frame.dropna(subset=["moved"]).drop(columns="log-ratio")
    return intervals(moved.rename(columns={"change": "name", "moved": "value"}), label, f"{label}, {where}")


def change_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """The same as a table."""
    shown = frame.assign(**{"95% interval": interval_text(frame["low"], frame["high"])})
    columns = ["change", "log-ratio", "moved", "95% interval", "verdict", "n", "failed", "detectable"]
    formats = {"log-ratio": "{:+.2f}", "moved": "{:+.2f}", "detectable": "{:.2f}"}
    return table(shown[columns], caption=f"{NAMES[metric]}, {where}", formats=formats)
