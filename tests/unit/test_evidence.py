"""Stored rows that answer printed cells under a protocol that they were not computed under."""

from attribook.grid.protocols import PROTOCOLS
from attribook.statistics.evidence import source_protocol


def test_rows_of_a_squared_distance_come_from_those_of_the_true_one_and_no_others():
    sources = {name: source_protocol(name) for name in PROTOCOLS}
    assert {name: source for name, source in sources.items() if source != name} == {"reagent-code": "reagent-paper"}
    assert source_protocol("attribook+draws=1") == "attribook+draws=1"
