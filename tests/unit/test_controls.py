"""Controls keep what they say they keep, and leave special tokens alone."""

import pytest
import torch
from conftest import seeded

from attribook import controls
from attribook.controls import CONTROLS
from attribook.errors import AttribookError

SCORES = torch.tensor([9.0, 0.5, -1.5, 2.0, 0.25, 0.75], dtype=torch.float64)
MASK = torch.tensor([False, True, True, True, True, True])


@pytest.mark.parametrize("name", list(CONTROLS))
def test_every_control(name):
    control, before = CONTROLS[name], SCORES.clone()
    found = control(SCORES, generator=seeded(), attributable=MASK)
    assert torch.equal(SCORES, before)
    assert found.dtype == torch.float64
    assert float(found[0]) == 9.0
    assert float(found[1:].abs().sum()) == pytest.approx(5.0, abs=1e-12)
    assert torch.equal(found, control(SCORES, generator=seeded(), attributable=MASK))
    assert control(SCORES.float(), generator=seeded()).dtype == torch.float64
    with pytest.raises(AttribookError, match="NaN"):
        control(torch.tensor([1.0, float("nan")]), generator=seeded())
    with pytest.raises(AttribookError, match="a mask"):
        control(SCORES, generator=seeded(), attributable=MASK[1:])
    with pytest.raises(AttribookError, match="a mask"):
        control(SCORES[None], generator=seeded())
    with pytest.raises(AttribookError, match="No token is attributable"):
        control(SCORES, generator=seeded(), attributable=torch.zeros(6, dtype=torch.bool))


@pytest.mark.parametrize("name", ["permuted", "reversed"])
def test_own_values_are_kept(name):
    found = CONTROLS[name](SCORES, generator=seeded(), attributable=MASK)
    assert sorted(found.tolist()) == sorted(SCORES.tolist())


def test_permuted_is_uniform_over_orders():
    chance, seen = seeded(), {}
    for _ in range(1200):
        order = tuple(controls.permuted(torch.tensor([1.0, 2.0, 3.0]), generator=chance).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    assert all(abs(count - 200) < 65 for count in seen.values())  # standard deviation 13


def test_reversed_by_hand():
    # In order: -1.5, 0.25, 0.5, 0.75, 2.0; the lowest gets the highest.
    found = controls.reversed(SCORES, generator=seeded(), attributable=MASK)
    assert found.tolist() == [9.0, 0.5, 2.0, -1.5, 0.75, 0.25]
    again = controls.reversed(found, generator=seeded(1), attributable=MASK)
    assert torch.equal(again, SCORES)


def test_reversed_prefers_no_place_among_equal_scores():
    scores = torch.tensor([0.0, 0.0, 0.0, 1.0])
    chance, places = seeded(), [0, 0, 0, 0]
    for _ in range(600):
        places[int(controls.reversed(scores, generator=chance).argmax())] += 1
    assert places[3] == 0
    assert all(abs(count - 200) < 60 for count in places[:3])  # standard deviation 12


def test_flat_and_one_hot_by_hand():
    assert controls.flat(SCORES, generator=seeded(), attributable=MASK).tolist() == [9.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    chance, places = seeded(), set()
    for _ in range(100):
        found = controls.one_hot_random(SCORES, generator=chance, attributable=MASK)
        assert sorted(found.tolist()) == [0.0, 0.0, 0.0, 0.0, 5.0, 9.0]
        places.add(int((found == 5.0).nonzero()))
    assert places == {1, 2, 3, 4, 5}


def test_random_differs_by_seed_and_not_by_the_scores_order():
    one = controls.random(SCORES, generator=seeded(1))
    assert not torch.equal(one, controls.random(SCORES, generator=seeded(2)))
    assert torch.equal(one, controls.random(SCORES.flip(0), generator=seeded(1)))
    assert bool((one >= 0).all())


def test_scores_of_zeros_have_a_mass_of_one():
    zeros = torch.zeros(4)
    for name in ("random", "flat", "one_hot_random"):
        assert float(CONTROLS[name](zeros, generator=seeded()).sum()) == pytest.approx(1.0, abs=1e-12)
    for name in ("permuted", "reversed"):
        assert CONTROLS[name](zeros, generator=seeded()).tolist() == [0.0] * 4
