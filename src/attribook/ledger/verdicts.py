"""Verdicts on what the papers print, computed from our intervals. The words and their rules are written once, here.

A claim is broken up into tests, each an estimate that lies above 0 where the claim is right (see `ledger`). A test is
decided only where its 95% interval excludes 0, its p, adjusted by Holm over all tests of the table, is below 5%, and
it has enough prompts.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attribook.statistics.bootstrap import Estimate

REPRODUCED, CODE_ONLY = "reproduced", "only under the released code's protocol"
SAME, OPPOSITE, UNDECIDED = "direction only", "contradicted", "undecided"
CERTAIN = "by construction"
NO_ROWS, NOT_HERE = "no rows yet", "not runnable here"
LEVEL = 0.05
FEWEST_PROMPTS = 10  # resamples of fewer make intervals that are too short

RULES = {
    REPRODUCED: "The paper's own model on the paper's own data, under the protocol as written: every test of the claim "
    "is decided as published, and the published value lies in our 95% interval. A count: the same number, from the "
    "same data. What another model or other data show is never called this.",
    CODE_ONLY: "Under the protocol as written some test is undecided or decided the other way; under the released "
    "code's protocol every test is decided as published.",
    SAME: "Every test is decided as published, but the value is not confirmed: another model or other data stand in, "
    "or the published value lies outside our interval.",
    CERTAIN: "Every test sets the best of some maps against the best of more, which are as many of each kind and more, "
    "and the metric that is told has picked: the larger pool wins whatever its maps are worth. No data could have said "
    "anything else, so the claim is neither confirmed nor contradicted.",
    OPPOSITE: "A test is decided against the published claim. A count: another number, from the same data.",
    UNDECIDED: "No test is decided against the claim and at least one is not decided: too few prompts for this "
    "difference, or a method that the claim names has no rows. The smallest detectable difference is stated.",
    NO_ROWS: "It could be asked of a stand-in here, and no stored rows answer it yet.",
    NOT_HERE: "It needs a model or a data set that is not here and for which nothing here can stand in.",
}
TESTS = (
    "A test is decided where its 95% interval (10,000 paired resamples of the prompts) excludes 0 and its p, adjusted "
    "by Holm over all tests of the table under one protocol, is below 5%. p is counted from the same resamples; where "
    "all of them lie on one side of 0, it is that of Student's t, if that is smaller. With fewer than "
    f"{FEWEST_PROMPTS} prompts, whose resamples make intervals too short, nothing is decided. Tests of a cell: "
    "`direction:random`, the log-ratio to random lies on the published side of 0; `order`, the best method of the "
    "column is ahead of this one (and the best itself of all whose printed value is another); `direction:runner-up`, "
    "this method is ahead of every other of the column. A test that no data could decide "
    "otherwise is left out, of the verdict and of the family. A claim in words makes the comparisons "
    "that it makes of printed cells, and Holm adjusts over these."
)

EXPLANATION = {  # of a single interval, as the pages of tables show it
    SAME: "our interval lies on the same side of random as the published value",
    OPPOSITE: "our interval lies on the other side of random",
    UNDECIDED: "our interval contains 0, or rests on too few items: they cannot tell the method from random",
}


@dataclass(frozen=True)
class Outcome:
    """What one protocol's rows say to a claim, and the words that say why."""

    side: str  # SAME, OPPOSITE, UNDECIDED or CERTAIN
    why: str


def verdict_counts(verdicts: Iterable[str]) -> str:
    """How often each verdict was given, as words."""
    counts = Counter(verdicts)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in RULES if counts[verdict])


def direction_verdict(published: float, ours: Estimate) -> str:
    """Whether our data place a method on the published side of random.

    The value itself is not judged: other model, other items. A side counts only if the 95% interval excludes 0.
    """
    if published == 0:
        return UNDECIDED
    return decided(ours if published > 0 else mirrored(ours))


def decided(test: Estimate, p: float = 0.0) -> str:
    """The side of one test, an estimate that is above 0 where the claim is right. `p` is adjusted for its table.

    Undecided with fewer than `FEWEST_PROMPTS` prompts.
    """
    known = test.n >= FEWEST_PROMPTS and not math.isnan(test.low) and not math.isnan(test.high)
    if not known or test.low <= 0 <= test.high or p >= LEVEL:
        return UNDECIDED
    return SAME if test.low > 0 else OPPOSITE


def mirrored(found: Estimate) -> Estimate:
    """The same estimate of the opposite difference."""
    return Estimate(-found.value, -found.high, -found.low, found.n, found.failed, found.standard_error, found.p)


def together(sides: Sequence[str]) -> str:
    """Several tests that a claim needs at once: one against it is enough, all are needed for it.

    Those that no data could decide otherwise say nothing, unless there are no others.
    """
    telling = {side for side in sides if side != CERTAIN}
    if OPPOSITE in telling:
        return OPPOSITE
    if sides and not telling:
        return CERTAIN
    return SAME if telling == {SAME} else UNDECIDED


def verdict(outcomes: Mapping[str, Outcome], *, confirmed: bool) -> tuple[str, str]:
    """The verdict, and under which protocol: `written`, `code`, or `ours` where the paper's two have no rows.

    outcomes: for each of these whose rows answer the claim. confirmed: the rows under the protocol as written are of
    the paper's own model and data, and the published value lies in their interval.
    """
    written, code = outcomes.get("written"), outcomes.get("code")
    if written and written.side == SAME:
        return (REPRODUCED if confirmed else SAME), "written"
    if written and code and code.side == SAME:
        return CODE_ONLY, "code"
    first = next((role for role in ("written", "code", "ours") if role in outcomes), None)
    return (outcomes[first].side, first) if first else (NO_ROWS, "")
