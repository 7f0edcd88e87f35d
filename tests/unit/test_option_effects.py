"""Effects of single options: what the audit's page shows, from its stored rows."""

import pandas as pd
from conftest import ROOT

from attribook.papers.reagent.departures import DEPARTURES, by_departure, departure_names
from attribook.papers.reagent.option_effects import option_effects
from attribook.papers.reagent.runs import ReagentStudy
from attribook.statistics.estimates import estimate

GIVEN = ("reagent_departures", "smoke", "tiny-opt", "longra-mini", "reagent-paper")
OPTIONS = {"metrics": ("soft_nc", "soft_ns"), "n_items": 2, "keep": "all"}


def test_effects_are_those_of_the_audit_and_nothing_is_computed():
    assert option_effects("smoke").empty
    names = departure_names({"max_steps": 3, "runs": 2}, specials=True)
    study = ReagentStudy(*GIVEN, tuple(dict.fromkeys(names.values())), **OPTIONS, random_seeds=1)
    random = ReagentStudy(*GIVEN, ("random", "random{form=uniform}"), **OPTIONS, random_seeds=2)
    study.run()
    assert option_effects("smoke").empty  # there is nothing yet to divide by
    rows = by_departure(names, pd.concat([study.frame(), random.frame()]), study.scores())
    against = [{"method": "random"}, {"change": "none"}]
    expected = estimate(rows[rows["metric"] == "soft_nc"], "log_ratio", ["change", "method"], against=against)
    expected = expected.set_index("change")["value"]
    before = study._scores.path.read_bytes()
    found = option_effects("smoke").set_index("change")
    assert list(found.index) == list(DEPARTURES)
    for change, line in found.iterrows():
        assert line["Soft-NC"].split(" ")[0] == f"{expected[change]:+.2f}"
        assert line["n"] == 2
    assert study._scores.path.read_bytes() == before


def test_committed_effects_cover_every_departure_of_the_default_model(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    found = option_effects("laptop")
    assert set(found["change"]) == {name for name, each in DEPARTURES.items() if "specials" not in each.options}
