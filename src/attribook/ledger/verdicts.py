"""Verdicts on what the papers print, computed from our intervals. The words and their rules are written once, here.

A claim is broken up into hypothesis tests, each an estimate that lies above 0 where the claim is right. A test is
decided only where its p-value, adjusted over its family, is below 5%, and its prompts allow a verdict.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attribook.statistics import tests
from attribook.statistics.resampling import LEVEL, RESAMPLES
from attribook.statistics.tests import ABOVE, BELOW, LEAST_CARRIERS, LEAST_N, MOST_OF_ONE

REPRODUCED, CODE_ONLY = "reproduced", "only under the released code's protocol"
SAME, OPPOSITE, UNDECIDED = "direction only", "contradicted", "undecided"
CONTROL, UNLIKE = "control does as well", "not comparable"
CERTAIN = "by construction"
NO_ROWS, NOT_HERE = "no rows yet", "not runnable here"
WORDS = {ABOVE: SAME, BELOW: OPPOSITE, tests.UNDECIDED: UNDECIDED}  # of tests that are above 0 where a claim is right

RULES = {
    REPRODUCED: "The rows are of the paper's own model on the paper's own data, under the protocol as written. Every "
    "test of the claim is decided as published, and the published value lies in our 95% interval. A printed count is "
    "reproduced where the same data give the same number. What another model or other data show is never called "
    "reproduced.",
    CODE_ONLY: "Under the protocol as written, at least one test is undecided or decided against the claim. Under the "
    "protocol of the released code, every test is decided as published.",
    SAME: "Every test is decided as published. The value itself is not confirmed, because another model or other data "
    "stand in for the paper's, or because the published value lies outside our interval.",
    CONTROL: "Every test is decided as published, and would be with a control in the method's place: the best of as "
    "many random rankings in place of the best of R maps, or the method's own scores in random order in place of its "
    "scores. So the agreement says nothing about the method. Where no such control is stored, the reason of another "
    "verdict says so.",
    CERTAIN: "Every test compares the best of a pool of candidate maps with the best of a larger pool, which has as "
    "many maps of each kind and more, and the metric that is reported has chosen the maps. The larger pool always "
    "wins, whatever its maps are worth. No data could show anything else, so the claim is neither confirmed nor "
    "contradicted.",
    OPPOSITE: "At least one test is decided against the published claim. A printed count is contradicted where the "
    "same data give another number.",
    UNLIKE: "At least one test is decided against the published claim, but the method that the claim is about was not "
    "run as the paper has it: with fewer steps or maps, another replacer, another judge. The reason names what "
    "differs. Such rows contradict nothing.",
    UNDECIDED: "No test is decided against the claim, and at least one is not decided: there are too few prompts for a "
    "difference of this size or for any verdict, a few prompts carry the mean, or a method that the claim names has no "
    "rows. The reason says which, and the smallest detectable difference.",
    NO_ROWS: "The claim could be tested here on a stand-in, but no stored rows answer it yet.",
    NOT_HERE: "The claim needs a model or a data set that is not here and for which nothing here can stand in.",
}
TESTS = (
    f"A test is decided where its p-value is below {LEVEL:.0%}. The p-value is the share of {RESAMPLES:,} paired "
    "resamples of the prompts that lie as many of their own standard errors from the estimate as that lies from 0. It "
    "is adjusted by step-down max-T over the family of the test, from the same resamples; the family are all tests of "
    "one metric of a printed table under one protocol, because that is what its claims compare, or all tests of one "
    "claim in words. Nothing is decided with fewer than "
    f"{LEAST_N} prompts, nor where a few prompts carry the mean: where the variance rests on fewer than "
    f"{LEAST_CARRIERS} prompts (n divided by the kurtosis of their influences) or one prompt has more than "
    f"{MOST_OF_ONE:.0%} of it. Such samples make intervals that are too short. Tests with too few prompts, and a "
    "comparison whose outcome is fixed by construction, are no part of the family. A printed cell has these "
    "tests. `direction:random`: the log-ratio to random lies on the published side of 0. `order`: the best method of "
    "the column is ahead of this one; the best method itself is ahead of all others whose printed value differs from "
    "its own. `direction:runner-up`: this method is ahead of every other of the column. A claim in words makes of our "
    "rows the comparisons that it makes of printed cells."
)


@dataclass(frozen=True)
class Outcome:
    """What the rows of one protocol say to a claim, and the words that say why."""

    decision: str  # SAME, OPPOSITE, UNDECIDED or CERTAIN
    why: str


def counted(rows: Iterable[Mapping[str, Any]]) -> str:
    """How often each verdict was given to rows of the ledger, in words."""
    counts = Counter(row["verdict"] for row in rows)
    return ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in RULES if counts[verdict])


def together(decisions: Sequence[str]) -> str:
    """The decision on a claim that needs several tests at once: one against it is enough, all are needed for it.

    Those whose outcome is fixed by construction say nothing, unless there are no others.
    """
    telling = [decision for decision in decisions if decision != CERTAIN]
    if decisions and not telling:
        return CERTAIN
    statistical = {word: decision for decision, word in WORDS.items()}
    return WORDS[tests.together([statistical[decision] for decision in telling])]


def verdict(outcomes: Mapping[str, Outcome], *, confirmed: bool) -> tuple[str, str]:
    """The verdict, and under which protocol: `written`, `code`, or `ours` where the paper's two have no rows.

    outcomes: for each of these whose rows answer the claim. confirmed: the rows under the protocol as written are of
    the paper's own model and data, and the published value lies in their interval.
    """
    written, code = outcomes.get("written"), outcomes.get("code")
    if written and written.decision == SAME:
        return (REPRODUCED if confirmed else SAME), "written"
    if written and code and code.decision == SAME:
        return CODE_ONLY, "code"
    first = next((role for role in ("written", "code", "ours") if role in outcomes), None)
    return (outcomes[first].decision, first) if first else (NO_ROWS, "")
