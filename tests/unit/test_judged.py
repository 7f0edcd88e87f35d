"""Judged prompts: rows are stored once, told by a manifest and checked; rates, controls and correlations by hand."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from attribook.check.stored import stored_drift
from attribook.errors import AttribookError
from attribook.grid.judged import JUDGED_COLUMNS, JudgeStudy
from attribook.grid.judging import Judging, Remembering, one_line
from attribook.grid.kinds import study_of
from attribook.metrics.answerability import selected, word_scores
from attribook.metrics.judges import JudgeAnswer
from attribook.papers.noiser.answers import (
    answer_metrics,
    answer_table,
    control_table,
    faith_and_answers,
    figure4_correlation,
    figure4_points,
    minimum_table,
    pearson,
    share_lead,
)
from attribook.statistics.evidence import read_evidence


def study(**changes) -> JudgeStudy:
    given = {
        "name": "noiser_knowns_judged_tiny", "profile": "smoke", "model": "tiny-gpt2", "dataset": "knowns-mini",
        "protocol": "noiser-paper", "methods": ("random", "input_x_gradient"), "n_items": 2, "keep": "all",
        "source": "noiser_knowns", "judge": "tiny-llama", "draws": 2,
    }  # fmt: skip
    return JudgeStudy(**{**given, **changes})


def test_answers_are_stored_once_and_come_back(monkeypatch):
    first = study()
    rows = first.rows()
    text = (first.folder / "rows.csv").read_bytes()
    counts = rows.groupby(["method", "selection"]).size().to_dict()
    assert counts == {("random", "random"): 4, ("random", "first"): 2, ("random", "none"): 2,
                      ("input_x_gradient", "top"): 2, ("input_x_gradient", "bottom"): 2}  # fmt: skip
    monkeypatch.setattr(Judging, "computed", None)  # asking would fail
    pd.testing.assert_frame_equal(study().rows(), rows)
    assert (first.folder / "rows.csv").read_bytes() == text


def test_a_killed_run_goes_on_where_it_was():
    study().run()
    path = study().folder / "rows.csv"
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole[:4]) + whole[4][:20])
    study().run()
    cost = JUDGED_COLUMNS.index("seconds") + 1
    rows = [[row[:cost] for row in csv.reader(lines)] for lines in (whole, path.read_text().splitlines())]
    assert rows[0] == rows[1]


def test_what_the_judge_saw_are_the_selected_words():
    one = study(methods=("input_x_gradient",))
    rows = one.rows()
    unit = one.units()[0]
    worker = one.data.worker
    words, sums = word_scores(worker.encoding(unit.prompt, 0), worker.selecting(unit))
    row = rows[(rows["item"] == unit.prompt.id) & (rows["selection"] == "top")].iloc[0]
    assert row["kept"].split() == [words[place] for place in selected("top", sums, 0.5)]


@pytest.mark.parametrize("change", [{"share": 0.3}, {"candidates": 2}, {"judge": "tiny-gpt2"}, {"asking": "server"},
                                    {"seed": 1}])  # fmt: skip
def test_what_moves_an_answer_moves_its_key(change):
    one, other = study(), study(**change)
    other.data.items.chosen = one.items  # the seed orders them too
    one_keys, other_keys = (
        {each.data.key(unit, part) for unit in each.units() if unit.name != "random" or "seed" not in change
         for part in each.parts(unit)} for each in (one, other)
    )  # fmt: skip
    assert not one_keys & other_keys


def test_a_manifest_tells_of_a_judged_study():
    first = study()
    first.run()
    (run,) = json.loads((first.folder / "manifest.json").read_text())["runs"]
    assert study_of(run["study"]) == first


def test_check_finds_an_edited_answer():
    first = study()
    first.run()
    found, told = stored_drift("smoke", None, 0)
    assert found == [], told
    path = first.folder / "rows.csv"
    with path.open(newline="") as file:
        head, *rows = list(csv.reader(file))
    place = head.index("correct")
    rows[0][place] = "0" if rows[0][place] == "1" else "1"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
    checks = {drift.check for drift in stored_drift("smoke", None, 0)[0]}
    assert checks == {"files", rows[0][head.index("selection")]}


def test_evidence_reads_answers_as_the_papers_metrics():
    first = study()
    rows = first.rows()
    found = read_evidence(first.folder / "manifest.json")
    assert found.has("input_x_gradient", "answerability_score_top5")
    assert not found.has("random", "answerability_rate")
    assert found.too_few("input_x_gradient", "answerability_rate") == ""  # nothing is drawn
    top = rows[(rows["method"] == "input_x_gradient") & (rows["selection"] == "top") & (rows["status"] == "ok")]
    values = found.values["input_x_gradient", "answerability_rate"]
    assert values.to_dict() == dict(zip(top["item"], 100.0 * top["correct"], strict=True))


def test_minimum_shares_are_rows_too():
    one = study(methods=("input_x_gradient",), selections=("minimum",))
    frame = minimum_table(one.rows())
    assert frame["n"].iloc[0] + frame["not answerable"].iloc[0] == 2


@pytest.mark.parametrize("change", [{"metrics": ("soft_nc",)}, {"source": ""}, {"selections": ("best",)},
                                    {"methods": ("random:permuted",)}])  # fmt: skip
def test_studies_that_cannot_be_judged_are_refused(change):
    with pytest.raises(AttribookError):
        study(**change)


def test_the_same_words_are_asked_once_and_failures_again():
    class Scripted:
        name = "scripted"
        answers = iter([JudgeAnswer("", status="timeout"), JudgeAnswer("Rome"), JudgeAnswer("Oslo")])

        def ask(self, words, candidates=1):
            return next(self.answers)

    judge = Remembering(Scripted())
    said = [judge.ask(["a"]).text, judge.ask(["a"]).text, judge.ask(["a"]).text, judge.ask(["a"], 5).text]
    assert said == ["", "Rome", "Rome", "Oslo"]


def test_no_answer_ends_a_line_of_the_file():
    assert one_line("a\u2028b\x85c\x1dd\r\ne") == "a b c d e"


# -- by hand -----------------------------------------------------------------------------------------------------


def judged(*rows) -> pd.DataFrame:
    names = ["item", "method", "seed", "selection", "correct", "among", "value", "status"]
    return pd.DataFrame(rows, columns=names)


HAND = judged(
    ("p", "lime", 0, "top", 1, 1, 0.8, "ok"), ("q", "lime", 0, "top", 0, 1, 0.6, "ok"),
    ("r", "lime", 0, "top", np.nan, np.nan, np.nan, "timeout"), ("p", "lime", 0, "bottom", 0, 0, 0.2, "ok"),
    ("q", "lime", 0, "bottom", 0, 1, 0.4, "ok"), ("p", "random", 0, "random", 1, 1, 0.5, "ok"),
    ("p", "random", 1, "random", 0, 1, 0.5, "ok"), ("q", "random", 0, "random", 0, 0, 0.5, "ok"),
    ("q", "random", 1, "random", 0, 0, 0.5, "ok"), ("r", "random", 0, "random", 1, 1, 0.5, "ok"),
    ("p", "random", 0, "none", 0, 0, 0.0, "ok"), ("q", "random", 0, "none", 0, 0, 0.0, "ok"),
    ("p", "random", 0, "first", 1, 1, 0.5, "ok"), ("q", "random", 0, "first", 1, 1, 0.5, "ok"),
)  # fmt: skip


def test_rates_scores_and_gains_by_hand():
    row = answer_table(HAND).iloc[0]
    assert (row["rate"], row["score"], row["bottom"]) == (50, 0.4, 0)
    assert row["gain"] == 50 - 25  # random words: p half of the time, q never; r is left out
    assert (row["n"], row["failed"]) == (2, 1)
    five = answer_table(HAND, top5=True).iloc[0]
    assert (five["rate"], five["bottom"]) == (100, 50)
    assert five["score"] == pytest.approx(0.7)


def test_controls_by_hand():
    found = control_table(HAND).set_index("words")["rate"].to_dict()
    assert found == {"no words": 0, "random words": 50, "first words": 100}  # p 1/2, q 0, r 1


def test_a_judge_without_candidates_has_no_top_five():
    frame = answer_metrics(HAND.assign(among=np.nan))
    five = frame[frame["metric"].str.endswith("top5")]
    assert set(five["status"]) == {"no candidates", "timeout"}
    assert five["value"].isna().all()


def test_minimum_shares_by_hand():
    rows = judged(*[(item, name, 0, "minimum", "", "", value, "ok") for name, values in
                    {"lime": (0.5, 0.5, 0.25), "occlusion": (0.25, 0.5, 0.25)}.items()
                    for item, value in zip("pqr", values, strict=True)],
                  ("s", "lime", 0, "minimum", "", "", "", "not answerable with all words"))  # fmt: skip
    found = minimum_table(rows)
    assert list(found["method"]) == ["occlusion", "lime"]
    assert found["share"].tolist() == pytest.approx([1 / 3, 1.25 / 3])
    assert found["not answerable"].tolist() == [0, 1]
    assert share_lead(rows, "occlusion")["difference"].iloc[0] == pytest.approx(-0.25 / 3)


def parts(rate):
    items, chance = list("pqrst"), np.random.default_rng(0)
    soft = [(item, name, metric, "ok", value) for metric in ("soft_nc", "soft_ns") for item in items
            for name, value in zip(("a", "b", "c", "random"), chance.random(4) + 0.5, strict=True)]  # fmt: skip
    frame = pd.DataFrame(soft, columns=["item", "method", "metric", "status", "value"])
    answers = judged(*[(item, name, 0, "top", right, right, 0.5, "ok") for item in items[:4]
                       for name, right in rate.items()])  # fmt: skip
    return frame, faith_and_answers(frame, answers, ("a", "b", "c"))


def test_figure_4_by_hand():
    frame, found = parts({"a": 1, "b": 0, "c": 1})
    points = figure4_points(found).set_index("method")
    means = frame[frame["item"] != "t"].groupby(["method", "metric"])["value"].mean()  # t was not judged
    by_hand = {name: sum(np.log(means[name, m] / means["random", m]) for m in ("soft_nc", "soft_ns")) for name in "abc"}
    assert points["faithfulness"].to_dict() == pytest.approx(by_hand)
    assert points["score"].tolist() == [0.5, 0, 0.5]
    one = figure4_correlation(found, "rate")
    assert one.value == pytest.approx(np.corrcoef(points["faithfulness"], points["rate"])[0, 1])
    assert -1 <= one.low <= one.high <= 1
    assert one.n == 4


def test_methods_that_do_not_differ_have_no_correlation():
    assert np.isnan(figure4_correlation(parts({"a": 1, "b": 1, "c": 1})[1], "rate").value)
    assert np.isnan(pearson(np.ones((1, 3)), np.arange(3.0)[None])[0])
