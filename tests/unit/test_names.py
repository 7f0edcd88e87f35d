"""Methods with options in their names: read, refused, and stored as what they are."""

import dataclasses

import pytest

from attribook.attribution.registry import METHODS
from attribook.errors import AttribookError
from attribook.grid.settings import Setting, setting
from attribook.grid.study import Study, Unit


def study(*methods, **changes) -> Study:
    given = {"metrics": ("soft_nc",), "n_items": 2, "keep": "all", "random_seeds": 2, **changes}
    return Study("names", "smoke", "tiny-gpt2", "longra-mini", "attribook", methods, **given)


def test_options_have_the_types_of_their_defaults():
    name = setting("reagent", ratio=0.1, runs=2, replacer="uniform")
    assert name == "reagent{ratio=0.1,runs=2,replacer=uniform}"
    found = Setting.parse(name)
    assert (found.method, dict(found.options)) == ("reagent", {"ratio": 0.1, "runs": 2, "replacer": "uniform"})
    assert setting("occlusion") == "occlusion"
    assert Setting.parse("occlusion").options == ()
    for text, value in {"2": 2, "None": None}.items():
        assert Setting.parse(f"noiser{{search_vectors={text}}}").options == (("search_vectors", value),)
    for text, truth in {"True": True, "false": False}.items():
        assert Setting.parse(f"globenc{{value_bias={text}}}").options == (("value_bias", truth),)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reagent{ratio=x}", "takes float, not 'x'"),
        ("globenc{value_bias=ture}", "takes true or false, not 'ture'"),
        ("noiser{search_vectors=few}", "takes int or None, not 'few'"),
        ("reagent{ratio}", "name=value"),
        ("reagent{rate=0.1}", "no option rate"),
        ("reagant{ratio=0.1}", "Unknown method"),
        ("reagent{ratio=0.1", "names no method"),
        ("reagent {ratio=0.1}", "names no method"),
    ],
)
def test_what_cannot_be_read_is_refused(name, message):
    with pytest.raises(AttribookError, match=message):
        study(name)


def test_equal_settings_are_one_row_and_keep_their_names():
    default = METHODS["occlusion"].defaults["operator"]
    first = study("occlusion").rows()
    again = study("occlusion", f"occlusion{{operator={default}}}", "occlusion{operator=mask}")
    rows = again.rows()
    assert rows["method"].unique().tolist() == list(again.methods)
    parts = {name: part["value"].tolist() for name, part in rows.groupby("method")}
    assert parts[again.methods[0]] == parts[again.methods[1]] == first["value"].tolist()
    assert parts[again.methods[2]] != parts[again.methods[0]]
    assert len(again.data.scores.groups) == 2 * 2  # items, settings that differ
    assert [row["method"] for row in again.scores()] == list(again.methods) * 2
    assert rows.groupby("options_hash").ngroups == 2


def test_options_of_a_name_stand_over_those_of_the_protocol():
    grid = dataclasses.replace(study("random"), protocol="reagent-paper")
    assert grid.options(Setting.parse("random")) == {"form": "softmax"}
    assert grid.options(Setting.parse("random{form=uniform}")) == {"form": "uniform"}
    assert grid.options(Setting.parse("input_x_gradient{output=log_probability}"))["reduction"] == "l2"


def test_settings_share_their_random_numbers_and_variants_their_scores():
    grid = study("random", "random{form=uniform}", "random{form=uniform}:reversed")
    frame = grid.rows()
    assert frame.groupby("method")["seed"].nunique().to_dict() == dict.fromkeys(grid.methods, 2)
    first, second = (row["scores"] for row in grid.scores()[:3:2])
    places = [i for i, score in enumerate(second) if score > 0]
    assert sorted(places, key=lambda i: first[i]) == sorted(places, key=lambda i: second[i])
    unit = Unit(grid.items[0], 0, Setting.parse("random{form=uniform}:reversed"), 1)
    assert grid.scored(unit) == Unit(grid.items[0], 0, Setting.parse("random{form=uniform}"), 1)
