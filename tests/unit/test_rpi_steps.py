"""How many points RPI's path needs: moves by points against the spread between draws."""

import json

import numpy as np
import pandas as pd
import pytest

from attribook.grid.pools import PoolStudy
from attribook.ledger.figure_claims import answered_claim
from attribook.ledger.verdicts import OPPOSITE, SAME, UNDECIDED
from attribook.papers.rpi.steps import apart, map_agreement, points_table, ranks_alike, spread
from attribook.papers.rpi.tables import ERASURE, released_setting
from attribook.statistics.picking import Pool, read_pool


def pool(values, items=("a", "b")):
    return Pool({"log_odds": pd.DataFrame(values, index=list(items))}, {}, False)


def test_moves_and_spread_by_hand():
    more, fewer = pool([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]), pool([[1.5, 1.0], [0.0, -2.0]])
    assert apart(fewer, more, "log_odds").tolist() == [0.75, 1.0]  # over the two maps of both
    assert apart(more, more, "log_odds").tolist() == [0.0, 0.0]
    assert spread(more, "log_odds").tolist() == [2.0, 0.0]  # (1 + 3 + 2) / 3
    assert apart(pool([[0.0]], "b"), more, "log_odds").to_dict() == {"b": 0.0}  # texts of both


def test_rankings_are_alike_by_spearman():
    assert ranks_alike(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1.0)
    assert ranks_alike(np.array([1.0, 2.0, 9.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-1.0)
    assert ranks_alike(np.zeros(3), np.zeros(3)) == 1.0
    assert ranks_alike(np.zeros(3), np.arange(3.0)) == 0.0


def test_more_points_on_the_same_noise():
    given = {"n_items": 2, "keep": "all", "size": 3}
    studies = {
        steps: PoolStudy("rpi_pools", "smoke", "tiny-bert", "reviews-mini", "rpi-paper",
                         (f"rpi{{steps={steps}}}",), ("log_odds",), **given)
        for steps in (2, 40, 80)
    }  # fmt: skip
    pools = {steps: read_pool(study) for steps, study in studies.items()}
    table = points_table(pools, ["log_odds"])
    assert table["points"].tolist() == ["2", "40", "two draws"]
    alike = map_agreement(studies).set_index("points")["correlation"]
    assert alike["40"] > 0.99
    assert alike["40"] >= alike["2"]


@pytest.mark.parametrize(("move", "side"), [(0.001, SAME), (1.0, OPPOSITE), (0.11, UNDECIDED)])
def test_the_claim_that_thirty_steps_are_enough(tmp_path, monkeypatch, move, side):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    assert answered_claim("rpi-steps") is None
    folder = tmp_path / "laptop" / "rpi_pools" / "m" / "rpi-paper"
    folder.mkdir(parents=True)
    told = {"profile": "laptop", "model": "m", "dataset": "d", "protocol": "rpi-paper", "methods": ["rpi"]}
    (folder / "manifest.json").write_text(json.dumps({"weights": "w", "files": {}, "runs": [{"study": told}]}))
    chance = np.random.default_rng(0)
    rows = []
    for metric in ERASURE:
        for item in range(20):
            base = 0.1 * chance.standard_normal(8)  # two draws are 0.11 apart on average
            for steps, values in ((61, base), (31, base + move)):
                text = " ".join(f"{value:.6g}" for value in values)
                rows.append({"item": f"i{item}", "method": released_setting(steps=steps), "metric": metric,
                             "values": text})  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "rows.csv", index=False)
    found = answered_claim("rpi-steps")
    assert (found["verdict"], found["n"], found["notebook"]) == (side, 20, "rpi/audit_steps")
    assert "5 tests: " in found["reason"]
