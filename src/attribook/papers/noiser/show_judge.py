"""Tables and figures of answerability; see `study.answers`."""

import pandas as pd

from attribook.papers.reagent.show_audits import interval_text
from attribook.show.figures import intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table


def answer_listing(frame: pd.DataFrame, where: str) -> Html:
    """Tables 3 and 6: rate and score of each method, beside the printed averages and random words."""
    shown = frame.assign(**{
        "95% interval": interval_text(frame["low"], frame["high"], 0),
        "gain interval": interval_text(frame["gain low"], frame["gain high"], 0),
    })  # fmt: skip
    columns = ["method", "published rate", "rate", "95% interval", "published score", "score", "gain", "gain interval",
               "bottom", "n", "failed", "detectable"]  # fmt: skip
    formats = dict.fromkeys(("published rate", "rate", "bottom", "detectable"), "{:.0f}") | {"gain": "{:+.0f}"}
    formats |= dict.fromkeys(("published score", "score"), "{:.3f}")
    return table(shown[columns], caption=f"Answerability, {where}", formats=formats)


def control_listing(frame: pd.DataFrame, where: str) -> Html:
    """What a judge answers without any method."""
    titles = ("rate", "top-5 rate")
    told = {name: interval_text(frame[f"{name} low"], frame[f"{name} high"], 0) for name in titles}
    shown = frame.assign(**{f"{name} interval": text for name, text in told.items()})
    columns = ["words", *(f"{name}{end}" for name in titles for end in ("", " interval")), "n", "failed"]
    return table(
        shown[columns], caption=f"The judge without a method, {where}", formats=dict.fromkeys(titles, "{:.0f}")
    )


def gain_figure(frame: pd.DataFrame, where: str) -> Html:
    """Gains over random words with their intervals."""
    columns = {"method": "name", "gain": "value", "gain low": "low", "gain high": "high"}
    drawn = frame[list(columns)].rename(columns=columns)
    label = "rate above that of random words (percentage points)"
    return intervals(drawn, label, f"{label} by method, {where}")


def minimum_listing(frame: pd.DataFrame, where: str) -> Html:
    """Smallest shares of words."""
    shown = frame.assign(**{"95% interval": interval_text(frame["low"], frame["high"])})
    columns = ["method", "share", "95% interval", "n", "not answerable"]
    return table(shown[columns], caption=f"Minimum share of words, {where}", formats={"share": "{:.2f}"})
