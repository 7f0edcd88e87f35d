"""Stored rows that answer printed cells under a protocol that they were not computed under."""

from pathlib import Path

import pandas as pd

from attribook.grid.protocols import PROTOCOLS
from attribook.statistics.evidence import Evidence, source_protocol


def test_rows_of_a_squared_distance_come_from_those_of_the_true_one_and_no_others():
    sources = {name: source_protocol(name) for name in PROTOCOLS}
    assert {name: source for name, source in sources.items() if source != name} == {"reagent-code": "reagent-paper"}
    assert source_protocol("attribook+draws=1") == "attribook+draws=1"


def test_only_seeds_that_all_prompts_have_count():
    def evidence(rows):
        columns = ["method", "metric", "item", "seed", "draw", "value"]
        return Evidence(
            "s", "laptop", "m", "d", "p", Path("rows.csv"), pd.DataFrame(rows, columns=columns).assign(status="ok")
        )

    some = [("m", "x", item, 0, draw, value + draw) for item, value in (("a", 1.0), ("b", 3.0)) for draw in (0, 1)]
    more = [("m", "x", "a", 1, draw, 50.0) for draw in (0, 1)]
    assert evidence(some + more).values["m", "x"].to_dict() == {"a": 1.5, "b": 3.5}
    whole = [("m", "x", "b", 1, draw, 70.0) for draw in (0, 1)]
    assert evidence(some + more + whole).values["m", "x"].to_dict() == {"a": 25.75, "b": 36.75}
    apart = [("m", "x", "a", 0, 0, 1.0), ("m", "x", "b", 1, 0, 3.0)]  # no seed is everyone's: all count
    assert evidence(apart).values["m", "x"].to_dict() == {"a": 1.0, "b": 3.0}
