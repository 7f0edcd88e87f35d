"""Changes of ReAGent's settings: what they do to a log-ratio, and where the released code departs from the paper."""

from math import log, nan

import pandas as pd
import pytest

from attribook.attribution.registry import METHODS
from attribook.papers.reagent.departures import DEPARTURES, PAPER, RANDOM, RELEASED, by_departure
from attribook.statistics.estimates import estimate
from attribook.statistics.sensitivity import LOWERS, NOTHING, RAISES, effects, under_change
from attribook.statistics.tests import UNDECIDED

BY, AGAINST = ["change", "method", "metric"], [{"method": "random"}, {"change": "none"}]


def changed(frame, settings):
    return pd.concat([under_change(frame, change, name) for change, name in settings.items()])


def rows(**values) -> pd.DataFrame:
    """Soft-NC rows of methods, one value a prompt."""
    made = [
        {"item": f"item {i:02}", "method": method, "metric": "soft_nc", "seed": 0, "value": value, "status": "ok"}
        for method, each in values.items()
        for i, value in enumerate(each)
    ]
    return pd.DataFrame(made)


MADE = rows(random=[0.1, 0.2, 0.3], one=[0.2, 0.4, 0.6], two=[0.4, 0.8, 1.2], odd=[0.1, 0.9, 0.2])


def test_a_change_is_the_log_ratio_of_what_changed_to_the_base():
    found = estimate(changed(MADE, {"none": "one", "doubled": "two", "odd": "odd"}), "log_ratio", BY, against=AGAINST)
    direct = estimate(MADE[MADE["method"] != "random"], "log_ratio", ["method", "metric"], against={"method": "one"})
    assert found["change"].tolist() == ["doubled", "odd"]
    assert found["value"].tolist() == pytest.approx([log(2), 0])
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([log(2)] * 2)  # twice as much for every prompt
    for column in ("value", "low", "high", "n", "detectable"):
        assert found[column].tolist() == pytest.approx(direct[column].tolist(), nan_ok=True), column


def test_every_change_has_the_baseline_beside_it():
    found = changed(MADE, {"none": "one", "again": "one"})
    assert found.groupby(["change", "method"]).size().to_dict() == {
        (change, method): 3 for change in ("none", "again") for method in ("changed", "random")
    }


def test_prompts_that_failed_on_one_side_are_left_out_of_both():
    failed = MADE.assign(status=["ok" if (m, i) != ("one", "item 01") else "no positive score"
                                 for m, i in zip(MADE["method"], MADE["item"], strict=True)])  # fmt: skip
    failed["value"] = failed["value"].where(failed["status"] == "ok")
    (found,) = estimate(changed(failed, {"none": "one", "odd": "odd"}), "log_ratio", BY, against=AGAINST).to_dict(
        "records"
    )
    assert (found["n"], found["failed"]) == (2, 1)
    assert found["value"] == pytest.approx(log(0.3 / 0.8))


def test_effects_of_changes():
    moved = pd.DataFrame(
        [(1, 0.01, 0.1), (-1, 0.01, 0.1), (1, 0.2, 0.1), (0, 1.0, 0), (nan, 1.0, nan)],
        columns=["value", "p", "detectable"],
    ).assign(**{"no verdict": ""})  # fmt: skip
    assert effects(moved).tolist() == [RAISES, LOWERS, UNDECIDED, NOTHING, UNDECIDED]
    barred = moved.assign(**{"no verdict": "n is below 40"})
    assert effects(barred).tolist() == [UNDECIDED] * 3 + [NOTHING, UNDECIDED]


def test_every_departure_is_one_change_of_the_papers_reading():
    paper = METHODS["reagent"].resolve({**PAPER})
    for departed, how in DEPARTURES.items():
        options = METHODS["reagent"].resolve({**PAPER, **how.options})
        changed = [option for option in paper if options[option] != paper[option]]
        if departed != "all as released":
            single = len(changed) + how.squared + (how.baseline == RANDOM)
            assert single == 1, (departed, changed)
        else:
            assert set(changed) == set(RELEASED)


def test_departures_read_the_same_rows_in_their_own_way():
    names = {
        "none": "a",
        "squared distance": "a",
        "NaN is perfect": "b",
        "all as released": "b",
        "uniform baseline": "a",
    }
    made = rows(random=[0.1, 0.2], a=[0.2, 0.4], b=[0.2, 0.4], **{RANDOM: [0.3, 0.5]})
    scores = [
        {"method": name, "item": f"item {i:02}", "seed": 0, "details": {"runs_stopped": i}}
        for name in "ab"
        for i in range(2)
    ]
    found = by_departure(names, pd.concat([made, made.assign(metric="soft_ns")]), scores)

    def values(change, method, metric):
        return found.query("change == @change and method == @method and metric == @metric")["value"].tolist()

    assert values("none", "changed", "soft_nc") == [0.2, 0.4]
    assert values("none", "random", "soft_nc") == [0.1, 0.2]
    assert values("uniform baseline", "random", "soft_nc") == [0.3, 0.5]
    assert values("squared distance", "changed", "soft_nc") == pytest.approx([0.04, 0.16])
    assert values("squared distance", "random", "soft_nc") == pytest.approx([0.01, 0.04])
    assert values("NaN is perfect", "changed", "soft_nc") == [1.0, 0.4]
    assert values("NaN is perfect", "changed", "soft_ns") == [0.0, 0.4]
    assert values("NaN is perfect", "random", "soft_nc") == [0.1, 0.2], "other settings keep their values"
    assert values("all as released", "changed", "soft_nc") == pytest.approx([1.0, 0.16])
    assert values("all as released", "changed", "soft_ns") == pytest.approx([0.0, 1 - 0.6**2])
