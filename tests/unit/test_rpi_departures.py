"""RPI's departures: a change is one option of the released code, and all of them are what was released."""

import pandas as pd
import pytest
from conftest import ROOT

from attribook.grid.protocols import find_protocol
from attribook.grid.settings import Setting
from attribook.papers.rpi.departures import ALL, CHANGES, WRITTEN
from attribook.papers.rpi.protocols import RELEASED
from attribook.papers.rpi.settings import released_setting


def options(name):
    return dict(Setting.parse(name).options)


@pytest.mark.parametrize("change", [name for name in CHANGES if name not in (WRITTEN, ALL)])
def test_a_departure_changes_one_option_to_the_released_one(change):
    written, changed = options(CHANGES[WRITTEN].setting(steps=10)), options(CHANGES[change].setting(steps=10))
    (name,) = CHANGES[change][1]
    assert {key for key in written if written[key] != changed[key]} == {name}
    assert changed[name] == RELEASED[name]


def test_everything_at_once_is_what_was_released():
    found, released = Setting.parse(CHANGES[ALL].setting(steps=10)), Setting.parse(released_setting(steps=11))
    assert found.facts.resolve(dict(found.options)) == released.facts.resolve(dict(released.options))


def test_protocols_with_other_operators_change_nothing_else():
    paper = find_protocol("rpi-paper").metrics
    for name, operators in {"rpi-prompted": {"log_odds": "unk"}, "rpi-exchanged": {"log_odds": "delete"}}.items():
        for metric, found in find_protocol(name).metrics.items():
            other = "mask" if name == "rpi-exchanged" else paper[metric]["operator"]
            assert found == paper[metric] | {"operator": operators.get(metric, other)}


def test_names_of_settings_are_those_of_stored_rows():
    rows = pd.read_csv(ROOT / "results/laptop/rpi_departures/minilm-rotten-tomatoes/rpi-paper/rows.csv")
    assert [CHANGES[name].setting(steps=10) for name in CHANGES] == rows["method"].unique().tolist()
