"""How many points RPI's path needs: moves by points against the spread between draws."""

import json

import numpy as np
import pandas as pd
import pytest

from attribook.grid.pools import PoolStudy
from attribook.ledger.figure_claims import answered_claim
from attribook.ledger.words import OPPOSITE, SAME, UNDECIDED
from attribook.papers.rpi.figure_claims import spread
from attribook.papers.rpi.settings import ERASURE, released_setting


def test_the_spread_between_draws_by_hand():
    values = pd.DataFrame([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]], index=["a", "b"])
    assert spread(values).to_dict() == {"a": 2.0, "b": 0.0}  # (1 + 3 + 2) / 3


def test_more_points_on_the_same_noise():
    given = {"n_items": 2, "keep": "all", "size": 3}
    maps = {}
    for steps in (2, 40, 80):
        study = PoolStudy("rpi_pools", "smoke", "tiny-bert", "reviews-mini", "rpi-paper", (f"rpi{{steps={steps}}}",),
                          ("log_odds",), **given)  # fmt: skip
        study.run()
        maps[steps] = np.concatenate([np.asarray(study.maps(unit))[:, 1:-1].ravel() for unit in study.units()])
    alike = {steps: np.corrcoef(maps[steps], maps[80])[0, 1] for steps in (2, 40)}
    assert alike[40] > 0.99
    assert alike[40] >= alike[2]


@pytest.mark.parametrize(("move", "side"), [(0.001, SAME), (1.0, OPPOSITE), (0.11, UNDECIDED)])
def test_the_claim_that_thirty_steps_are_enough(tmp_path, monkeypatch, move, side):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    assert answered_claim("rpi-steps") is None
    folder = tmp_path / "laptop" / "rpi_pools" / "m" / "rpi-paper"
    folder.mkdir(parents=True)
    told = {"profile": "laptop", "model": "m", "dataset": "d", "protocol": "rpi-paper", "methods": ["rpi"]}
    (folder / "manifest.json").write_text(
        json.dumps({"weights": "w", "files": {}, "runs": [{"study": told}]}), encoding="utf-8"
    )
    chance = np.random.default_rng(0)
    rows = []
    for metric in ERASURE:
        for item in range(60):
            base = 0.1 * chance.standard_normal(8)  # two draws are 0.11 apart on average
            for steps, values in ((61, base), (31, base + move)):
                text = " ".join(f"{value:.6g}" for value in values)
                rows.append({"item": f"i{item}", "method": released_setting(steps=steps), "metric": metric,
                             "values": text})  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "rows.csv", index=False)
    found = answered_claim("rpi-steps")
    assert (found["verdict"], found["n"], found["notebook"]) == (side, 60, "rpi/audit_steps")
    assert "5 tests: " in found["reason"]
