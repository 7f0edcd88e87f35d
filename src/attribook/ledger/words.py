"""The verdicts as words, and the rule of each: written once, here, for pages, the ledger and the command."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

REPRODUCED, CODE_ONLY = "reproduced", "only under the released code's protocol"
SAME, OPPOSITE, UNDECIDED = "direction only", "contradicted", "undecided"
CONTROL, UNLIKE = "control does as well", "not comparable"
CERTAIN = "by construction"
NO_ROWS, NOT_HERE = "no rows yet", "not runnable here"

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


def counted(rows: Iterable[Mapping[str, Any]]) -> str:
    """How often each verdict was given to rows of the ledger, in words."""
    counts = Counter(row["verdict"] for row in rows)
    return ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in RULES if counts[verdict])
