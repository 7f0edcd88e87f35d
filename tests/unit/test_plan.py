"""Plans: costs by hand from stored rows, sizes by name, and nothing is computed."""

import json
import math

import pandas as pd
import pytest
from typer.testing import CliRunner

from attribook.cli.main import app
from attribook.errors import AttribookError
from attribook.grid.planning import Planned, planning
from attribook.grid.rates import Rates, parameters, repeated, unit_costs
from attribook.grid.study import Study
from attribook.models.load import load_model
from attribook.site.plan import forecast, planned_studies, totals


def study(**changes) -> Study:
    given = {
        "name": "reagent_longra", "profile": "smoke", "model": "tiny-gpt2", "dataset": "longra-mini", "n_items": 2,
        "protocol": "attribook", "methods": ("random", "occlusion", "occlusion:permuted"), "metrics": ("soft_nc",),
        "keep": "all", "random_seeds": 3,
    }  # fmt: skip
    return Study(**{**given, **changes})


@pytest.mark.parametrize(
    ("model", "size"),
    [("Qwen/Qwen2-0.5B", 0.5e9), ("meta-llama/Llama-3.2-1B", 1e9), ("smollm2-135m+sentiment", 135e6),
     ("openai-community/gpt2-medium", 354e6), ("EleutherAI/gpt-j-6b", 6e9), ("mistralai/Mistral-7B-v0.1", 7e9)],
)  # fmt: skip
def test_sizes_by_name(model, size):
    assert parameters(model) == size


def test_a_name_that_does_not_tell_has_no_size():
    assert math.isnan(parameters("somebody/model"))


def test_cost_is_proportional_to_steps():
    assert repeated("integrated_gradients{steps=64}", "integrated_gradients{steps=16}") == 4
    assert repeated("occlusion", "occlusion") == 1


def test_a_forecast_of_what_is_stored_is_what_it_took():
    done = study()
    rows, scores = done.rows(), done.scores()
    told = forecast(study(), Rates(unit_costs("smoke")), 2)
    assert told["units"] == len(done.units()) == 2 * (3 + 1 + 3)
    took = rows["seconds"].sum() + sum(row["seconds"] for row in scores)
    assert told["hours"] == pytest.approx(took / 3600, rel=1e-6)
    assert told["forwards"] == rows["forwards"].sum() + sum(row["forwards"] for row in scores)
    assert told["measured_on"] == "the same study"


def test_a_larger_model_costs_more_by_its_parameters_and_what_is_not_measured_is_nan():
    study().run()
    rates = Rates(unit_costs("smoke"))
    own, larger = (forecast(study(model=model), rates, 2) for model in ("tiny-gpt2", "some-1b"))
    assert larger["hours"] == pytest.approx(own["hours"] * 1e9 / 1e5)
    assert larger["measured_on"] == "another model"
    unknown = forecast(study(metrics=("soft_ns",)), rates, 2)
    assert math.isnan(unknown["hours"])
    assert unknown["measured_on"] == "not measured"


def test_while_planning_studies_are_noted_and_nothing_is_computed():
    with planning() as asked:
        assert study().frame().empty
        with pytest.raises(Planned):
            _ = study().explained
        with pytest.raises(AttribookError, match="Nothing is loaded"):
            load_model("tiny-gpt2")
    assert asked == [study()]
    assert load_model("tiny-gpt2").name == "tiny-gpt2"
    assert not study().folder.exists()


def test_every_study_of_a_page_is_found():
    found = [study for _, study in planned_studies("laptop", ["reagent/table_2_longra"])]
    assert {(each.protocol, each.model) for each in found} == {
        ("attribook", "smollm2-135m"), ("reagent-paper", "smollm2-135m"), ("attribook", "gemma-3-270m"),
    }  # fmt: skip


def test_a_study_of_two_pages_counts_once_and_what_is_not_measured_is_counted():
    line = {"page": "rpi/a", "study": "s", "units": 2, "forwards": 3.0, "backwards": 0.0, "hours": 1.5, "disk_mb": 1.0,
            "measured_on": ""}  # fmt: skip
    unknown = line | {"study": "t", "hours": math.nan}
    (found,) = totals(pd.DataFrame([line, line | {"page": "rpi/b"}, unknown])).to_dict("records")
    assert (found["hours"], found["units"], found["not_measured"]) == (1.5, 4, 1)


def test_the_command_prints_json(monkeypatch):
    monkeypatch.delenv("ATTRIBOOK_RESULTS")
    found = CliRunner().invoke(app, ["plan", "reagent/table_2_longra", "--json"])
    assert found.exit_code == 0, found.output
    answer = json.loads(found.output)
    assert {line["study"] for line in answer["studies"]} == {"reagent_longra"}
    assert answer["papers"][0]["hours"] > 0


def test_stored_studies_are_forecast_from_their_first_texts_within_a_quarter(monkeypatch):
    monkeypatch.delenv("ATTRIBOOK_RESULTS")
    answer = json.loads(CliRunner().invoke(app, ["plan", "--against", "--json"]).output)
    good = [line["study"] for line in answer["studies"] if 0.75 <= line["ratio"] <= 1.25]
    assert len(set(good)) >= 3
