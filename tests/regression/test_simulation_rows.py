"""The stored simulation and its populations: recomputed in part, as `tools/simulate.py` makes them."""

import importlib.util

import pandas as pd
import pytest
from conftest import ROOT

from attribook.statistics.simulation import coverage, family_rows, populations


def test_the_stored_simulation_is_what_it_gives_again():
    """The cheapest row of either kind, as `tools/simulate.py` writes them."""
    stored = pd.read_csv(ROOT / "results" / "simulation" / "simulated.csv").sort_values("seconds", kind="stable")
    every = {one.name: one for one in populations()}
    row = stored[stored["tests"].isna() & stored["population"].isin([n for n in every if n.startswith("log")])].iloc[0]
    again = coverage(every[row["population"]], int(row["n"]), int(row["repetitions"]))
    assert again == {name: pytest.approx(row[name], rel=1e-4) if name != "population" else row[name] for name in again}
    row = stored[stored["tests"].notna() & (stored["procedure"] == "max-T")].iloc[0]
    rows = family_rows(every[row["population"]], int(row["n"]), int(row["repetitions"]))
    (again,) = (each for each in rows if each["procedure"] == "max-T")
    assert [again["any false"], again["found"]] == pytest.approx([row["any false"], row["found"]], rel=1e-4)


def test_populations_are_stored_rows_of_the_book(monkeypatch):
    """Made again from the rows, they are the same text."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    spec = importlib.util.spec_from_file_location("simulate", ROOT / "tools" / "simulate.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    kept = pd.read_csv(ROOT / "src/attribook/statistics/populations.csv")
    now = tool.taken().merge(kept, on=["population", "log", "method"], suffixes=("", " kept"))
    assert len(now) == len(kept), "methods that have got as many items since are no part of what was simulated"
    assert (now["values"] == now["values kept"]).all()
