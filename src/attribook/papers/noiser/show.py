"""Tables and figures of Noiser's part; see `study.noiser_tables`."""

from collections.abc import Mapping

import pandas as pd

from attribook.papers.reagent.show_audits import interval_text
from attribook.show.figures import intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table

SUM = "faithfulness, sum of log-ratios to random (nats)"


def sum_figure(frame: pd.DataFrame, where: str) -> Html:
    """Faithfulness with intervals against random, printed averages as diamonds."""
    drawn = frame.dropna(subset="ours").rename(columns={"method": "name", "ours": "value"})
    return intervals(drawn, SUM, f"{SUM} by method, {where}")


def sum_listing(frame: pd.DataFrame, where: str) -> Html:
    """The same as a table, with both halves."""
    shown = frame.assign(**{"95% interval": interval_text(frame["low"], frame["high"])})
    shown = shown.rename(columns={"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"})
    numbers = ["published", "least", "most", "ours", "Soft-NC", "Soft-NS"]
    columns = ["method", *numbers[:4], "95% interval", *numbers[4:], "verdict", "n", "failed", "detectable"]
    formats = dict.fromkeys(numbers, "{:+.2f}") | {"detectable": "{:.2f}"}
    return table(shown[columns], caption=f"Faithfulness, {where}", formats=formats)


def versus_listing(frame: pd.DataFrame, where: str) -> Html:
    """One method against each of the others."""
    shown = frame.assign(**{"95% interval": interval_text(frame["low"], frame["high"])})
    columns = ["method", "other", "difference", "95% interval", "p (Holm)", "n", "detectable"]
    formats = {"difference": "{:+.2f}", "p (Holm)": "{:.4f}", "detectable": "{:.2f}"}
    return table(shown[columns], caption=f"Faithfulness, one against others, {where}", formats=formats)


def share_listing(found: Mapping[str, pd.DataFrame], caption: str) -> Html:
    """Mean shares of the mass on each part, with intervals; see `study.mean_shares`."""
    first = next(iter(found.values()))
    shown = {"method": first["method"]}
    for part, frame in found.items():
        shown |= {part: frame["share"], f"{part} interval": spans(frame["low"], frame["high"])}
    shown |= {name: first[name] for name in ("n", "failed")}
    return table(pd.DataFrame(shown), caption=caption, formats=dict.fromkeys(found, "{:.3f}"))


def mass_lead_listing(frame: pd.DataFrame, caption: str) -> Html:
    """One method's shares minus each other's; see `study.mass_lead`."""
    shown = {"method": frame["method"]}
    for part in ("antecedent", "distractor"):
        told = interval_text(frame[f"{part} low"], frame[f"{part} high"], 3)
        shown |= {part: frame[part], f"{part} interval": pd.Series(told, index=frame.index)}
    formats = dict.fromkeys(("antecedent", "distractor"), "{:+.3f}")
    return table(pd.DataFrame(shown | {"n": frame["n"]}), caption=caption, formats=formats)


def spans(low: pd.Series, high: pd.Series) -> pd.Series:
    """Intervals of shares, which have no sign."""
    return low.map("{:.3f}".format) + " to " + high.map("{:.3f}".format)


def bound_listing(frame: pd.DataFrame, where: str) -> Html:
    """Table 2: seven bounds."""
    shown = frame.assign(
        **{
            "95% interval": interval_text(frame["low"], frame["high"]),
            "ahead interval": interval_text(frame["ahead low"], frame["ahead high"]),
        }
    )
    columns = ["bound", "published", "ours", "95% interval", "min ahead by", "ahead interval", "seeds", "n", "failed",
               "detectable"]  # fmt: skip
    formats = dict.fromkeys(("published", "ours", "min ahead by"), "{:+.2f}")
    formats |= dict.fromkeys(("seeds", "detectable"), "{:.2f}")
    return table(shown[columns], caption=f"Faithfulness by bound, {where}", formats=formats)


def search_listing(frame: pd.DataFrame, where: str) -> Html:
    """Vectors and steps of Noiser's search."""
    shown = frame.assign(**{"95% interval": interval_text(frame["low"], frame["high"])})
    columns = ["search", "ours", "95% interval", "agreement", "scale", "turned back", "forwards", "n", "failed"]
    formats = {"ours": "{:+.2f}", "agreement": "{:+.2f}", "scale": "{:.4f}", "turned back": "{:.0%}"}
    return table(shown[columns], caption=f"Noiser's search, {where}", formats=formats | {"forwards": "{:.0f}"})
