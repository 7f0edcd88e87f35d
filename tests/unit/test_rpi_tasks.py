"""RPI's Tables 2 and 4 on its other data sets: computed where the texts are, then read from rows alone."""

import pytest

from attribook.data.labelled import TASKS
from attribook.errors import AttribookError
from attribook.grid.pooling import Pooling
from attribook.grid.scoring import Scoring
from attribook.grid.stored import stored_frames
from attribook.models.templates import TEMPLATES
from attribook.papers.rpi.live import encoder_studies, prompted_studies
from attribook.papers.rpi.settings import DECODER_ROWS, ENCODER_ROWS, ERASURE, read_tasks, released_setting
from attribook.statistics.kept import stored_predictions
from attribook.statistics.picking import best_of, one_map, oriented

GIVEN = {"n_items": 2, "size": 2, "layer": "-2", "steps": 2, "slow_steps": 2, "seed": 0}


def test_tasks_are_written_with_colons():
    first, second = read_tasks("SST2:a/b:sst2-held-out, EMR:c+emotion:emotion-held-out,")
    assert (first.printed, first.model, first.dataset) == ("SST2", "a/b", "sst2-held-out")
    assert (first.table, first.study, first.protocol) == (2, "rpi_table2", "rpi-paper")
    assert (second.table, second.study, second.protocol) == (4, "rpi_table4", "rpi-prompted")
    assert str(second) == "c+emotion, emotion-held-out"
    with pytest.raises(AttribookError, match="'SST2:sst2-held-out' is no task"):
        read_tasks("SST2:sst2-held-out")


def test_a_printed_name_means_the_models_of_both_tables():
    found = read_tasks("SST2,AGN,EMR")
    assert [(task.table, task.printed) for task in found] == [
        (table, name) for table in (2, 4) for name in ("SST2", "AGN", "EMR")
    ]
    for task in found[3:]:
        template = TEMPLATES[task.model.partition("+")[2]]
        assert template.labels == TASKS[task.dataset.removesuffix("-held-out")].labels
        assert all(f"{word}\n\n" in template.before for word in template.words)  # an example of each class


@pytest.mark.parametrize(
    ("model", "make", "more", "methods"),
    [
        ("tiny-bert", encoder_studies, {"controls": ("decompx:flat",)}, [*ENCODER_ROWS.values(), "decompx:flat"]),
        ("tiny-gemma3+sentiment", prompted_studies, {"slow_items": 1, "random_size": 3, "samples": 2},
         [*DECODER_ROWS.values(), "occlusion", "input_x_gradient:flat"]),
    ],
)  # fmt: skip
def test_rows_are_computed_once_and_read_without_texts(model, make, more, methods, monkeypatch):
    studies, pool_studies = make("smoke", model, "reviews-mini", **GIVEN, **more)
    for study in (*studies, *pool_studies.values()):
        study.run()
    studies[0].predicted(studies[0].items)
    for worker in (Scoring, Pooling):
        monkeypatch.setattr(worker, "computed", lambda *_: pytest.fail("stored rows were computed again"))
    monkeypatch.setattr("attribook.grid.items.load_dataset", lambda _: pytest.fail("the texts were read"))
    single = stored_frames("smoke", studies[0].name)
    names = single["method"].str.replace(r"\{.*\}", "", regex=True) + ":" + single["variant"]
    assert set(names.str.rstrip(":")) >= set(methods)
    assert set(single["metric"]) == set(ERASURE)
    pools = stored_frames("smoke", "rpi_pools", pools=True)
    assert set(pools["method"]) == {"random", released_setting(layers="-2", steps=2)}
    best, one = oriented(best_of(pools, 2)), oriented(one_map(pools))
    assert (best["value"].to_numpy() >= one["value"].to_numpy()).all()
    assert len(stored_predictions("smoke", model, "reviews-mini")) == 2


def test_sequential_gradients_may_be_left_out_or_have_fewer_texts():
    given = {**GIVEN, "random_size": 3, "samples": 2}
    few, none = (prompted_studies("smoke", "tiny-llama+sentiment", "reviews-mini", **given, slow_items=n)[0]
                 for n in (1, None))  # fmt: skip
    assert [study.n_items for study in few] == [2, 1]
    assert few[1].methods == ("sequential_integrated_gradients{steps=2}",)
    assert len(none) == 1
