"""What picking from a pool of maps gives, drawn and listed."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import pandas as pd

from attribook.papers.reagent.show_audits import interval_text
from attribook.show.figures import curves, intervals
from attribook.show.heatmap import Html
from attribook.show.tables import table

UNIT = {
    "sufficiency": "Suff (probability, lower is better)",
    "comprehensiveness": "Comp (probability, higher is better)",
    "log_odds": "LO (nats, lower is better)",
    "aopc_sufficiency": "A-S (probability, lower is better)",
    "aopc_comprehensiveness": "A-C (probability, higher is better)",
}


SHORT = {name: f"{unit.split()[0]} {'↓' if 'lower' in unit else '↑'}" for name, unit in UNIT.items()}


def erasure_listing(frame: pd.DataFrame, metric: str, where: str, printed: Sequence[str] = ()) -> Html:
    """Means beside published columns, and how far one method leads the others; see `study.erasure_table`."""
    shown = frame.assign(
        **{
            "95% interval": interval_text(frame["low"], frame["high"], 3),
            "lead interval": interval_text(frame["lead low"], frame["lead high"], 3),
        }
    )
    columns = ["method", *printed, "ours", "95% interval", "n", "lead", "lead interval", "detectable"]
    formats = dict.fromkeys((*printed, "ours", "lead"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{UNIT[metric]}, {where}", formats=formats)


def erasure_figure(frame: pd.DataFrame, metric: str, where: str, published: str) -> Html:
    """The same means with intervals, one published column as diamonds."""
    drawn = frame.rename(columns={"method": "name", "ours": "value", published: "published"})
    return intervals(drawn, UNIT[metric], f"{UNIT[metric]} by method, {where}")


def picking_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """Pools at an equal number of tries; see `study.picking_table`."""
    best = next(name for name in map(str, frame) if name.startswith("best of"))
    shown = frame.assign(
        **{
            "95% interval": interval_text(frame["low"], frame["high"], 3),
            "lead interval": interval_text(frame["lead low"], frame["lead high"], 3),
        }
    )
    columns = ["pool", "one map", "mean of maps", best, "95% interval", "of", "lead", "lead interval", "n",
               "detectable"]  # fmt: skip
    formats = dict.fromkeys(("one map", "mean of maps", best, "lead"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{UNIT[metric]}, {where}", formats=formats)


def budget_figure(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """Expected best of R by R; see `study.picking_curves`."""
    what = f"best of R, {UNIT[metric]}"
    return curves(frame, what, f"{what}, by the number of maps, {where}", zero=False, across="maps to pick from, R")


def path_listing(frame: pd.DataFrame, where: str) -> Html:
    """One map, mean and best against random rankings; see `study.path_or_picking`."""
    shown = frame.assign(**{"lead interval": interval_text(frame["lead low"], frame["lead high"], 3)})
    means = ["one random", "one map", "mean of maps", "best random", "best map"]
    shares = ["by picking", "kept", "kept by random"]
    shown[shares] = shown[shares].map(share_text)
    columns = ["metric", *means, "lead", "lead interval", "detectable", *shares, "n"]
    formats = dict.fromkeys((*means, "lead"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"One map, and the best of many, {where}", formats=formats)


def crossed_listing(frame: pd.DataFrame, where: str) -> Html:
    """Which part of the gain by picking is left where another metric picks; see `study.crossed_table`."""
    told: Any = frame.set_index("picked by")
    many = " or ".join(str(n) for n in sorted({cell.n for cell in told.to_numpy().ravel()}))
    caption = f"Picked by one metric (down), told by another (across), {where}, n = {many}"
    return table(told.map(share_text).reset_index(), caption=caption)


def share_text(told: Any) -> str:
    """A share with its interval; a dash where there is no share."""
    return "–" if isnan(told.value) else f"{told.value:.0%} ({told.low:.0%} to {told.high:.0%})"


def nested_listing(frame: pd.DataFrame, printed: pd.DataFrame, where: str) -> Html:
    """Best of R in nested pools: metrics across, a row for each pool and R, published values first."""
    shown = frame.assign(
        cell=[f"{row.value:+.3f} ({row.low:+.3f} to {row.high:+.3f})" for row in frame.itertuples()]
    ).pivot_table(index=["pool", "R", "n"], columns="metric", values="cell", aggfunc="first", sort=False)
    told = printed.assign(cell=printed["value"].map("{:+.3f}".format), pool="published, BERT on RTN", n="–")
    known = told.pivot_table(index=["pool", "R", "n"], columns="metric", values="cell", aggfunc="first", sort=False)
    both = pd.concat([known, shown])[list(shown.columns)].rename(columns=SHORT).reset_index()
    return table(both, caption=f"Best of R maps, {where}")


def layer_listing(frame: pd.DataFrame, metric: str, where: str) -> Html:
    """Pools over layers beside as many maps of one layer and random rankings; see `study.layer_table`."""
    shown = frame.assign(
        **{
            "95% interval": interval_text(frame["low"], frame["high"], 3),
            "lead interval": interval_text(frame["lead low"], frame["lead high"], 3),
        }
    )
    columns = ["kind", "layers", "maps", "published", "ours", "95% interval", "n", "random", "lead", "lead interval",
               "detectable", "lead n"]  # fmt: skip
    formats = dict.fromkeys(("published", "ours", "random", "lead"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{UNIT[metric]}, {where}", formats=formats)


def lead_listing(frame: pd.DataFrame, caption: str) -> Html:
    """Leads with their intervals, whatever stands before them."""
    shown = frame.assign(**{"95% interval": interval_text(frame["low"], frame["high"], 3)})
    first = [name for name in frame if name not in ("lead", "low", "high", "detectable", "n")]
    columns = [*first, "lead", "95% interval", "detectable", "n"]
    return table(shown[columns], caption=caption, formats={"lead": "{:+.3f}", "detectable": "{:.3f}"})


GOLDEN_UNIT = {
    "aopc_comprehensiveness": "normalised comprehensiveness (higher is better)",
    "aopc_sufficiency": "normalised sufficiency (lower is better)",
    "log_odds": "LO (nats, lower is better)",
}


def golden_listing(frame: pd.DataFrame, metric: str) -> Html:
    """Pools of released methods against random rankings; see `study.golden_pools`."""
    best = next(name for name in map(str, frame) if name.startswith("best of"))
    shown = frame.assign(**{"lead interval": interval_text(frame["lead low"], frame["lead high"], 3)})
    columns = ["pool", "one map", best, "by the other", "lead", "lead interval", "n", "detectable"]
    formats = dict.fromkeys(("one map", best, "by the other", "lead"), "{:+.3f}") | {"detectable": "{:.3f}"}
    return table(shown[columns], caption=f"{GOLDEN_UNIT[metric]}, exact, released classifiers", formats=formats)


def golden_figure(frame: pd.DataFrame, metric: str) -> Html:
    """Best of R random rankings beside single maps; see `study.golden_curves`."""
    what = f"best of R, {GOLDEN_UNIT[metric]}"
    return curves(frame, GOLDEN_UNIT[metric], what, zero=False, across="random rankings to pick from, R")
