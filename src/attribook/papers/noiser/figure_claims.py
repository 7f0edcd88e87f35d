"""Noiser's claims that no printed table decides, tested on stored scores and a judge's answers."""

from collections.abc import Callable, Mapping

import pandas as pd

from attribook.papers.cells import published
from attribook.papers.claim_tests import ClaimAnswer, ClaimTests, part_shares, source_of, stored_scores, study_folders
from attribook.statistics.items import item_values

BASELINES = 3  # of Noiser's "best-performing baselines", which its text does not name
LEADER = "noiser{vectors=3}"  # its setting on the prompts of LongRA, where scores of all methods are stored
ORDER = ("occlusion", "lime", "noiser")  # by the number of words that the judge needs, the fewest first
MINIMUM = "minimum"  # rows that hold the smallest share of words with which the judge is still right


def critical_words() -> ClaimAnswer | None:
    """Noiser gives the antecedent more than the best baselines, and the distractor less.

    The text does not name them: taken are the `BASELINES` that Table 1 puts highest on LongRA, on average.
    """
    best = best_printed("LongRA")
    for source, rows in stored_scores("reagent_longra", (LEADER, *best)):
        shares = {name: part_shares([row for row in rows if row["method"] == name]) for name in (LEADER, *best)}
        if any(frame.empty for frame in shares.values()):
            continue
        tests = ClaimTests()
        for name in best:
            mine, other = shares[LEADER], shares[name]
            tests.add(f"antecedent more than {name}", mine["antecedent"], other["antecedent"])
            tests.add(f"distractor less than {name}", other["distractor"], mine["distractor"])
        return tests.answer(source, "noiser/figure_2", f"against {', '.join(best)}")
    return None


def best_printed(dataset: str) -> list[str]:
    """The methods beside Noiser that its Table 1 puts highest on a data set, on average over models."""
    cells = published("noiser", table=1).query("dataset == @dataset and column == 'Average' and method != 'noiser'")
    return list(cells.sort_values("value", ascending=False)["method"].head(BASELINES))


def fewest_words() -> ClaimAnswer | None:
    """Occlusion needs a smaller share of words than all others, LIME than all but it, Noiser than all but these."""
    for folder in study_folders("noiser_knowns_minimum_*"):
        rows = pd.read_csv(folder / "rows.csv", dtype={"item": str}).query("selection == @MINIMUM")
        groups = item_values(rows, ["method"]).dropna().groupby("method", sort=False)
        values = {str(name): group.set_index("item")["value"] for name, group in groups}
        if not set(ORDER) <= set(values):
            continue
        tests = ClaimTests()
        for place, first in enumerate(ORDER):
            for other in sorted(set(values) - set(ORDER[: place + 1])):
                tests.add(f"{first} fewer than {other}", values[other], values[first])
        best = min(values, key=lambda name: float(values[name].mean()))
        return tests.answer(source_of(folder, "rows.csv"), "noiser/figure_minimum", f"{best} needs the fewest")
    return None


ANSWERS: Mapping[str, Callable[[], ClaimAnswer | None]] = {
    "noiser-critical-words": critical_words,
    "noiser-fewest-words": fewest_words,
}
