"""Pools of maps: what is stored is judged and read again, and can be computed again."""

import json

import pytest
import torch
from conftest import seeded

from attribook.attribution.candidates import candidate_maps
from attribook.errors import AttribookError
from attribook.grid.kinds import study_of
from attribook.grid.pooling import Pooling, shaken, written_map
from attribook.grid.pools import PoolStudy, read_map
from attribook.grid.seeds import generator
from attribook.metrics.conventions import CONVENTIONS
from attribook.metrics.registry import METRICS

FIVE = tuple(CONVENTIONS["paper"])


def study(method: str, **changes) -> PoolStudy:
    given = {
        "name": "rpi_pools", "profile": "smoke", "model": "tiny-bert", "dataset": "reviews-mini",
        "protocol": "rpi-paper", "methods": (method,), "metrics": FIVE, "n_items": 2, "keep": "all", "size": 3,
    }  # fmt: skip
    return PoolStudy(**{**given, **changes})


def tables_of(frame):
    """By metric, items down and maps across: of single maps, and of the means of the first maps."""
    averaged = frame["kind"] == "mean of maps"
    return [
        {
            key: rows.pivot(index="item", columns="map", values="value")
            for key, rows in part.groupby(["method", "metric"])
        }
        for part in (frame[~averaged], frame[averaged])
    ]


@pytest.mark.parametrize("method", ["rpi{steps=2}", "random", "occlusion", "gradient_shap"])
def test_pools_are_stored_judged_and_read_again(method, monkeypatch):
    first = study(method)
    values, means = tables_of(first.frame())
    row = first.data.group(first.units()[0], "scores")[0]
    maps = torch.tensor([read_map(text) for text in row["maps"]], dtype=torch.float64)
    assert maps.shape == (3, len(row["tokens"]))
    encoding = first.explained.encode(first.items[0].text)
    for metric in FIVE:
        options = first.metric_options(metric)
        for r, scores in enumerate(maps):  # one map after the other gives what all at once gave
            one = METRICS[metric](first.explained, encoding, scores, generator=seeded(), **options).value
            assert values[method, metric].loc[row["item"], r] == pytest.approx(one, rel=1e-3, abs=1e-6)
        both = METRICS[metric](first.explained, encoding, maps[:2].mean(0), generator=seeded(), **options).value
        assert means[method, metric].loc[row["item"], 2] == pytest.approx(both, rel=1e-3, abs=1e-6)
    monkeypatch.setattr(Pooling, "computed", lambda *_: pytest.fail("stored pools were computed again"))
    again, _ = tables_of(study(method).frame())
    assert all(again[name].equals(table) for name, table in values.items())
    frame = study(method).frame()
    assert ("own map" in set(frame["kind"])) is (method == "occlusion")


def test_the_maps_of_rpi_are_its_candidates():
    one = study("rpi{steps=2}", size=2)
    unit = one.units()[0]
    encoding = one.explained.encode(unit.prompt.text)
    found = one.data.worker.maps(unit)
    chance = generator("rpi_pools", unit.place, "rpi", 0)
    torch.testing.assert_close(
        found, candidate_maps(one.explained, encoding, "rpi", generator=chance, trials=2, steps=2)
    )


def test_what_is_stored_of_a_pool_can_be_computed_again():
    first = study("rpi{steps=2}", n_items=1)
    unit = first.units()[0]
    assert first.data.comparable(unit) == {}
    first.run()
    stored, now = first.data.comparable(unit), first.data.recomputed(unit, ("scores", *FIVE))
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
    (run,) = json.loads((first.folder / "manifest.json").read_text(encoding="utf-8"))["runs"]
    assert study_of(run["study"]) == first
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
