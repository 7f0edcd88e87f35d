"""Verdicts on what the papers print, computed from our intervals; their words are in words.py.

A claim is broken up into hypothesis tests, each an estimate that lies above 0 where the claim is right. A test is
decided only where its p-value, adjusted over its family, is below 5%, and its prompts allow a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attribook.ledger.words import CERTAIN, CODE_ONLY, NO_ROWS, OPPOSITE, REPRODUCED, SAME, UNDECIDED
from attribook.statistics import tests
from attribook.statistics.resampling import LEVEL, RESAMPLES
from attribook.statistics.tests import ABOVE, BELOW, LEAST_CARRIERS, LEAST_N, MOST_OF_ONE

WORDS = {ABOVE: SAME, BELOW: OPPOSITE, tests.UNDECIDED: UNDECIDED}  # of tests that are above 0 where a claim is right

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
