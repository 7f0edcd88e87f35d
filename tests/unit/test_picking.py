"""Picking: expected bests by counting all subsets, shares by hand; pools are stored and read again."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import seeded

from attribook.attribution.candidates import candidate_maps
from attribook.errors import AttribookError
from attribook.grid.pools import PoolStudy, read_map, shaken, told_study, written_map
from attribook.grid.seeds import generator
from attribook.metrics.conventions import CONVENTIONS
from attribook.metrics.registry import METRICS
from attribook.statistics.picking import (
    Pool,
    crossed_table,
    expected_pick,
    lead,
    picking_curves,
    picking_table,
    ratio_of,
    read_pool,
    share_by_picking,
    share_told,
    transfer,
)

FIVE = tuple(CONVENTIONS["paper"])


def pool_of(values, *, own: bool = False) -> Pool:
    tables = {
        metric: pd.DataFrame(table, index=[f"item-{i}" for i in range(len(table))]) for metric, table in values.items()
    }
    return Pool(tables, {metric: table[[0]].rename(columns={0: 2}) for metric, table in tables.items()}, own)


def study(method: str, **changes) -> PoolStudy:
    given = {
        "name": "rpi_pools", "profile": "smoke", "model": "tiny-bert", "dataset": "reviews-mini",
        "protocol": "rpi-paper", "methods": (method,), "metrics": FIVE, "n_items": 2, "keep": "all", "size": 3,
    }  # fmt: skip
    return PoolStudy(**{**given, **changes})


# -- expected bests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_the_expected_pick_counts_all_subsets(size):
    draw = np.random.default_rng(0)
    liked, told = draw.integers(4, size=(5, 6)).astype(float), draw.random((5, 6))  # with ties
    slow = []
    for ours, theirs in zip(liked.tolist(), told.tolist(), strict=True):
        found = []
        for subset in itertools.combinations(range(6), size):
            best = subset[0]
            for place in subset[1:]:
                if ours[place] > ours[best]:
                    best = place
            found.append(theirs[best])
        slow.append(sum(found) / len(found))
    assert expected_pick(liked, told, size).tolist() == pytest.approx(slow, abs=1e-12)


def test_the_best_of_more_maps_is_never_worse():
    draw = np.random.default_rng(1)
    pool = pool_of({"comprehensiveness": draw.random((4, 8)), "log_odds": draw.random((4, 8))})
    for metric, sign in (("comprehensiveness", 1), ("log_odds", -1)):
        values = [pool.picked(metric, size).to_numpy() * sign for size in range(1, 9)]
        assert all((more >= fewer - 1e-12).all() for fewer, more in itertools.pairwise(values))
    assert pool.picked("log_odds", 8).tolist() == pool.values["log_odds"].min(axis=1).tolist()
    assert pool.picked("log_odds", 1).tolist() == pytest.approx(pool.one("log_odds").tolist())


@pytest.mark.parametrize("by", ["comprehensiveness", "log_odds"])
def test_the_own_map_is_in_every_subset(by):
    draw = np.random.default_rng(2)
    values = {"comprehensiveness": draw.random((3, 5)), "log_odds": draw.random((3, 5))}
    found = pool_of(values, own=True).picked("comprehensiveness", 3, by)
    sign = 1 if by == "comprehensiveness" else -1
    for row, value in enumerate(found):
        slow = []
        for subset in itertools.combinations(range(1, 5), 2):
            best = max((0, *subset), key=lambda place: sign * values[by][row, place])
            slow.append(values["comprehensiveness"][row, best])
        assert value == pytest.approx(sum(slow) / len(slow))
    assert (
        pool_of(values, own=True).picked("comprehensiveness", 1).tolist() == values["comprehensiveness"][:, 0].tolist()
    )


def test_shares_and_leads_by_hand():
    values = {"comprehensiveness": [[0.0, 1.0], [0.0, 3.0]], "log_odds": [[0.0, -1.0], [-2.0, 0.0]]}
    pool, blind = pool_of(values), pool_of({"comprehensiveness": [[0.0, 0.5], [0.0, 1.5]]})
    found = share_by_picking(pool, blind, "comprehensiveness", 2)
    assert found.value == pytest.approx((1 - 0.5) / (2 - 0.5))  # best 0.5 and 1.5, one 0.25 and 0.75, pool 1 and 3
    assert found.low <= found.value <= found.high
    assert found.n == 2
    over = lead(pool.picked("comprehensiveness", 2), blind.picked("comprehensiveness", 2), "comprehensiveness")
    assert over.value == pytest.approx(1.0)
    assert lead(pool.one("log_odds"), pool.picked("log_odds", 2), "log_odds").value == pytest.approx(-0.75)
    # Log-odds picks map 1 for the first item and map 0 for the second: comprehensiveness 1 and 0, where one map gives
    # 0.5 and 1.5 and the best 1 and 3.
    crossed = crossed_table(pool, ("comprehensiveness", "log_odds"), 2).set_index("picked by")
    assert crossed.loc["log_odds", "comprehensiveness"].value == pytest.approx((0.5 - 1.0) / (2 - 1.0))
    assert crossed.loc["log_odds", "log_odds"].value == pytest.approx(1)
    assert transfer(pool, ("comprehensiveness", "log_odds"), "comprehensiveness", 2).value == pytest.approx(-0.5)
    both = pool_of({**values, "aopc_comprehensiveness": values["comprehensiveness"]})
    assert transfer(both, tuple(both.values), "comprehensiveness", 2).value == pytest.approx(-0.5), "AOPC holds it"


def test_tables_of_several_pools():
    draw = np.random.default_rng(3)
    pools = {"a": pool_of({"log_odds": draw.random((6, 4))}), "random": pool_of({"log_odds": draw.random((4, 4))})}
    table = picking_table(pools, "log_odds", 2, blind="random").set_index("pool")
    assert table["best of 2"].is_monotonic_increasing
    assert table.loc["random", ["lead", "lead low", "lead high"]].tolist() == [0, 0, 0]
    assert table.loc["a", "n"] == 4, "a lead is over the items of both"
    curves = picking_curves(pools, "log_odds", [1, 2, 4, 8])
    assert set(curves["n"]) == {4}
    assert curves["steps"].tolist() == [1, 2, 4] * 2
    pools["few"] = pool_of({"log_odds": draw.random((2, 4))})
    table = picking_table(pools, "log_odds", 2, blind="random").set_index("pool")
    assert (table["of"] == 2).all()
    assert (table.loc["a", "n"], table.loc["few", "n"]) == (4, 2)
    assert table.loc["a", "one map"] == pytest.approx(pools["a"].one("log_odds").iloc[:2].mean())


def test_more_maps_than_there_are_cannot_be_told():
    with pytest.raises(AttribookError, match="has 2 maps"):
        pool_of({"log_odds": [[0.0, 1.0]]}).picked("log_odds", 3)


# -- stored pools ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rpi{steps=2}", "random", "occlusion", "gradient_shap"])
def test_pools_are_stored_judged_and_read_again(method, monkeypatch):
    first = study(method)
    values, means = first.values(), first.means()
    row = first._scores[first._score_key(next(first.units()))][0]
    maps = torch.tensor([read_map(text) for text in row["maps"]], dtype=torch.float64)
    assert maps.shape == (3, len(row["tokens"]))
    encoding = first.explained.encode(first.items[0].text)
    for metric in FIVE:
        options = first._metric_options(metric)
        for r, scores in enumerate(maps):  # one map after the other gives what all at once gave
            one = METRICS[metric](first.explained, encoding, scores, generator=seeded(), **options).value
            assert values[method, metric].loc[row["item"], r] == pytest.approx(one, rel=1e-3, abs=1e-6)
        both = METRICS[metric](first.explained, encoding, maps[:2].mean(0), generator=seeded(), **options).value
        assert means[method, metric].loc[row["item"], 2] == pytest.approx(both, rel=1e-3, abs=1e-6)
    monkeypatch.setattr(PoolStudy, "_compute", lambda *_: pytest.fail("stored pools were computed again"))
    again = study(method).values()
    assert all(again[name].equals(table) for name, table in values.items())
    assert read_pool(study(method)).own is (method == "occlusion")


def test_the_maps_of_rpi_are_its_candidates():
    one = study("rpi{steps=2}", size=2)
    unit = next(one.units())
    encoding = one.explained.encode(unit.prompt.text)
    found = one._maps(encoding, unit)
    chance = generator("rpi_pools", unit.place, "rpi", 0)
    torch.testing.assert_close(
        found, candidate_maps(one.explained, encoding, "rpi", generator=chance, trials=2, steps=2)
    )


def test_what_is_stored_of_a_pool_can_be_computed_again():
    first = study("rpi{steps=2}", n_items=1)
    unit = next(first.units())
    assert first.stored(unit) == {}
    first.run()
    stored, now = first.stored(unit), first.recomputed(unit, ("scores", *FIVE))
    assert set(stored) == set(now)
    assert stored["scores"][0]["tokens"] == now["scores"][0]["tokens"]
    one, other = (torch.tensor(found["scores"][0]["scores"]) for found in (stored, now))
    torch.testing.assert_close(one, other, atol=float(other.abs().max()) / 10_000, rtol=0)
    for metric in FIVE:
        assert [row["value"] for row in stored[metric]] == [row["value"] for row in now[metric]]
        assert len(now[metric]) == first.size + len(first.nested)


def test_a_manifest_tells_of_a_pool():
    first = study("random")
    first.run()
    (run,) = json.loads((first.folder / "manifest.json").read_text())["runs"]
    assert told_study(run["study"]) == first
    assert set(run["metrics"]) == set(FIVE)


def test_maps_as_text():
    scores = torch.tensor([0.5, -2.0, 0.0, 1e-9], dtype=torch.float64)
    assert written_map(scores, torch.zeros(4, dtype=torch.bool)) == "2 2500 -10000 0 0"
    assert read_map("2 2500 -10000 0 0") == [0.5, -2.0, 0.0, 0.0]
    assert read_map(written_map(torch.zeros(3), torch.zeros(3, dtype=torch.bool))) == [0.0, 0.0, 0.0]


def test_what_a_template_gets_does_not_blur_the_users_words():
    scores, template = torch.rand(40, generator=seeded(), dtype=torch.float64), torch.zeros(40, dtype=torch.bool)
    template[:10] = True
    scores[:10] *= 1e4
    again = torch.tensor(read_map(written_map(scores, template)), dtype=torch.float64)
    torch.testing.assert_close(again, scores, rtol=1e-4, atol=0)  # five digits
    assert again[10:].argsort().equal(scores[10:].argsort())
    scores[:10] /= 1e4
    assert written_map(scores, template) == written_map(scores, torch.zeros_like(template))


def test_the_first_shaken_copy_is_the_map_itself():
    scores = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    copies = shaken(scores, torch.tensor([False, True, True]), 2000, seeded())
    assert copies[0].equal(scores)
    deviation = (copies[1:] - scores).std(dim=0)
    assert deviation.tolist() == pytest.approx([2**0.5] * 3, rel=0.06)  # of the attributable scores 2 and 4


def test_what_no_pool_can_be_of():
    with pytest.raises(AttribookError, match="draws at random"):
        study("random", metrics=("soft_nc",))
    with pytest.raises(AttribookError, match="no variant"):
        study("random:permuted")
    with pytest.raises(AttribookError, match="of one method"):
        read_pool(study("random", methods=("random", "occlusion")))


def test_there_is_no_share_of_what_is_not_told_from_nothing():
    items = pd.RangeIndex(40)
    small = pd.Series([0.1, -0.1] * 20, index=items)
    assert math.isnan(ratio_of(small + 1, small).value)
    assert math.isnan(ratio_of(small, small * 0).value)  # nor a division by 0
    clear = ratio_of(small + 1, small + 2)
    assert clear.value == pytest.approx(0.5)
    assert share_told(clear.value, clear.low, clear.high).startswith("50% (")
    assert "no share" in share_told(math.nan, math.nan, math.nan)
