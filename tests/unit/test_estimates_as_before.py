"""The new estimates are the former ones. Goes with `attribook.statistics.bootstrap`."""

import numpy as np
import pandas as pd
import pytest

from attribook.statistics import bootstrap as former
from attribook.statistics.estimates import estimate, estimate_groups


@pytest.fixture(scope="module")
def rows():
    """Three methods and random under two protocols, with several seeds and draws, some of which failed."""
    chance = np.random.default_rng(1)
    keys = pd.MultiIndex.from_product(
        [["paper", "code"], ["soft_nc", "soft_ns"], ["random", "a", "b", "c"], [f"i{k}" for k in range(23)],
         [0, 1], [0, 1]],
        names=["protocol", "metric", "method", "item", "seed", "draw"],
    )  # fmt: skip
    frame = pd.DataFrame({"value": chance.beta(2, 3, len(keys)), "status": "ok"}, index=keys).reset_index()
    failed = chance.random(len(frame)) < 0.01
    frame.loc[failed, ["value", "status"]] = [float("nan"), "no positive score"]
    return frame


def assert_same(row, before):
    now = [row[name] for name in ("value", "low", "high", "n", "p", "detectable")]
    assert now == pytest.approx(
        [before.value, before.low, before.high, before.n, before.p, before.detectable], rel=1e-9
    )


def test_log_ratios(rows):
    for protocol, mine in rows.groupby("protocol"):
        for row in estimate(mine, "log_ratio", against={"method": "random"}).to_dict("records"):
            assert_same(row, former.log_ratio(mine, row["method"], row["metric"]))
            assert protocol in ("paper", "code")


def test_changes(rows):
    table = estimate(rows, "log_ratio", ["protocol", "metric", "method"],
                     against=[{"method": "random"}, {"protocol": "paper"}])  # fmt: skip
    for row in table.to_dict("records"):
        readings = [former.Reading(rows[rows["protocol"] == name], row["method"]) for name in ("paper", "code")]
        assert_same(row, former.log_ratio_change(*readings, row["metric"]))


def test_groups(rows):
    parts = {
        key: former.per_item(mine, key[1], key[2])[0]
        for key, mine in ((key, rows[rows["protocol"] == key[0]]) for key in rows[["protocol", "method", "metric"]]
                          .drop_duplicates().itertuples(index=False, name=None))
    }  # fmt: skip
    groups = [[(parts[name, "a", "soft_nc"], 1), (parts[name, "b", "soft_ns"], -1)] for name in ("paper", "code")]
    for log in (True, False):
        now, before = estimate_groups(groups, log=log, failed=3), former.combined(groups, log=log, failed=3)
        assert_same(now.columns(), before)
        assert now.failed == before.failed
