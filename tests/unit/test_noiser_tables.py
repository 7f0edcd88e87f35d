"""Noiser's faithfulness and its tables, by hand on planted rows."""

from math import isnan, log

import pandas as pd
import pytest

from attribook.papers.cells import published
from attribook.papers.noiser.tables import (
    FEWER,
    TASKS,
    bound_table,
    bounds_told,
    leader_told,
    noiser_study,
    printed_counts,
    search_table,
    sum_leader,
    sum_table,
    summed,
)


def rows(values, seeds=1):
    """`values`: method to (Soft-NC, Soft-NS) of each prompt; the second seed has twice the first's numbers."""
    return pd.DataFrame(
        {"item": str(i), "method": method, "metric": metric, "status": "ok", "seed": seed, "value": value * (1 + seed)}
        for method, items in values.items()
        for i, pair in enumerate(items)
        for metric, value in zip(("soft_nc", "soft_ns"), pair, strict=True)
        for seed in range(seeds if method != "random" else 1)
    )


PLANTED = {
    "random": [(0.1, 0.2), (0.3, 0.2)],
    "noiser": [(0.8, 0.4), (0.8, 0.4)],
    "occlusion": [(0.2, 0.1), (0.2, 0.1)],
}


def test_faithfulness_is_the_sum_of_two_log_ratios():
    found = summed(rows(PLANTED), "noiser")
    assert found.value == pytest.approx(log(0.8 / 0.2) + log(0.4 / 0.2))
    assert found.n == 2
    assert summed(rows(PLANTED), "noiser", "occlusion").value == pytest.approx(log(4) + log(4))


def test_a_printed_sum_is_that_of_its_halves():
    cells = published("noiser").query("dataset == 'Knowns' and method == 'occlusion'")
    halves = cells.query("table == 5 and column == 'Qwen2-0.5B'")["value"]
    total = cells.query("table == 1 and column == 'Qwen2-0.5B'")["value"]
    assert float(halves.sum()) == pytest.approx(float(total.iloc[0]), abs=2e-4)


def test_a_mean_of_0_has_no_logarithm():
    found = summed(rows(PLANTED | {"occlusion": [(0.0, 0.1), (0.0, 0.1)]}), "occlusion")
    assert isnan(found.value)
    assert found.n == 2


def test_failed_prompts_are_left_out_and_counted():
    planted = rows(PLANTED)
    planted.loc[(planted["method"] == "noiser") & (planted["item"] == "1"), "status"] = "all_zero"
    found = summed(planted, "noiser")
    assert (found.n, found.failed) == (1, 1)


def printed(task, method):
    cells = published("noiser").query("table == 1 and dataset == @task and method == @method and column == 'Average'")
    return cells["value"].item()


def test_methods_stand_beside_what_was_printed_of_them():
    sig = "sequential_integrated_gradients{steps=10}"
    planted = rows(PLANTED | {f"noiser{FEWER}": PLANTED["noiser"], sig: PLANTED["noiser"]})
    found = sum_table(planted, "LongRA").set_index("method")
    assert found.loc[sig, "published"] == printed("LongRA", "sequential_integrated_gradients")
    cells = published("noiser").query("table == 1 and dataset == 'LongRA' and method == 'noiser'")
    for name in ("noiser", f"noiser{FEWER}"):
        mine = found.loc[name]
        assert mine["published"] == cells.loc[cells["column"] == "Average", "value"].item()
        assert mine["most"] == cells.loc[cells["column"] != "Average", "value"].max()
        assert mine["soft_nc"] + mine["soft_ns"] == pytest.approx(mine["ours"])
    assert found.index[-1] == "occlusion"


def test_one_is_set_against_each_of_the_others():
    found = sum_leader(rows(PLANTED), ["occlusion", "noiser"])
    assert found[["method", "other"]].to_dict("records") == [{"method": "noiser", "other": "occlusion"}]
    assert found["difference"].item() == pytest.approx(log(16))
    given = sum_leader(rows(PLANTED), ["occlusion", "noiser"], "occlusion")
    assert given["difference"].item() == pytest.approx(-log(16))


def test_a_comparison_is_told_by_what_is_decided():
    found = pd.DataFrame({"method": "a", "other": list("bcd"), "low": [1, -2, -1], "high": [2, -1, 1], "n": 10})
    told = leader_told(found.assign(**{"p (Holm)": [0.01, 0.01, 0.01]}))
    assert told == "`a` is ahead of 1 of 3 others and behind 1; not told from `d`."
    assert "ahead of 0 of 3" in leader_told(found.assign(**{"p (Holm)": 0.2}))
    assert "ahead of 0 of 3" in leader_told(found.assign(n=9, **{"p (Holm)": 0.01}))


def test_bounds_are_told_by_what_is_decided():
    found = pd.DataFrame({"bound": ["min", "max", "none", "per token"], "min ahead by": [float("nan"), 0.5, 0.1, 0.9],
                          "ahead low": [float("nan"), 0.2, -0.1, 0.3], "ahead high": [float("nan"), 0.8, 0.3, 1.5],
                          "seeds": [0.2, 0.1, 0.3, float("nan")], "n": [16, 16, 16, 6]})  # fmt: skip
    told = bounds_told(found)
    assert "`min` has the highest faithfulness. `min` is ahead of 1 of 3 others and behind 0" in told
    assert "exclude 0; 1 have too few prompts to decide. Two seeds of one bound differ by up to 0.30 nats" in told
    assert told.endswith("`min` lies +0.10 from the best of the others.")


def test_bounds_have_their_distance_to_min_and_what_seeds_move():
    names = {"min": "noiser", "None": "noiser{bound=none}"}
    planted = rows(PLANTED | {"noiser{bound=none}": PLANTED["occlusion"]}, seeds=2)
    found = bound_table(planted, names).set_index("bound")
    assert list(found.index) == ["min", "None"]
    assert found.loc["None", "min ahead by"] == pytest.approx(log(16))
    assert isnan(found.loc["min", "min ahead by"])
    assert found["seeds"].tolist() == pytest.approx([2 * log(2)] * 2)  # each half doubles with the seed
    assert found.loc["min", "published"] == 1.8103


def test_searches_are_set_beside_the_full_one():
    quick = "noiser{vectors=1}"
    scores = [
        {"item": "0", "method": name, "seed": 0, "scores": vector, "forwards": forwards,
         "details": {"scale": 0.25, "not_monotone": turned}}
        for name, vector, forwards, turned in (("noiser", [1.0, 2, 3], 40, 2), (quick, [3.0, 2, 1], 4, 0))
    ]  # fmt: skip
    planted = rows(PLANTED | {quick: PLANTED["occlusion"]})
    found = search_table(planted, scores, {"full": "noiser", "one": quick}, "noiser").set_index("search")
    assert found["agreement"].tolist() == pytest.approx([1, -1])
    assert found["turned back"].tolist() == [1, 0]
    assert found["forwards"].tolist() == [40, 4]


def test_counts_are_those_of_table_7():
    found = printed_counts().set_index("data set")
    assert found.loc["LongRA", "Dataset"] == 573
    assert (found["Qwen2-0.5B"] < found["Dataset"]).all()


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_its_study(task):
    found = noiser_study(task, "laptop", "tiny-gpt2", "knowns-mini", ("random",), n_items=2, keep="all")
    assert (found.name, found.protocol, found.keep) == (TASKS[task].study, TASKS[task].protocol, "all")
    assert found.metrics == ("soft_nc", "soft_ns")
