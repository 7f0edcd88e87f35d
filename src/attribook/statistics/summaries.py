"""Estimates as short texts, and the names of what was decided either way: for sentences that a page writes."""

from collections.abc import Sequence

import pandas as pd

from attribook.statistics.tests import DECISIONS, decisions

WORDS = ("better on", "worse on", "undecided on")  # for above 0, below 0, and neither


def estimate_texts(table: pd.DataFrame, style: str = "{:+.3f}") -> pd.Series:
    """Each row's estimate as `+0.123 (+0.045 to +0.201)`, or "undefined" where there is none."""
    rows = zip(table["value"], table["low"], table["high"], strict=True)
    texts = [
        "undefined" if pd.isna([value, low, high]).any() else
        f"{style.format(value)} ({style.format(low)} to {style.format(high)})"
        for value, low, high in rows
    ]  # fmt: skip
    return pd.Series(texts, index=table.index, dtype=object)


def by_direction(table: pd.DataFrame, names: str | Sequence[str]) -> dict[str, list[str]]:
    """The names of a table's rows by what is decided about their estimates: above 0, below 0, or undecided.

    names: a column of the table, or a text for each row. Decisions without rows are there, with an empty list.
    """
    texts = table[names].tolist() if isinstance(names, str) else list(names)
    found = zip(decisions(table), map(str, texts), strict=True)
    listed: dict[str, list[str]] = {decision: [] for decision in DECISIONS}
    for decision, name in found:
        listed[decision].append(name)
    return listed


def directions(table: pd.DataFrame, names: str | Sequence[str], words: Sequence[str] = WORDS) -> str:
    """The same as one text, `better on A, B; worse on C`; `words` stand before what is above, below, neither."""
    listed = zip(words, by_direction(table, names).values(), strict=True)
    return "; ".join(f"{word} {', '.join(found)}" for word, found in listed if found)
