"""Texts that name what is computed: every value that is parsed is written as the same text."""

import csv
import itertools
import json

import pytest
from conftest import ROOT

from attribook.attribution.names import FACTS
from attribook.errors import AttribookError
from attribook.grid.protocols import PROTOCOLS, find_protocol
from attribook.grid.settings import CONTROLS, Picked, ProtocolName, Setting, setting
from attribook.models.names import ModelName
from attribook.models.registry import SOURCES
from attribook.models.templates import TEMPLATES

VALUES = {str: ["-1", "a_b"], int: [0, 7, 100], float: [0.0, 0.1, 1e-05, 25.0], bool: [True, False]}
VARIANTS = ["", *CONTROLS, "ranked", "tempered_0.5", "tempered_2"]


def settings():
    """Every method with its options, one and two at a time, and each variant."""
    for facts in FACTS.values():
        kinds = {name: facts.or_none.get(name, type(value)) for name, value in facts.options.items()}
        chosen = [{name: value} for name, kind in kinds.items() for value in VALUES[kind]]
        chosen += [{a: VALUES[kinds[a]][0], b: VALUES[kinds[b]][-1]} for a, b in itertools.combinations(kinds, 2)]
        chosen += [dict.fromkeys(facts.or_none)] * bool(facts.or_none)
        for options, variant in zip([{}, *chosen], itertools.cycle(VARIANTS)):
            yield setting(facts.name, **options) + (f":{variant}" if variant else "")


def stored() -> set[str]:
    """Every setting that a committed row or manifest names."""
    found = set()
    for path in (ROOT / "results").rglob("manifest.json"):
        found |= {
            name for run in json.loads(path.read_text(encoding="utf-8"))["runs"] for name in run["study"]["methods"]
        }
        if (path.parent / "rows.csv").is_file():
            with (path.parent / "rows.csv").open(newline="", encoding="utf-8") as file:
                found |= {row["method"] for row in csv.DictReader(file)}
    return found


EXAMPLES = {
    Setting: [*settings(), *stored()],
    Picked: [
        "random, best of 24",
        "rpi{layers=-1|-2,steps=11}, best of 48",
        "rpi{layers=-1|-2,noised=all|text}, best of 8",
    ],
    ProtocolName: [*PROTOCOLS, "rpi-paper+least=0,empty=zero", "attribook+scores_as=abs_sum"],
    ModelName: [*SOURCES, *(f"{name}+{template}" for name in SOURCES for template in TEMPLATES), "a/b", "tiny-llama"],
}


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
def test_text_to_value_to_text(kind):
    texts = EXAMPLES[kind]
    values = [kind.parse(text) for text in texts]
    assert [str(value) for value in values] == texts
    assert [kind.parse(str(value)) for value in values] == values
    assert len(set(values)) == len(set(texts))


def test_equal_settings_are_equal_values_however_they_are_written():
    assert Setting.parse("globenc{value_bias=true}") == Setting.parse("globenc{value_bias=True}")
    assert Setting.parse("lime{alpha=1}") == Setting.parse("lime{alpha=1.0}")
    assert Setting.parse("occlusion:permuted").plain == Setting.parse("occlusion")


def test_who_has_several_seeds_and_whose_pool_begins_with_its_own_map():
    several = {text: Setting.parse(text).several for text in ("lime", "occlusion", "occlusion:permuted", "alti:ranked")}
    assert several == {"lime": True, "occlusion": False, "occlusion:permuted": True, "alti:ranked": False}
    own = {text: Setting.parse(text).own_map for text in ("occlusion{operator=mask}", "random", "rpi_ig{steps=2}")}
    assert own == {"occlusion{operator=mask}": True, "random": False, "rpi_ig{steps=2}": False}


def test_the_best_of_pools_in_equal_parts():
    picked = Picked.parse("rpi{layers=-1|-2,steps=3}, best of 6")
    assert list(map(str, picked.settings)) == ["rpi{layers=-1,steps=3}", "rpi{layers=-2,steps=3}"]
    assert picked.each == 3
    assert Picked.parse("rpi{steps=3}") is None
    with pytest.raises(AttribookError, match="7 maps cannot come from 2 pools"):
        Picked.parse("rpi{layers=-1|-2,steps=3}, best of 7")


def test_every_paper_has_its_protocols_and_a_change_of_one_has_its_text_as_its_name():
    assert {name.split("-")[0] for name in PROTOCOLS} == {"attribook", "reagent", "noiser", "rpi"}
    assert find_protocol("attribook") is PROTOCOLS["attribook"]
    changed = find_protocol("attribook+draws=1")
    assert changed.name == "attribook+draws=1"
    assert changed.metric_options("soft_nc")["draws"] == 1
