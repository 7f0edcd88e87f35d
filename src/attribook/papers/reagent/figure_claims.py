"""ReAGent's claims that no printed table decides, tested on stored scores."""

from collections.abc import Callable, Mapping

from attribook.papers.claim_tests import ClaimAnswer, ClaimTests, even_spread, part_shares, stored_scores
from attribook.statistics.tests import ABOVE, BELOW


def distractor() -> ClaimAnswer | None:
    """ReAGent gives the antecedent more, and the distractor less, than an even spread over the tokens would."""
    for source, rows in stored_scores("reagent_longra", ("reagent",)):
        mine, even = part_shares(rows), part_shares(even_spread(rows))
        tests = ClaimTests()
        tests.add("antecedent above its share of the tokens", mine["antecedent"], even["antecedent"])
        tests.add("distractor below its share of the tokens", even["distractor"], mine["distractor"])
        means = mine.loc[:, ["antecedent", "distractor"]].mean()
        about = f"mean mass {means['antecedent']:.2f} on the antecedent, {means['distractor']:.2f} on the distractor"
        return tests.answer(source, "reagent/figure_4", about)
    return None


def forwards_only() -> ClaimAnswer | None:
    """The counters of all stored runs of ReAGent: forwards, and no backwards."""
    for source, rows in stored_scores("reagent_longra", ("reagent",)):
        forwards, backwards = (sum(row[name] for row in rows) for name in ("forwards", "backwards"))
        reason = f"counted in {len(rows)} stored runs: {forwards / len(rows):.0f} forwards each, {backwards} backwards"
        return ClaimAnswer(ABOVE if backwards == 0 else BELOW, reason, "shared/method_matrix", len(rows), source)
    return None


ANSWERS: Mapping[str, Callable[[], ClaimAnswer | None]] = {
    "reagent-distractor": distractor,
    "reagent-forwards-only": forwards_only,
}
