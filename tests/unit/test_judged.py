"""Judged prompts: rows are stored once, told by a manifest and checked; rates, controls and correlations by hand."""

import csv
import json

import pandas as pd
import pytest

from attribook.check.stored import stored_drift
from attribook.errors import AttribookError, Unanswered
from attribook.grid.judged import JUDGED_COLUMNS, JudgeStudy
from attribook.grid.judging import Judging, Remembering, one_line
from attribook.grid.kinds import study_of
from attribook.metrics.answerability import selected, word_scores
from attribook.metrics.judge_server import may_pass
from attribook.metrics.judges import JudgeAnswer
from attribook.metrics.questions import URL_VARIABLE
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
    whole = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(whole[:4]) + whole[4][:20], encoding="utf-8")
    study().run()
    cost = JUDGED_COLUMNS.index("seconds") + 1
    rows = [
        [row[:cost] for row in csv.reader(lines)] for lines in (whole, path.read_text(encoding="utf-8").splitlines())
    ]
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
def test_what_moves_an_answer_moves_its_key(change, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "https://judge.example/v1")
    one, other = study(), study(**change)
    other.data.items.chosen = one.items  # the seed orders them too
    one_keys, other_keys = (
        {each.data.key(unit, part) for unit in each.units() if unit.name != "random" or "seed" not in change
         for part in each.parts(unit)} for each in (one, other)
    )  # fmt: skip
    assert not one_keys & other_keys


@pytest.mark.parametrize(("address", "kind"), [
    ("https://judge.example/v1", "judge.example"), ("http://127.0.0.1:8000/v1", "this machine"),
    ("http://localhost/v1", "this machine"), ("http://[::1]:9/v1", "this machine"),
    ("http://10.0.0.7:8000/v1", "private network"), ("http://192.168.1.2/v1", "private network"),
    ("https://93.184.216.34/v1", "93.184.216.34"),
])  # fmt: skip
def test_a_servers_kind_is_in_the_judges_name(address, kind, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, address)
    assert study(asking="server", judge="some-model").judge_name(str) == f"some-model@{kind}, server"


@pytest.mark.parametrize("address", ["", "judge", "http://[::1/v1"])
def test_without_an_address_no_answer_of_a_server_is_found(address, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, address)
    with pytest.raises(AttribookError, match=URL_VARIABLE):
        study(asking="server").judge_name(str)


class Wavering:
    """A judge whose server is out of order at some questions."""

    name = "wavering"

    def __init__(self, outages):
        self.asked, self.outages = 0, outages

    def ask(self, words, candidates=1):
        self.asked += 1
        if self.asked in self.outages:
            return JudgeAnswer("", status=self.outages[self.asked])
        return JudgeAnswer("Rome", ("Rome",))


def test_an_outage_is_no_answer_and_is_asked_again(monkeypatch):
    first, judge = study(), Wavering({2: "server error 500", 5: "timeout"})
    monkeypatch.setattr(Judging, "judge", judge)
    with pytest.raises(Unanswered, match=r"2 answers are missing, the last because: .* timeout"):
        first.run()
    stored = (first.folder / "rows.csv").read_text(encoding="utf-8")
    assert "timeout" not in stored
    assert len(stored.splitlines()) == 1 + 12 - 2
    rows = study().rows()
    assert len(rows) == 12
    assert not rows["status"].map(may_pass).any()
    assert (first.folder / "rows.csv").read_text(encoding="utf-8").startswith(stored), "what was stored stays"
    assert judge.asked == rows["asked"].sum() + 2


def test_a_server_that_stays_away_ends_the_run_early(monkeypatch):
    judge = Wavering(dict.fromkeys(range(3, 100), "no connection"))
    monkeypatch.setattr(Judging, "judge", judge)
    with pytest.raises(Unanswered, match="no connection"):
        study().run()
    assert judge.asked < 12


def test_what_a_server_answers_amiss_is_its_answer():
    assert [may_pass(status) for status in ("ok", "malformed answer", "empty answer", "answer too long")] == [False] * 4
    assert all(may_pass(status) for status in ("timeout", "no connection", "rate limited", "server error 529"))


def test_a_manifest_tells_of_a_judged_study():
    first = study()
    first.run()
    (run,) = json.loads((first.folder / "manifest.json").read_text(encoding="utf-8"))["runs"]
    assert study_of(run["study"]) == first


def test_check_finds_an_edited_answer():
    first = study()
    first.run()
    found, told = stored_drift("smoke", None, 0)
    assert found == [], told
    path = first.folder / "rows.csv"
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    place = head.index("correct")
    rows[0][place] = "0" if rows[0][place] == "1" else "1"
    with path.open("w", newline="", encoding="utf-8") as file:
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
    rows = one.rows()
    assert len(rows) == 2
    assert (rows["value"].notna() == (rows["status"] == "ok")).all()


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
