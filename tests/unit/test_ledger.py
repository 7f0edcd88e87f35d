"""Verdicts from planted rows, and a row for every printed cell."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import yaml
from conftest import ROOT
from typer.testing import CliRunner

from attribook.cli.main import app
from attribook.ledger.cell_rows import cell_rows
from attribook.ledger.claim_rows import claim_rows
from attribook.ledger.hypothesis_tests import Hypothesis, HypothesisTests, Result, control_of
from attribook.ledger.ledger import full_ledger
from attribook.ledger.links import links
from attribook.ledger.rows import COLUMNS
from attribook.ledger.verdicts import Outcome, together, verdict
from attribook.ledger.words import (
    CODE_ONLY,
    CONTROL,
    NO_ROWS,
    NOT_HERE,
    OPPOSITE,
    REPRODUCED,
    RULES,
    SAME,
    UNDECIDED,
    UNLIKE,
)
from attribook.papers.cells import published
from attribook.papers.noiser.settings import TEN
from attribook.statistics.resampling import Estimate

ITEMS = 60
PRINTED = {"occlusion": None, "lime": 0.412, "attention_mean": -0.280}  # ReAGent, Table 2, Soft-NC, LongRA


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Rows of Soft-NC on longra-mini, by method: item values around a mean, seeded."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))

    def planted(means, *, model="smollm2-135m", protocol="attribook", items=ITEMS, noise=0.02,
                study="reagent_longra", dataset="longra-mini", profile="laptop"):  # fmt: skip
        folder = tmp_path / profile / study / model / protocol
        folder.mkdir(parents=True)
        told = {"name": study, "profile": profile, "model": model, "dataset": dataset,
                "protocol": protocol, "metrics": ["soft_nc"], "methods": list(means)}  # fmt: skip
        (folder / "manifest.json").write_text(
            json.dumps({"weights": "w", "files": {}, "runs": [{"study": told}]}), encoding="utf-8"
        )
        chance = np.random.default_rng(0)
        with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(["key", "item", "method", "seed", "metric", "draw", "value", "status", "options_hash"])
            for method, mean in means.items():
                for item in range(items):
                    value = mean + noise * chance.standard_normal()
                    out.writerow(["k", f"i{item}", method, 0, "soft_nc", 0, value, "ok", "x"])

    return planted


def cell(rows, row, *, table=2, dataset="LongRA", metric="soft_nc"):
    (found,) = [
        r for r in rows if (r["table"], r["row"], r["dataset"], r["metric"]) == (table, row, dataset, metric)
    ]  # fmt: skip
    return found


# -- rules ---------------------------------------------------------------------------------------------------


def decision(low, high, p, n=40):
    return Result(Hypothesis("", "a", "b", 1), Estimate((low + high) / 2, low, high, n), p).decision


def test_a_test_needs_a_small_p_and_nothing_that_bars_a_verdict():
    assert decision(0.1, 0.2, 0.01) == SAME
    assert decision(0.1, 0.2, 0.05) == UNDECIDED
    assert decision(-0.2, -0.1, 0.01) == OPPOSITE
    assert decision(0.1, 0.2, 0.01, n=39) == UNDECIDED
    assert decision(float("nan"), 0.2, 0.0) == UNDECIDED
    assert Result(Hypothesis("", "a", "b", 1), None).decision == UNDECIDED


def test_one_test_against_a_claim_is_enough_and_all_are_needed_for_it():
    assert together([SAME, OPPOSITE, UNDECIDED]) == OPPOSITE
    assert together([SAME, UNDECIDED]) == UNDECIDED
    assert together([SAME, SAME]) == SAME
    assert together([]) == UNDECIDED


@pytest.mark.parametrize(
    ("written", "code", "ours", "confirmed", "expected"),
    [
        (SAME, None, None, True, REPRODUCED),
        (SAME, None, None, False, SAME),
        (UNDECIDED, SAME, None, False, CODE_ONLY),
        (OPPOSITE, SAME, None, True, CODE_ONLY),
        (OPPOSITE, OPPOSITE, SAME, False, OPPOSITE),
        (None, None, OPPOSITE, False, OPPOSITE),
        (None, SAME, OPPOSITE, True, SAME),  # without rows as written, "only under the code's" cannot be said
        (None, None, None, True, NO_ROWS),
    ],
)
def test_verdicts_of_protocols_together(written, code, ours, confirmed, expected):
    sides = {"written": written, "code": code, "ours": ours}
    outcomes = {role: Outcome(side, "") for role, side in sides.items() if side}
    assert verdict(outcomes, confirmed=confirmed)[0] == expected


# -- planted rows --------------------------------------------------------------------------------------------


def test_planted_rows_get_the_verdict_that_they_were_made_for(plant):
    plant({"random": 0.2, "lime": 0.4, "attention_mean": 0.3, "attention_rollout": 0.2})
    rows = cell_rows(["reagent"], HypothesisTests())
    lime, mean, rollout = (cell(rows, row) for row in ("Lime", "Attention", "Attention Rollout"))
    assert (lime["published"], lime["verdict"]) == (PRINTED["lime"], SAME)
    assert lime["ours"] == pytest.approx(np.log(2), abs=0.05)
    assert lime["low"] < lime["ours"] < lime["high"]
    assert (mean["published"], mean["verdict"]) == (PRINTED["attention_mean"], OPPOSITE)
    assert rollout["verdict"] == UNDECIDED
    assert "the smallest detectable difference is" in rollout["reason"]
    assert {lime["n"], lime["model"], lime["protocol"]} == {ITEMS, "smollm2-135m", "attribook"}
    assert "smollm2-135m on longra-mini stands in for the mean over the paper's models" in lime["reason"]
    assert "1 seed of lime, not 5, 1 mask draw of lime, not 8, 1 seed of random" in lime["reason"]
    assert "of attention_mean, not 5" not in mean["reason"]


@pytest.mark.parametrize(
    ("control", "verdict", "why"),
    [(0.4, CONTROL, "its control (lime:permuted) does as well"), (0.2, SAME, "its control (lime:permuted) does not"),
     (None, SAME, "no control of it is stored")],
)  # fmt: skip
def test_what_a_control_reaches_too_says_nothing_about_the_method(plant, control, verdict, why):
    plant({"random": 0.2, "lime": 0.4} | ({"lime:permuted": control} if control else {}))
    found = cell(cell_rows(["reagent"], HypothesisTests()), "Lime")
    assert found["verdict"] == verdict
    assert why in found["reason"]


def test_a_method_that_was_run_otherwise_contradicts_nothing(plant):
    plant({"random": 0.4, "reagent": 0.2, "lime": 0.2})
    rows = cell_rows(["reagent"], HypothesisTests())
    reagent = cell(rows, "ReAGent")
    assert reagent["verdict"] == UNLIKE
    assert "reagent has max_steps 100, not 1000; reagent has replacer left_to_right, not masked_lm" in reagent["reason"]
    assert cell(rows, "Lime")["verdict"] == OPPOSITE, "the claim is not about ReAGent"


def test_what_is_unlike_the_paper():
    link = next(each for each in links().links if (each.paper, each.table) == ("rpi", 4))
    named = link.names["RPI"]
    assert link.unlike("rpi-prompted", [named, named]) == ["rpi has maps 8, not 24", "rpi has steps 6, not 31"]
    alike = named.replace("steps=6", "steps=31").replace("best of 8", "best of 24")
    assert link.unlike("rpi-prompted", [alike, "gradient_shap{samples=8}"]) == []


def test_a_judge_is_the_papers_own_by_its_name_whatever_its_hash_and_way_of_asking():
    link = next(each for each in links().links if (each.paper, each.table) == ("noiser", 3))
    asked = yaml.safe_load((ROOT / "params/paper.yml").read_text("utf-8"))["noiser/table_3"]["judge"]
    assert link.other_judges([f"{asked}@0123abcd, chat", f"{asked}, plain", asked]) == []
    assert link.other_judges(["smollm2-135m@a672, plain"]) == [f"the judge is smollm2-135m, not {asked}"]
    assert dataclasses.replace(link, judge=None).other_judges(["any@1, chat"]) == []


def test_controls_of_names():
    assert control_of("lime") == "lime:permuted"
    assert control_of("noiser{vectors=3}") == "noiser{vectors=3}:permuted"
    assert control_of("rpi{layers=-1|-2,steps=11}, best of 48") == "random, best of 48"


def test_without_rows_nothing_is_claimed(plant):
    rows = cell_rows(["reagent"], HypothesisTests())
    assert cell(rows, "Lime")["verdict"] == NO_ROWS
    assert {row["verdict"] for row in rows if row["claim"] != "value"} <= {NO_ROWS, NOT_HERE}


def test_models_are_not_compared_where_one_of_ours_stands_for_all(plant):
    for study in ("reagent_tellmewhy", "reagent_wikibio", "reagent_longra"):
        plant({"random": 0.3, "lime": 0.4, "gradient_shap": 0.5}, study=study)
    rows = {row["row"]: row for row in claim_rows(["reagent"], HypothesisTests())}
    assert rows["reagent-families"]["verdict"] == NOT_HERE
    assert "compares the paper's models" in rows["reagent-families"]["reason"]
    assert rows["reagent-above-random"]["verdict"] != NOT_HERE


def test_our_protocol_is_asked_where_the_papers_has_no_rows(plant):
    plant({"random": 0.2, "lime": 0.3, "noiser": 0.5}, study="noiser_knowns", dataset="knowns-mini",
          protocol="noiser-paper")  # fmt: skip
    alone = {row["row"]: row for row in claim_rows(["noiser"], HypothesisTests())}["noiser-best-comprehensiveness"]
    assert "18 printed comparisons: 6 are undecided, 12 have no rows" in alone["reason"]  # Knowns on six models
    assert "they rest on 1 hypothesis test)" in alone["reason"]
    plant({"random": 0.2, "lime": 0.3, "noiser{vectors=3}": 0.5})
    both = {row["row"]: row for row in claim_rows(["noiser"], HypothesisTests())}["noiser-best-comprehensiveness"]
    assert (
        "18 printed comparisons: 12 are undecided, 6 have no rows (they rest on 2 hypothesis tests)" in both["reason"]
    )
    assert (both["data"], both["protocol"]) == ("knowns-mini, longra-mini", "noiser-paper")
    assert both["rows"].count("rows.csv") == 2
    assert (both["n"], both["model"]) == (ITEMS, "smollm2-135m")


def test_rows_with_the_rivals_go_before_a_better_profile_without_them(plant):
    plant({"random": 0.2, "lime": 0.4, "reagent": 0.3}, items=50)
    plant({"random": 0.2, "lime": 0.2}, profile="original", dataset="longra")
    found = cell(cell_rows(["reagent"], HypothesisTests()), "ReAGent")
    assert (found["profile"], found["n"]) == ("laptop", 50)
    plant({"random": 0.2, "lime": 0.4, "reagent": 0.3}, profile="original", dataset="longra", model="gemma-3-270m")
    assert cell(cell_rows(["reagent"], HypothesisTests()), "ReAGent")["profile"] == "original"


def test_only_what_contradicts_a_claim_has_to_be_run_as_the_paper_has_it(plant):
    others = dict.fromkeys([name for name in TEN if name != "noiser"], 0.5)
    plant(
        {"random": 0.2, "noiser": 0.3} | others, study="noiser_knowns", dataset="knowns-mini", protocol="noiser-paper"
    )
    plant({"random": 0.2, "noiser{vectors=3}": 0.5} | others)
    found = {row["row"]: row for row in claim_rows(["noiser"], HypothesisTests())}["noiser-best-comprehensiveness"]
    assert found["verdict"] == OPPOSITE, found["reason"]
    assert "vectors 3" not in found["reason"]


def test_few_noisy_prompts_decide_nothing(plant):
    plant({"random": 0.2, "lime": 0.22}, items=4, noise=0.1)
    assert cell(cell_rows(["reagent"], HypothesisTests()), "Lime")["verdict"] == UNDECIDED


def test_of_two_models_that_stand_in_the_one_with_more_rows_is_asked(plant):
    plant({"random": 0.2, "lime": 0.1}, model="a-model", items=10)
    plant({"random": 0.2, "lime": 0.4}, items=20)
    assert cell(cell_rows(["reagent"], HypothesisTests()), "Lime")["model"] == "smollm2-135m"


# -- the whole -----------------------------------------------------------------------------------------------


def test_every_printed_cell_has_a_row_with_a_verdict_and_a_reason():
    rows = full_ledger()
    for paper in ("reagent", "noiser", "rpi"):
        cells = [row for row in rows if row["paper"] == paper and row["column"]]
        assert len(cells) == len(published(paper))
    assert all(set(row) == set(COLUMNS) and row["verdict"] in RULES and row["reason"] for row in rows)
    tables = {(row["paper"], row["table"]) for row in rows}
    assert tables >= {("noiser", table) for table in (1, 2, 3, 5, 6, 7)}
    assert tables >= {("rpi", table) for table in (2, 4, 5, 6, 7)}
    soft = [row for row in rows if row["paper"] == "reagent" and row["metric"] in ("soft_nc", "soft_ns")]
    assert sum(row["table"] in (2, 3) for row in soft) >= 96
    answered = [row for row in rows if row["verdict"] in (SAME, OPPOSITE, UNDECIDED, CODE_ONLY) and row["column"]]
    assert all(row["notebook"] and row["n"] and (row["rows"] or row["claim"] == "value") for row in answered)


def test_the_command_prints_them_as_json(tmp_path):
    told = CliRunner().invoke(app, ["claims"])
    assert "$ATTRIBOOK_RESULTS names" in str(told.exception)
    (tmp_path / "results").mkdir()
    done = CliRunner().invoke(app, ["claims", "--json", "--paper", "reagent", "--table", "3"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    wanted = ("paper", "table", "row", "column", "metric", "published", "claim", "ours", "low", "high", "n", "profile",
              "protocol", "verdict", "reason", "notebook")  # fmt: skip
    assert all(set(wanted) <= set(row) for row in rows)
    assert {(row["paper"], row["table"]) for row in rows if row["column"]} == {("reagent", 3)}
