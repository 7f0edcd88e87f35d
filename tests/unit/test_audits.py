"""The tables of the audits: by hand, on rows that are made up, and as they are shown."""

from math import inf, log, nan

import pandas as pd
import pytest
from attribook.papers.reagent.steps import faithful_steps, spearman, stable_steps, steps_told

from attribook.attribution.registry import METHODS
from attribook.grid.settings import Setting
from attribook.papers.reagent.departures import (
    DEPARTURES,
    RANDOM,
    RELEASED,
    departure_names,
    departure_readings,
    departures_told,
)
from attribook.papers.reagent.runs import ReagentStudy
from attribook.papers.reagent.settings import step_grid
from attribook.papers.reagent.show_audits import (
    change_figure,
    change_listing,
    stable_figure,
    stable_listing,
    steps_figure,
    steps_listing,
)
from attribook.statistics.bootstrap import Estimate, Reading, log_ratio, log_ratio_change, mean_interval
from attribook.statistics.sensitivity import (
    LOWERS,
    NOTHING,
    RAISES,
    UNDECIDED,
    change_table,
    changes_told,
    moved_verdict,
    one_at_a_time,
    sensitivity_tables,
    verdicts_alike,
)


def rows(**values) -> pd.DataFrame:
    """Soft-NC rows of methods, one value a prompt."""
    made = [
        {"item": f"item {i}", "method": method.replace("__", ":"), "metric": "soft_nc", "seed": 0, "value": value,
         "status": "ok"}
        for method, each in values.items()
        for i, value in enumerate(each)
    ]  # fmt: skip
    return pd.DataFrame(made)


MADE = rows(
    random=[0.1, 0.2, 0.3], other=[0.2, 0.2, 0.2], one=[0.2, 0.4, 0.6], two=[0.4, 0.8, 1.2], odd=[0.1, 0.9, 0.2]
)


def test_a_change_of_log_ratios_by_hand():
    found = log_ratio_change(Reading(MADE, "one"), Reading(MADE, "two"), "soft_nc")
    assert found.value == pytest.approx(log(2))  # twice as much for every prompt: no resampling changes that
    assert (found.low, found.high, found.n) == (pytest.approx(log(2)), pytest.approx(log(2)), 3)
    found = log_ratio_change(Reading(MADE, "one"), Reading(MADE, "odd", "other"), "soft_nc")
    assert found.value == pytest.approx(log(1.2 / 0.6) - log(1.2 / 0.6))
    assert found.low < 0 < found.high


def test_verdicts_of_two_models_are_compared_by_change():
    first = pd.DataFrame({"change": ["none", "a", "b", "c", "d"], "moved": [nan, 1, -1, 0.1, 1],
                          "verdict": ["the base", RAISES, LOWERS, UNDECIDED, RAISES]})  # fmt: skip
    told = verdicts_alike(first, first.assign(verdict=["the base", LOWERS, LOWERS, RAISES, UNDECIDED]))
    assert told == "1 of 4 verdicts are those of the first model. Opposed: a."
    assert verdicts_alike(first, first).startswith("4 of 4 verdicts are those of the first model. None raises")


def test_sensitivity_compares_settings_and_seeds_with_the_first_seed():
    base, change = "reagent{max_steps=2,runs=1}", "reagent{max_steps=2,runs=1,ratio=0.5}"
    given = ("sensitivity", "smoke", "tiny-gpt2", "knowns-mini", "attribook")
    options = {"metrics": ("soft_nc",), "n_items": 2, "keep": "all", "seed": 4}
    study = ReagentStudy(*given, (base, change), **options, random_seeds=1)
    seeded = ReagentStudy(*given, ("random", base), **options, random_seeds=2)
    found = sensitivity_tables(study, seeded, base, {"ratio=0.5": change})["soft_nc"].set_index("change")
    assert list(found.index) == ["none", "ratio=0.5", "seed=5"]
    every = pd.concat([study.rows(), seeded.rows()])
    means = every.groupby(["method", "seed"])["value"].mean()
    chance = every[every["method"] == "random"]["value"].mean()
    expected = {"none": means[base, 4], "ratio=0.5": means[change, 4], "seed=5": means[base, 5]}
    for name, mean in expected.items():
        assert found["log-ratio"][name] == pytest.approx(log(mean / chance))
        if name != "none":
            assert found["moved"][name] == pytest.approx(log(mean / expected["none"]))


def test_a_change_between_methods_is_the_log_ratio_of_one_to_the_other():
    direct = log_ratio(MADE, "odd", "soft_nc", baseline="one")
    found = log_ratio_change(Reading(MADE, "one"), Reading(MADE, "odd"), "soft_nc")
    for part in ("value", "low", "high", "n", "standard_error"):
        assert getattr(found, part) == pytest.approx(getattr(direct, part))


def test_prompts_that_failed_on_one_side_are_left_out_of_both():
    failed = MADE.assign(status=["ok" if (m, i) != ("one", "item 1") else "no positive score"
                                 for m, i in zip(MADE["method"], MADE["item"], strict=True)])  # fmt: skip
    found = log_ratio_change(Reading(failed, "one"), Reading(failed, "odd"), "soft_nc")
    assert (found.n, found.failed) == (2, 1)
    assert found.value == pytest.approx(log(0.3 / 0.8))


def test_verdicts_of_a_change():
    def verdict(value, low, high, error=0.1):
        return moved_verdict(Estimate(value, low, high, 9, 0, error))

    assert [verdict(1, 0.5, 2), verdict(-1, -2, -0.5), verdict(1, -1, 2)] == [RAISES, LOWERS, UNDECIDED]
    assert verdict(0, 0, 0, 0) == verdict(0, nan, nan, 0) == NOTHING
    assert verdict(-inf, nan, nan) == UNDECIDED


def test_a_table_of_changes_and_its_sentence():
    readings = {name: Reading(MADE, name) for name in ("two", "odd")} | {"same": Reading(MADE, "one")}
    frame = change_table(readings, Reading(MADE, "one"), "soft_nc")
    assert frame["verdict"].tolist() == ["the base", RAISES, UNDECIDED, NOTHING]
    assert frame["log-ratio"].tolist() == pytest.approx([log(2), log(4), log(2), log(2)])
    told = changes_told(frame)
    assert told.startswith("3 changes; raises it: two; changes nothing: same; undecided: odd.")
    assert told.endswith("The largest move is +0.69 nats, by two (raises it).")
    for html in (change_listing(frame, "soft_nc", "w").source, change_figure(frame, "soft_nc", "w").source):
        assert "nan" not in html.split("base64")[0]
    assert "published" not in change_figure(frame, "soft_nc", "w").source.split("base64")[0]


def test_one_option_changes_at_a_time():
    names = one_at_a_time("reagent", {"runs": 3, "max_steps": 5}, ratio=(0.1, 0.5), runs=(1,))
    assert list(names) == ["ratio=0.1", "ratio=0.5", "runs=1"]
    assert [dict(Setting.parse(name).options) for name in names.values()] == [
        {"runs": 3, "max_steps": 5, "ratio": 0.1}, {"runs": 3, "max_steps": 5, "ratio": 0.5},
        {"runs": 1, "max_steps": 5},
    ]  # fmt: skip


# -- steps -----------------------------------------------------------------------------------------------------------

GRID = step_grid((1, 4), (2,))


def score_row(name, item, seed, scores, stopped=0):
    return {"method": name, "item": item, "seed": seed, "scores": scores, "details": {"runs_stopped": stopped}}


def test_rank_correlations_by_hand():
    def row(*scores):
        return {"scores": list(scores)}

    assert spearman(row(0.1, 0.2, 0.7), row(0.2, 0.3, 0.5)) == pytest.approx(1)
    assert spearman(row(0.7, 0.2, 0.1), row(0.2, 0.3, 0.5)) == pytest.approx(-1)
    # ranks 1 2 3 and 1 3 2: 1 - 6 * 2 / (3 * 8)
    assert spearman(row(0.1, 0.2, 0.7), row(0.1, 0.6, 0.3)) == pytest.approx(0.5)
    assert spearman(row(0, 0.1, 0.2, 0.7), row(0, 0.1, 0.6, 0.3)) == pytest.approx(0.5), "a special token counts not"


def test_stability_and_the_share_that_never_stopped_by_hand():
    up, other, down = [0.1, 0.2, 0.7], [0.1, 0.6, 0.3], [0.7, 0.2, 0.1]
    scores = []
    for item in ("a", "b"):
        for seed, (first, last) in enumerate([(up, up), (other, down if item == "a" else up)]):
            scores.append(score_row(GRID["on", 2, 1], item, seed, first, stopped=0))
            scores.append(score_row(GRID["on", 2, 4], item, seed, last, stopped=1 + seed))
            scores += [score_row(GRID["off", 2, s], item, seed, last) for s in (1, 4)]
    frame = stable_steps(scores, GRID).set_index(["test", "steps"])
    first, last = frame.loc[("on", 1)], frame.loc[("on", 4)]
    # a: seeds 1 and spearman(other, down) = -0.5; b: 1 and 0.5
    assert first["to the end"] == pytest.approx((0.25 + 0.75) / 2)
    assert last["to the end"] == pytest.approx(1)
    assert first["between seeds"] == pytest.approx(0.5)
    assert last["between seeds"] == pytest.approx(0)  # -1 for a, 1 for b
    assert (first["never"], last["never"]) == (1, pytest.approx(1 - 3 / 4))
    assert pd.isna(frame.loc[("off", 4), "never"])
    whole = stable_steps(scores, GRID)
    assert "–" in stable_listing(whole, "w").source
    assert "Spearman, to the end" in stable_figure(whole, "to the end", "w").source


def test_from_which_step_on_nothing_moves():
    names = {key: f"{key[0]}{key[2]}" for key in step_grid((1, 2, 4), (2,))}
    made = rows(random=[0.1, 0.2, 0.3, 0.2], on1=[0.1, 0.2, 0.3, 0.2], on2=[0.4, 0.1, 0.6, 0.4],
                on4=[0.4, 0.2, 0.6, 0.3], off1=[0.1] * 4, off2=[0.1] * 4, off4=[0.3] * 4)  # fmt: skip
    frame = faithful_steps(made, names, "soft_nc")
    on = frame.query("test == 'on'").set_index("steps")
    assert on.loc[4, "gain"] == 0
    assert on.loc[1, "gain"] == pytest.approx(log(1.5 / 0.8))
    assert "after step 1, +0.63 after step 4. From step 2 on" in steps_told(frame, "Soft-NC")
    assert "From step 4 on" in steps_told(frame, "Soft-NC", "off")
    html = steps_listing(frame, "soft_nc", "w").source + steps_figure(frame, "soft_nc", "w").source
    assert "its detectable" in html


def test_intervals_of_means():
    assert mean_interval(pd.Series([2.0, 2.0]).to_numpy()) == (2.0, 2.0, 2.0)
    value, low, high = mean_interval(pd.Series([0.0, 1.0, 2.0]).to_numpy())
    assert value == 1
    assert 0 <= low < 1 < high <= 2


# -- departures ------------------------------------------------------------------------------------------------------


def test_every_departure_is_one_change_of_the_papers_reading():
    names = departure_names({"max_steps": 5, "runs": 2}, specials=True)
    assert list(names) == ["none", *DEPARTURES]
    paper = METHODS["reagent"].resolve(dict(Setting.parse(names["none"]).options))
    for departed, how in DEPARTURES.items():
        options = METHODS["reagent"].resolve(dict(Setting.parse(names[departed]).options))
        changed = [option for option in paper if options[option] != paper[option]]
        if departed != "all as released":
            single = len(changed) + how.squared + (how.baseline == RANDOM)
            assert single == 1, (departed, changed)
        else:
            assert set(changed) == {*RELEASED, "specials"}
    fewer = departure_names({}, specials=False)
    assert "specials replaced" not in fewer
    assert not any("specials" in name for name in fewer.values())
    assert departures_told(fewer)["change"].tolist() == list(fewer)[1:]


def test_departures_read_the_same_rows_in_their_own_way():
    names = {
        "none": "a",
        "squared distance": "a",
        "NaN is perfect": "b",
        "all as released": "b",
        "uniform baseline": "a",
    }
    both = pd.concat([rows(random=[0.1, 0.2], a=[0.2, 0.4], b=[0.2, 0.4]),
                      rows(random=[0.1, 0.2], a=[0.2, 0.4], b=[0.2, 0.4]).assign(metric="soft_ns")])  # fmt: skip
    scores = [score_row(name, f"item {i}", 0, [1.0], stopped=i) for name in "ab" for i in range(2)]
    found = departure_readings(names, both, scores)

    def values(departed, method, metric):
        frame = found[departed].rows
        return frame[(frame["method"] == method) & (frame["metric"] == metric)]["value"].tolist()

    assert found["uniform baseline"].baseline == RANDOM
    assert values("none", "a", "soft_nc") == [0.2, 0.4]
    assert values("squared distance", "a", "soft_nc") == pytest.approx([0.04, 0.16])
    assert values("squared distance", "random", "soft_nc") == pytest.approx([0.01, 0.04])
    assert values("NaN is perfect", "b", "soft_nc") == [1.0, 0.4]
    assert values("NaN is perfect", "b", "soft_ns") == [0.0, 0.4]
    assert values("NaN is perfect", "a", "soft_nc") == [0.2, 0.4], "other settings keep their values"
    assert values("all as released", "b", "soft_nc") == pytest.approx([1.0, 0.16])
    assert values("all as released", "b", "soft_ns") == pytest.approx([0.0, 1 - 0.6**2])
