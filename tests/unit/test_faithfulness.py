"""Table 3's means over tasks and the order of methods, by hand."""

from math import log

import pandas as pd
import pytest

from attribook.papers.cells import published
from attribook.papers.reagent.faithfulness import mean_over_tasks, order_table
from attribook.papers.reagent.tasks import reagent_tasks, task_rows


def rows(values):
    """One seed and draw of Soft-NC for each prompt of each method."""
    return pd.DataFrame(
        {"item": str(i), "method": method, "metric": "soft_nc", "status": "ok", "value": value}
        for method, each in values.items()
        for i, value in enumerate(each)
    )


TASKS = {
    "A": rows({"random": [0.1, 0.3], "reagent": [0.4, 0.4], "lime": [0.1, 0.2], "occlusion": [0.1, 0.1]}),
    "B": rows({"random": [0.2], "reagent": [0.1], "lime": [0.3]}),
}


def test_every_task_counts_alike_and_partial_methods_are_left_out():
    found = mean_over_tasks(TASKS, "soft_nc").set_index("method")
    assert list(found.index) == ["lime", "reagent"]
    assert found.loc["reagent", "ours"] == pytest.approx((log(2) - log(2)) / 2, abs=1e-12)
    assert found.loc["lime", "ours"] == pytest.approx((log(0.15 / 0.2) + log(1.5)) / 2)
    assert found["n"].tolist() == [3, 3]
    printed = published("reagent").query("table == 3 and metric == 'soft_nc' and method == 'lime'")
    assert found.loc["lime", printed["column"]].tolist() == printed["value"].tolist()


def test_a_mean_of_0_in_one_task_has_no_logarithm_and_is_told_as_no_value():
    tasks = TASKS | {"B": rows({"random": [0.2], "reagent": [0.1], "lime": [0.0]})}
    found = mean_over_tasks(tasks, "soft_nc").set_index("method")
    assert found["ours"].isna().to_dict() == {"reagent": False, "lime": True}


def means(ours):
    """A table of two printed models and one of ours."""
    return pd.DataFrame(
        {"method": ["a", "b", "c", "d"], "X": [1, 2, 3, 9.0], "Y": [3, 2, 1, 9.0], "ours": ours, "low": 0, "high": 0,
         "n": 1, "failed": 0, "published": None}
    )  # fmt: skip


def test_orders_are_compared_by_rank():
    printed, first = order_table({"first": means([10, 20, 30, None])}).to_dict("records")
    assert (printed["methods"], printed["pairs"], printed["mean"]) == (3, 1, pytest.approx(-1))
    assert first["columns"] == "first and a printed model"
    assert (first["pairs"], first["mean"], first["least"], first["most"]) == (2, *map(pytest.approx, (0, -1, 1)))


def test_two_models_of_ours_are_compared_with_each_other_too():
    other = means([3, 1, 2, 4]).iloc[::-1]  # listed in another order
    found = order_table({"first": means([10, 20, 30, None]), "other": other}).set_index("columns")
    assert found["methods"].tolist() == [3] * 4
    assert found["pairs"].tolist() == [1, 2, 2, 1]
    assert found.loc["two models of ours", "mean"] == pytest.approx(-0.5)  # ranks 1 2 3 and 3 1 2
    assert found.loc["other and a printed model", "most"] == pytest.approx(0.5)


def test_tasks_of_a_model_have_their_prompts_and_seeds():
    datasets = {"TellMeWhy": "tellmewhy-mini", "LongRA": "longra-mini"}
    given = {"profile": "smoke", "n_items": 2, "longra_items": 1, "keep": "all", "seed": 0}
    studies = reagent_tasks("tiny-gpt2", datasets, **given)
    assert [(study.name, study.n_items) for study in studies.values()] == [
        ("reagent_tellmewhy", 2),
        ("reagent_longra", 1),
    ]
    found = task_rows(studies["TellMeWhy"], {"gradient_shap": 2, "lime": 1}, {"lime": 3})
    assert set(found["step"]) == {5}
    counts = found.groupby("method")[["item", "seed"]].nunique()
    assert counts.loc[["gradient_shap", "lime", "random"]].to_numpy().tolist() == [[2, 1], [1, 3], [2, 5]]
