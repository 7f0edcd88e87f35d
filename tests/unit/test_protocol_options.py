"""Protocols with one option changed, and the options that the page of protocols switches."""

import pytest

from attribook.errors import AttribookError
from attribook.grid.protocols import PROTOCOLS, find_protocol
from attribook.grid.settings import Setting
from attribook.papers.protocol_options import CHANGED, EMPTY, ERASURE_CHANGED, RPI_CHANGED, SIGNED


def test_a_change_is_made_in_every_metric_that_has_the_option():
    changed = find_protocol("rpi-paper+least=0,empty=zero")
    assert changed.name == "rpi-paper+least=0,empty=zero"
    for metric, options in changed.metrics.items():
        same = {**PROTOCOLS["rpi-paper"].metrics[metric], "least": 0}
        assert options == (same | {"empty": "zero"} if "sufficiency" in metric else same)
    assert find_protocol("attribook+draws=1").metric == {**PROTOCOLS["attribook"].metric, "draws": 1}
    assert PROTOCOLS["rpi-paper"].metrics["log_odds"]["least"] == 1


@pytest.mark.parametrize(("name", "message"), [
    ("nowhere+draws=1", "Unknown protocol 'nowhere'"), ("attribook+colour=red", "option to change in 'colour=red'"),
    ("attribook+draws", "option to change in 'draws'"),
])  # fmt: skip
def test_what_cannot_be_changed_is_told(name, message):
    with pytest.raises(AttribookError, match=message):
        find_protocol(name)


def test_every_option_in_which_the_erasure_metrics_of_protocols_differ_is_switched():
    papers = [protocol for name, protocol in PROTOCOLS.items() if name.startswith("rpi-")]
    for metric in PROTOCOLS["rpi-paper"].metrics:
        for option in PROTOCOLS["rpi-paper"].metrics[metric]:
            if len({str(protocol.metrics[metric][option]) for protocol in papers}) > 1:
                assert any(f"{option}=" in change for change in (*ERASURE_CHANGED, EMPTY)), option


def test_every_option_of_rpi_in_which_code_and_text_differ_is_switched():
    plain, released = Setting.parse("rpi").facts.options, PROTOCOLS["rpi-code"].method_options("rpi")
    differing = {f"{option}={value}" for option, value in released.items() if value != plain[option]}
    assert differing == set(RPI_CHANGED)


def test_switched_settings_are_of_methods_that_the_page_compares_them_with():
    settings = [Setting.parse(name) for name in CHANGED]
    assert all(len(setting.options) == 1 for setting in settings)
    assert set(SIGNED) <= {setting.method for setting in settings}
    for change in (*ERASURE_CHANGED, EMPTY):
        assert find_protocol(f"rpi-paper+{change}").metrics != PROTOCOLS["rpi-paper"].metrics
