"""Noiser's tasks as studies, and its faithfulness by hand on planted rows, as the pages compute it."""

from math import isnan, log

import pandas as pd
import pytest

from attribook.grid.judged import JudgeStudy
from attribook.grid.study import Study
from attribook.papers.cells import published
from attribook.papers.noiser.settings import KNOWNS, LONGRA, SOFT, TEN, WIKIBIO, judged
from attribook.statistics.estimates import estimate

GIVEN = {"profile": "laptop", "model": "tiny-gpt2", "dataset": "knowns-mini", "n_items": 2}


@pytest.mark.parametrize("task", [KNOWNS, LONGRA, WIKIBIO], ids=lambda task: task["name"])
def test_a_task_has_its_study(task):
    found = Study(**task, **GIVEN, methods=("random", *TEN))
    assert (found.name, found.protocol, found.metrics) == (task["name"], task["protocol"], SOFT)


def test_a_judge_has_its_folder_and_reads_the_scores_of_the_task():
    found = JudgeStudy(**judged(KNOWNS, "meta-llama/Llama-3.3-70B"), **GIVEN, methods=("random", *TEN))
    assert found.name == "noiser_knowns_judged_meta_llama_Llama_3.3_70B"
    assert (found.source, found.judge) == ("noiser_knowns", "meta-llama/Llama-3.3-70B")
    assert judged(KNOWNS, "smollm2-135m", rows="minimum")["name"] == "noiser_knowns_minimum_smollm2_135m"


def test_the_ten_methods_are_those_of_table_1():
    assert set(TEN) == set(published("noiser").query("table == 1")["method"])


def rows(values):
    """`values`: method to (Soft-NC, Soft-NS) of each prompt."""
    return pd.DataFrame(
        {"item": str(i), "method": method, "metric": metric, "status": "ok", "value": value}
        for method, items in values.items()
        for i, pair in enumerate(items)
        for metric, value in zip(SOFT, pair, strict=True)
    )


PLANTED = {
    "random": [(0.1, 0.2), (0.3, 0.2)],
    "noiser": [(0.8, 0.4), (0.8, 0.4)],
    "occlusion": [(0.2, 0.1), (0.2, 0.1)],
}


def faithfulness(frame, **compared):
    compared = compared or {"against": {"method": "random"}}
    return estimate(frame, "log_ratio", "method", sum_over="metric", **compared).set_index("method")


def test_faithfulness_is_the_sum_of_two_log_ratios():
    found = faithfulness(rows(PLANTED)).loc["noiser"]
    assert found["value"] == pytest.approx(log(0.8 / 0.2) + log(0.4 / 0.2))
    assert found["n"] == 2
    lead = faithfulness(rows(PLANTED).query("method != 'random'"), of={"method": "noiser"}).loc["occlusion"]
    assert lead["value"] == pytest.approx(log(4) + log(4))


def test_a_printed_sum_is_that_of_its_halves():
    cells = published("noiser").query("dataset == 'Knowns' and method == 'occlusion'")
    halves = cells.query("table == 5 and column == 'Qwen2-0.5B'")["value"]
    total = cells.query("table == 1 and column == 'Qwen2-0.5B'")["value"]
    assert float(halves.sum()) == pytest.approx(float(total.iloc[0]), abs=2e-4)


def test_a_mean_of_0_has_no_logarithm():
    found = faithfulness(rows(PLANTED | {"occlusion": [(0.0, 0.1), (0.0, 0.1)]})).loc["occlusion"]
    assert isnan(found["value"])
    assert found["n"] == 2


def test_failed_prompts_are_left_out_and_counted():
    planted = rows(PLANTED)
    failed = (planted["method"] == "noiser") & (planted["item"] == "1")
    planted.loc[failed, ["status", "value"]] = ["all_zero", float("nan")]
    found = faithfulness(planted).loc["noiser"]
    assert (found["n"], found["failed"]) == (1, 1)
