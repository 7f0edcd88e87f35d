"""Stored rows as tidy frames, read from their files alone: the same numbers as the studies give."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from attribook.errors import AttribookError
from attribook.grid.pools import PoolStudy
from attribook.grid.stored import stored_frames
from attribook.grid.study import Study


def study(**changes) -> Study:
    given = {
        "name": "read", "profile": "smoke", "model": "tiny-gpt2", "dataset": "longra-mini", "protocol": "attribook",
        "methods": ("random", "occlusion", "occlusion:permuted"), "metrics": ("soft_nc",), "n_items": 2, "keep": "all",
        "random_seeds": 2,
    }  # fmt: skip
    return Study(**{**given, **changes})


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values([name for name in frame if name not in ("value", "status")], ignore_index=True)


def test_frames_of_all_models_and_protocols_are_those_of_the_studies():
    parts = [study(), study(protocol="reagent-paper"), study(model="tiny-llama", methods=("occlusion",))]
    whole = pd.concat([each.frame() for each in parts])
    study(methods=("lime{samples=10}",), metrics=()).run()  # scores alone add no row
    assert_frame_equal(ordered(stored_frames("smoke", "read")), ordered(whole), check_dtype=False)
    assert stored_frames("smoke", "read", pools=True).empty
    assert stored_frames("smoke", "another").empty


def test_of_two_pools_the_larger_one_counts():
    given = ("pools", "smoke", "tiny-bert", "reviews-mini", "attribook", ("random",), ("comprehensiveness",))
    small, large = (PoolStudy(*given, n_items=n, keep="all", size=size) for n, size in ((2, 2), (1, 4)))
    small.run()
    expected = large.frame()
    found = stored_frames("smoke", "pools", pools=True)
    first = found[found["item"] == expected["item"][0]]
    assert_frame_equal(ordered(first), ordered(expected), check_dtype=False)
    assert found.groupby("item").size().sort_values().tolist() == [2 + 2, 4 + 3]  # maps, and means of 1, 2 and 4


def test_rows_on_several_data_sets_are_refused_and_damage_is_named():
    study(methods=("occlusion",)).run()
    study(methods=("occlusion",), dataset="knowns-mini").run()
    with pytest.raises(AttribookError, match="rows on \\['knowns-mini', 'longra-mini'\\]"):
        stored_frames("smoke", "read")
    other = study(name="damaged")
    other.run()
    (other.folder / "rows.csv").write_bytes(b"key,item\n\xff\xfe\n")
    with pytest.raises(AttribookError, match="is damaged"):
        stored_frames("smoke", "damaged")
