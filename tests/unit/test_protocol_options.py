"""Protocols with one option changed, and what each option does alone."""

from dataclasses import replace

import numpy as np
import pytest

from attribook.errors import AttribookError
from attribook.grid.protocols import PROTOCOLS, find_protocol
from attribook.grid.study import Study
from attribook.papers.protocol_options import (
    BASE,
    CHANGED,
    ERASED,
    SIGNED,
    erasure_moves,
    erasure_studies,
    method_moves,
    options_table,
    rpi_moves,
    rpi_study,
    soft_moves,
    soft_studies,
    stored,
)
from attribook.statistics.bootstrap import per_item


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


def test_the_tables_name_every_option_of_every_protocol():
    soft, erased = options_table("soft").set_index("option"), options_table("erasure").set_index("option")
    for name, protocol in PROTOCOLS.items():
        for option, value in protocol.metric.items():
            assert soft.loc[option, name] == str(value)
        for metric, options in protocol.metrics.items():
            for option, value in options.items():
                told = str(value) if not isinstance(value, tuple) else "1 5 10 20 50"
                assert told in erased.loc[option, name], (metric, option)
    assert erased.loc["operator", "rpi-paper"] == "delete (log_odds: mask)"
    assert "reagent-code" not in erased


def test_every_option_in_which_protocols_differ_has_a_study_that_switches_it():
    frame = options_table("erasure").drop(columns="attribook").set_index("option")
    differing = {option for option, values in frame.iterrows() if values.nunique() > 1}
    studied = {study.protocol.partition("+")[2] for study in erasure_studies("smoke", "tiny-bert", "reviews-mini", 1)}
    assert all(any(f"{option}=" in change for change in studied) for option in differing)


def moves(text):
    return float(text.split(" ")[0])


def test_soft_moves_are_ratios_of_means_over_the_same_prompts():
    assert soft_moves("smoke").empty
    assert method_moves("smoke").empty
    given = ("smoke", "tiny-gpt2", "longra-mini")
    options, own = soft_studies(*given, 2, keep="all")
    quick = replace(options, methods=tuple(name for name in CHANGED if "integrated" not in name))
    plain = ("random", *SIGNED, "attention_last", "attention_mean", "attention_rollout")
    base = Study(BASE, *given, "attribook", plain, ("soft_nc", "soft_ns"), n_items=2, keep="all", random_seeds=2)
    rows, other = base.rows(), quick.rows()
    one = replace(own, methods=("input_x_gradient",)).rows()
    ours = soft_moves("smoke").set_index(["option", "method"])
    before, after = (per_item(frame, "input_x_gradient", "soft_nc")[0] for frame in (rows, one))
    found = ours.loc[("scores_as=abs_sum", "input_x_gradient"), "Soft-NC"]
    assert moves(found) == pytest.approx(np.log(after.mean() / before.mean()), abs=0.006)
    assert set(ours.index.get_level_values("option")) == {
        "distance=hellinger_released", "draws=1", "scores_as=abs_sum"
    }  # fmt: skip
    table = method_moves("smoke").set_index(["method", "option"])
    assert len(table) == len(quick.methods)
    before, after = (
        per_item(frame, name, "soft_nc")[0]
        for frame, name in ((rows, "occlusion"), (other, "occlusion{operator=mask}"))
    )
    assert moves(table.loc[("occlusion", "operator=mask"), "Soft-NC"]) == pytest.approx(
        np.log(after.mean() / before.mean()), abs=0.006
    )
    assert set(table["n"]) == {2}
    assert erasure_moves("smoke").empty  # these rows are of soft metrics


def test_erasure_moves_are_means_of_differences():
    studies = erasure_studies("smoke", "tiny-bert", "reviews-mini", 2)
    rows = {study.protocol: replace(study, methods=("occlusion",)).rows() for study in studies}
    found = erasure_moves("smoke").set_index("option")
    assert len(found) == len(studies) - 1
    base = {metric: per_item(rows["rpi-paper"], "occlusion", metric)[0].mean() for metric in ERASED}
    for metric in ERASED:
        divided = moves(found.loc["divisor=bins_plus_one", metric])
        assert divided == pytest.approx(-base[metric] / 6 if "aopc" in metric else 0, abs=6e-4)
    none = per_item(rows["rpi-paper+least=0"], "occlusion", "aopc_sufficiency")[0].mean()
    zero = per_item(rows["rpi-paper+least=0,empty=zero"], "occlusion", "aopc_sufficiency")[0].mean()
    assert moves(found.loc["least=0, empty=zero", "aopc_sufficiency"]) == pytest.approx(zero - none, abs=6e-4)


def test_rpi_moves_have_a_line_for_each_released_option():
    study = rpi_study("smoke", "tiny-bert", "reviews-mini", 1, trials=1)
    quick = tuple(name.replace("trials=1", "trials=1,steps=2") for name in study.methods if "steps=31" not in name)
    quick = tuple(name.replace("layers=-3", "layers=-2") for name in quick)  # tiny-bert has two layers
    replace(study, methods=quick, random_seeds=1).run()
    found = rpi_moves("smoke")
    assert len(found) == len(quick) - 1
    assert found["n"].tolist() == [1] * len(found)


def test_runs_without_metric_rows_tell_nothing_and_break_nothing():
    given = ("smoke", "tiny-gpt2", "longra-mini", "attribook")
    Study(BASE, *given, ("occlusion",), n_items=1, keep="all").run()  # scores alone, as the page on the distractor
    assert stored("smoke", BASE) == {}
    assert soft_moves("smoke").empty
    assert method_moves("smoke").empty
    (options, _) = soft_studies(*given[:3], 1, keep="all")
    replace(options, methods=("occlusion{operator=mask}",)).run()
    assert soft_moves("smoke").empty
    assert method_moves("smoke").empty
    base = Study(BASE, *given, ("random",), ("soft_nc", "soft_ns"), n_items=1, keep="all", random_seeds=1)
    base.run()
    assert method_moves("smoke").empty  # the plain method is not there yet
    replace(base, methods=("occlusion",)).run()
    assert method_moves("smoke")["option"].tolist() == ["operator=mask"]


def test_moves_of_erasure_wait_for_the_plain_method():
    plain, *changed = erasure_studies("smoke", "tiny-bert", "reviews-mini", 1)
    replace(changed[0], methods=("occlusion",)).run()
    assert erasure_moves("smoke").empty
    replace(plain, methods=("random",), random_seeds=1).run()
    assert erasure_moves("smoke").empty
    replace(plain, methods=("occlusion",)).run()
    assert erasure_moves("smoke")["method"].tolist() == ["occlusion"]
