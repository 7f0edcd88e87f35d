"""Figures, each drawn once for light and once for dark pages."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from unicodedata import east_asian_width

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from attribook.show.colours import AGAINST, SUPPORTS
from attribook.show.glyphs import families, missing, writable
from attribook.show.heatmap import Html
from attribook.show.literal import attribute
from attribook.show.tokens import labels

INK = {"light": "#1f2328", "dark": "#e6e6e6"}
PAPER = {"light": "#ffffff", "dark": "#14181e"}
ORANGE, BLUE, GREY = "#{:02x}{:02x}{:02x}".format(*SUPPORTS), "#{:02x}{:02x}{:02x}".format(*AGAINST), "#9aa4ae"
LABEL = 40  # characters of a token's label, beyond which its middle is left out
HIDE_DARK = "<style>html:not([data-theme]) .only-dark{display:none}</style>"


def themed(
    draw: Callable[[Axes, str], None], width: float, height: float, alt: str, texts: Iterable[object] = ()
) -> Html:
    """`draw(axes, theme)` twice, as one picture that follows the page's theme; `alt` says what it shows.

    `texts` are those that are drawn and may hold anything, such as tokens and names of models: draw them `writable`.
    No text is mathematics.
    """
    given = [str(text) for text in texts]
    said, images = attribute(alt + missing(given)), []
    for theme, ink in INK.items():
        settings: Any = {
            "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink, "xtick.color": ink, "ytick.color": ink,
            "svg.hashsalt": "attribook", "font.size": 10, "font.family": families(given), "text.parse_math": False,
            "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.loc": "lower center",
        }  # fmt: skip
        with matplotlib.rc_context(settings):
            figure = Figure(figsize=(width, height), layout="constrained")
            axes = figure.subplots()
            axes.set_facecolor("none")
            draw(axes, theme)
            file = io.BytesIO()
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        code = base64.b64encode(file.getvalue()).decode()
        images.append(
            f'<img class="only-{theme} attribook-figure" alt="{said}" src="data:image/svg+xml;base64,{code}" '
            f'style="width:100%;max-width:{width * 96:.0f}px;background:none">'
        )
    return Html(HIDE_DARK + "".join(images))


def score_grid(tokens: Sequence[str], scores: pd.DataFrame, alt: str) -> Html:
    """Tokens down, methods across: each column's scores divided by its largest absolute score."""
    relative = scores / scores.abs().max().replace(0, 1)
    shown, names = labels(tokens), [str(name) for name in scores.columns]
    rows, columns = ([short(text) for text in texts] for texts in (shown, names))

    def draw(axes: Axes, theme: str) -> None:
        colours = LinearSegmentedColormap.from_list("scores", [BLUE, PAPER[theme], ORANGE])
        sns.heatmap(
            relative, ax=axes, cmap=colours, vmin=-1, vmax=1, linewidths=0.4, linecolor=PAPER[theme],
            xticklabels=columns, yticklabels=rows,
            cbar_kws={"label": "score / largest", "location": "bottom", "shrink": 0.5, "aspect": 30, "pad": 0.02},
        )  # fmt: skip
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.set_xticklabels(axes.get_xticklabels(), rotation=35, ha="left")
        axes.set_yticklabels(axes.get_yticklabels(), rotation=0)

    aside, above = longest(rows, 12), longest(columns, 20)  # inches for labels, of which a character takes up to 0.08
    width = 1.9 + 0.75 * len(columns) + 0.08 * aside + 0.065 * above
    return themed(draw, width, 1.7 + 0.21 * len(rows) + 0.05 * above, alt, [*shown, *names])


def longest(texts: Sequence[str], free: int) -> int:
    """By how many characters the longest text goes beyond what is `free`; those of East Asia are two wide."""
    wide = (len(text) + sum(east_asian_width(letter) in "WF" for letter in text) for text in texts)
    return max(0, max(wide, default=0) - free)


def short(text: str) -> str:
    """A label as figures write it, without the middle of a long one."""
    whole = writable(text)
    if len(whole) <= LABEL:
        return whole
    half = max(1, len(text) * LABEL // len(whole) // 2)
    return writable(f"{text[:half]}…{text[-half:]}")


def mass_bars(shares: pd.DataFrame, alt: str) -> Html:
    """Stacked horizontal bars, one a row of `shares`, whose columns add up to 1."""

    def draw(axes: Axes, _: str) -> None:
        left = shares.cumsum(axis=1) - shares
        for (name, values), colour in zip(shares.items(), [ORANGE, GREY, BLUE], strict=False):
            label = writable(str(name))
            bars = axes.barh(range(len(shares)), values, left=left[name], color=colour, label=label, height=0.7)
            texts = [f"{width:.0%}" if width > 0.06 else "" for width in values]
            axes.bar_label(bars, texts, label_type="center", color="#111111", fontsize=8)
        axes.set_yticks(range(len(shares)), [writable(str(name)) for name in shares.index])
        axes.set(xlim=(0, 1), xlabel="share of the positive attribution mass")
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.legend(bbox_to_anchor=(0.5, 1.0), ncols=len(shares.columns))
        axes.spines[["left", "bottom"]].set_visible(False)

    return themed(draw, 7.5, 1.2 + 0.36 * len(shares), alt, [*shares.index, *shares.columns])


def curves(frame: pd.DataFrame, label: str, alt: str, *, zero: bool = True, across: str = "steps") -> Html:
    """Lines with bands over steps, on a logarithmic axis: columns `name`, `steps`, `value`, `low`, `high`."""
    palette = [ORANGE, BLUE, "#8a939c", "#3f9b63"]

    def draw(axes: Axes, theme: str) -> None:
        for (name, line), colour in zip(frame.groupby("name", sort=False), palette, strict=False):
            axes.fill_between(line["steps"], line["low"], line["high"], color=colour, alpha=0.15, lw=0)
            axes.plot(line["steps"], line["value"], "o-", color=colour, ms=5, label=writable(str(name)))
        if zero:
            axes.axhline(0, color=INK[theme], lw=0.8, alpha=0.6)
        axes.set_xscale("log")
        axes.set_xticks(sorted(frame["steps"].unique()), sorted(frame["steps"].unique()))
        axes.minorticks_off()
        axes.set(xlabel=writable(across), ylabel=writable(label))
        axes.legend(bbox_to_anchor=(0.5, 1.0), ncols=2)

    return themed(draw, 7.5, 3.6, alt, [*frame["name"], across, label])


def intervals(frame: pd.DataFrame, label: str, alt: str) -> Html:
    """Points with intervals against a line at 0: columns `name`, `value`, `low`, `high`, `published` where known."""
    frame = frame if "published" in frame else frame.assign(published=np.nan)

    def draw(axes: Axes, theme: str) -> None:
        for y, row in enumerate(frame.to_dict("records")):
            axes.plot([row["low"], row["high"]], [y, y], color=ORANGE, lw=2.5, solid_capstyle="round")
            axes.plot(row["value"], y, "o", color=ORANGE, ms=7)
            if pd.notna(row["published"]):
                axes.plot(row["published"], y, "D", mfc="none", mec=BLUE, mew=1.8, ms=7)
        axes.axvline(0, color=INK[theme], lw=0.8, alpha=0.6)
        axes.plot([], [], "o-", color=ORANGE, label="ours, 95% interval")
        if frame["published"].notna().any():
            axes.plot([], [], "D", mfc="none", mec=BLUE, mew=1.8, ls="none", label="published")
        axes.set_yticks(range(len(frame)), [writable(str(name)) for name in frame["name"]])
        axes.invert_yaxis()
        axes.set_xlabel(writable(label))
        axes.tick_params(length=0)
        axes.legend(bbox_to_anchor=(0.5, 1.0), ncols=2)
        axes.spines["left"].set_visible(False)

    return themed(draw, 7.5, 1.3 + 0.36 * len(frame), alt, [*frame["name"], label])


def scatter(frame: pd.DataFrame, x: str, y: str, name: str, alt: str) -> Html:
    """A named point for each row, by two of its columns."""

    def draw(axes: Axes, theme: str) -> None:
        axes.plot(frame[x], frame[y], "o", color=ORANGE, ms=7)
        axes.axhline(0, color=INK[theme], lw=0.8, alpha=0.6)
        axes.margins(x=0.18, y=0.12)
        name_points(axes, frame, x, y, name, INK[theme])
        axes.set_xlabel(writable(x))
        axes.set_ylabel(writable(y))

    return themed(draw, 7.5, 4.2, alt, [*frame[name], x, y])


def name_points(axes: Axes, frame: pd.DataFrame, x: str, y: str, name: str, colour: str) -> None:
    """Write each point's name beside it, at the first of eight places that neither an axis nor another name takes."""
    taken: list[Bbox] = []
    for row in frame.to_dict("records"):
        called = writable(str(row[name]))
        for side, up in ((6, 4), (6, -11), (-6, 4), (-6, -11), (6, 15), (-6, 15), (6, -22), (-6, -22)):
            text = axes.annotate(called, (row[x], row[y]), xytext=(side, up), textcoords="offset points",
                                 color=colour, ha="left" if side > 0 else "right")  # fmt: skip
            box = text.get_window_extent()
            if box.x0 > axes.bbox.x0 and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:  # no place is free: names on top of each other say more than none
            axes.annotate(called, (row[x], row[y]), xytext=(6, 4), textcoords="offset points", color=colour)
        taken.append(box)


def lines(frame: pd.DataFrame, label: str, alt: str) -> Html:
    """One line a column over the index, between 0 and 1; lines differ in dashes, not in colour alone."""
    across = str(frame.index.name or "")
    styles = [(ORANGE, "-"), (BLUE, "--"), (GREY, ":")]

    def draw(axes: Axes, theme: str) -> None:
        for (name, values), (colour, dashes) in zip(frame.items(), styles, strict=False):
            axes.plot(frame.index, values, dashes, color=colour, lw=2.2, label=writable(str(name)))
        axes.set(ylim=(0, 1.02), xlim=(frame.index.min(), frame.index.max()))
        axes.set(xlabel=writable(across), ylabel=writable(label))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(length=0)
        axes.grid(axis="y", color=INK[theme], alpha=0.15)
        axes.legend(bbox_to_anchor=(0.5, 1.0), ncols=len(frame.columns))

    return themed(draw, 7.5, 2.9, alt, [*frame.columns, across, label])
