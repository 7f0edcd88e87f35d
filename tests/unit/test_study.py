"""Studies: rows are found again, resumed to the same values, and change their key with anything that moves them."""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from attribook.attribution.names import FACTS
from attribook.check.stored import part_difference
from attribook.data.datasets import Dataset
from attribook.errors import AttribookError
from attribook.grid.items import Items, Unit
from attribook.grid.protocols import PROTOCOLS
from attribook.grid.scoring import Scoring
from attribook.grid.settings import Protocol, Setting
from attribook.grid.study import Study
from attribook.statistics.squared_distance import as_released

METHODS = ("random", "occlusion", "attention_mean")


def study(**changes) -> Study:
    given = {
        "name": "reagent_longra", "profile": "smoke", "model": "tiny-gpt2", "dataset": "longra-mini",
        "protocol": "attribook", "methods": METHODS, "metrics": ("soft_nc", "soft_ns"), "n_items": 2,
        "keep": "all", "random_seeds": 2,
    }  # fmt: skip
    return Study(**{**given, **changes})


def values(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="seconds")


def test_rows_are_complete_and_read_again_without_a_model(monkeypatch):
    rows = study().rows()
    assert len(rows) == 2 * (2 + 1 + 1) * 2 * 8  # items, units, metrics, draws
    assert set(rows["status"]) == {"ok"}

    def refuse(*_args):
        raise AssertionError("stored rows were computed again")

    monkeypatch.setattr(Scoring, "computed", refuse)
    pd.testing.assert_frame_equal(study().rows(), rows)


def test_items_with_one_text_share_stored_rows_and_keep_their_names(monkeypatch):
    first, second = (dataclasses.replace(study().items[0], id=name) for name in ("446", "762"))
    monkeypatch.setattr("attribook.grid.items.load_dataset", lambda _: [first, second])
    twins = study(keep="correct", methods=("occlusion",))
    assert list(twins.predictions["item"]) == ["446", "762"]
    monkeypatch.setattr(Items, "kept", pd.Series([True, True]))
    rows = twins.rows()
    assert rows["item"].value_counts().to_dict() == {"446": len(rows) / 2, "762": len(rows) / 2}
    assert sorted(row["item"] for row in twins.scores()) == ["446", "762"]
    assert len(twins.data.scores.groups) == 1


def test_a_smaller_study_is_a_part_of_a_larger_one():
    small = [item.id for item in study(n_items=2).items]
    assert [item.id for item in study(n_items=5).items][:2] == small


def test_no_row_holds_text_that_is_not_part_of_this_project(monkeypatch):
    plain = study(methods=("occlusion",))
    ours = {row["item"]: row["tokens"] for row in plain.scores()}
    assert all("".join(tokens) in prompt.text for tokens, prompt in zip(ours.values(), plain.items, strict=True))
    monkeypatch.setattr(Dataset, "elsewhere", True)
    one = study(methods=("occlusion",), profile="elsewhere")
    assert {row["item"]: row["tokens"] for row in one.scores()} == ours  # read off the text that is here
    stored = [json.loads(line) for line in (one.folder / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["tokens"] for row in stored] == [[], []]
    unit = one.units()[0]
    held, now = one.data.comparable(unit)["scores"], one.data.recomputed(unit, ["scores"])["scores"]
    assert part_difference("scores", held, now).words is None


def test_scores_are_the_same_in_any_order_of_work():
    whole = {row["key"]: row["scores"] for row in study().scores()}
    alone = study(name="reagent_longra", methods=("occlusion",), profile="other").scores()
    assert all(whole[row["key"]] == row["scores"] for row in alone)


def test_every_seed_and_every_item_has_its_own_randomness():
    vectors = [tuple(row["scores"][:20]) for row in study(methods=("random",)).scores()]
    assert len(vectors) == 2 * 2  # items, seeds
    assert len({vector[:5] for vector in vectors}) == len(vectors)
    rows = study().rows().query("method == 'random' and metric == 'soft_nc' and seed == 0")
    assert rows.groupby("item")["value"].nunique().min() == 8, "each mask draw is another one"


def test_keys_change_with_what_moves_numbers(monkeypatch):
    prompt = study().items[0]

    def key(metric="soft_nc", text=prompt.text, step=0, setting="occlusion", seed=0, **changes) -> str:
        unit = Unit(dataclasses.replace(prompt, text=text), step, Setting.parse(setting), seed)
        return study(**changes).data.key(unit, metric)

    base = key()
    assert base == key(n_items=7)
    others = [
        key(protocol="reagent-paper"),
        key(model="tiny-llama"),
        key(seed=1),
        key("soft_ns"),
        key(step=1),
        key(setting="occlusion:ranked"),
        key(setting="occlusion:permuted"),
        key(setting="occlusion:permuted", seed=1),
        key(text=prompt.text + " a"),
    ]
    monkeypatch.setitem(FACTS, "occlusion", dataclasses.replace(FACTS["occlusion"], version=99))
    others.append(key())
    assert len({base, *others}) == 11


def test_released_distance_of_stored_rows_equals_a_run_under_it():
    paper = study(protocol="reagent-paper").rows()
    code = study(protocol="reagent-code").rows()
    assert as_released(paper)["value"].tolist() == pytest.approx(code["value"].tolist(), abs=1e-7)


def test_failed_metrics_are_rows_with_a_status(monkeypatch):
    against = Protocol("attribook", "", {**PROTOCOLS["attribook"].metric}, {"form": "softmax"}, {})
    monkeypatch.setitem(PROTOCOLS, "attribook", against)
    from attribook.attribution.registry import METHODS as registry

    def negative(model, encoding, *, generator, operator="", specials="", output=""):
        return -encoding.ids.double() - 1

    monkeypatch.setitem(registry, "occlusion", dataclasses.replace(registry["occlusion"], function=negative))
    rows = study(methods=("occlusion",)).rows()
    assert set(rows["status"]) == {"no positive score"}
    assert rows["value"].isna().all()


def test_manifest_names_weights_files_and_every_study_of_its_rows():
    first, second = study(), study(methods=("attention_last",))
    for each in (first, second, first):
        each.run()
    manifest = json.loads((first.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["weights"] == first.fingerprint
    assert set(manifest["files"]) == {"scores.jsonl", "rows.csv"}
    told = [run["study"] for run in manifest["runs"]]
    assert [tuple(each["methods"]) for each in told] == [first.methods, second.methods]
    assert told[0]["n_items"] == 2
    assert all(set(run["packages"]) >= {"torch", "transformers"} for run in manifest["runs"])


@pytest.mark.parametrize(("elsewhere", "kept"), [(False, False), (True, True)])
def test_manifest_forgets_a_run_whose_rows_a_later_one_all_has_unless_it_was_made_otherwise(elsewhere, kept):
    part, other = study(n_items=1), study(n_items=1, methods=("attention_last",))
    for each in (part, other):
        each.run()
    path = part.folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    if elsewhere:
        manifest["runs"][0]["machine"] = "another kind"
        path.write_text(json.dumps(manifest), encoding="utf-8")
    study().run()  # two items and the methods of `part`
    told = [
        (tuple(run["study"]["methods"]), run["study"]["n_items"])
        for run in json.loads(path.read_text(encoding="utf-8"))["runs"]
    ]
    assert told == [*([(part.methods, 1)] if kept else []), (other.methods, 1), (study().methods, 2)]


def test_reading_a_part_of_told_rows_tells_nothing_and_untold_rows_are_told_of():
    study().run()
    path = study().folder / "manifest.json"
    before = path.read_text(encoding="utf-8")
    study(methods=study().methods[:1], n_items=1).rows()
    assert path.read_text(encoding="utf-8") == before
    older = json.loads(before)
    for run in older["runs"]:
        del run["study"]["continuation"]  # as if that field had come later
    path.write_text(json.dumps(older), encoding="utf-8")
    study().rows()
    assert json.loads(path.read_text(encoding="utf-8")) == older
    path.unlink()  # as if the run had been cut off after its last row
    study().rows()
    assert json.loads(path.read_text(encoding="utf-8"))["runs"] == json.loads(before)["runs"]


@pytest.mark.parametrize(
    ("name", "least"), [("n_items", 0), ("continuation", 0), ("start", 0), ("stride", 1), ("random_seeds", 1)]
)
def test_numbers_below_the_least_are_refused(name, least):
    assert getattr(study(**{name: least}), name) == least
    with pytest.raises(AttribookError, match=f"{name} is {least - 1}. Give {least} or more"):
        study(**{name: least - 1})


def test_manifest_forgets_studies_under_other_settings(monkeypatch):
    study().run()
    changed = dataclasses.replace(PROTOCOLS["attribook"], metric={**PROTOCOLS["attribook"].metric, "draws": 3})
    monkeypatch.setitem(PROTOCOLS, "attribook", changed)
    study(methods=("attention_last",)).run()
    manifest = json.loads((study().folder / "manifest.json").read_text(encoding="utf-8"))
    assert [run["study"]["methods"] for run in manifest["runs"]] == [["attention_last"]]


def test_unknown_names_are_refused():
    for changes in ({"protocol": "mine"}, {"methods": ("mine",)}, {"metrics": ("mine",)}, {"keep": "mine"}):
        with pytest.raises(AttribookError, match=r"[Kk]nown|Choose"):
            study(**changes)
    with pytest.raises(AttribookError, match="Unknown data set"):
        _ = study(dataset="mine").items


def test_no_kept_item_says_so(monkeypatch):
    monkeypatch.setattr("attribook.grid.work.matches", lambda *_: False)
    with pytest.raises(AttribookError, match="nothing to explain"):
        _ = study(dataset="knowns-mini", keep="correct_both", model="tiny-opt").items


def test_an_open_prompt_is_not_right_or_wrong():
    with pytest.raises(AttribookError, match="keep='all'"):
        _ = study(dataset="wikibio-mini", keep="correct").items
    assert len(study(dataset="wikibio-mini", n_items=3).items) == 3


# Dies at the disk write whose number it is given, and takes that many last bytes with it.
SCRIPT = """
import os, signal, sys
writes, lost, forced = int(sys.argv[1]), int(sys.argv[2]), os.fsync
def dying(file):
    global writes
    forced(file)
    writes -= 1
    if writes == 0:
        os.ftruncate(file, os.fstat(file).st_size - lost)
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = dying
from attribook.grid.study import Study
Study("reagent_longra", "smoke", "tiny-gpt2", "longra-mini", "attribook",
      ("random", "occlusion", "attention_mean", "integrated_gradients"), ("soft_nc", "soft_ns"),
      n_items=3, keep="all").run()
"""


def test_a_killed_run_ends_with_the_values_of_an_undisturbed_one(tmp_path):
    def ended(folder, write=0, lost=0):
        environment = {**os.environ, "ATTRIBOOK_RESULTS": str(folder)}
        command = [sys.executable, "-c", SCRIPT, str(write), str(lost)]
        return subprocess.run(command, env=environment, stderr=subprocess.DEVNULL).returncode

    def content(folder):
        (rows,) = folder.rglob("rows.csv")
        (scores,) = folder.rglob("scores.jsonl")
        frame = pd.read_csv(rows, dtype=str)
        vectors = [
            line.split('"scores": ')[1].split("]")[0] for line in scores.read_text(encoding="utf-8").splitlines()
        ]
        return values(frame), vectors

    assert ended(tmp_path / "whole") == 0
    # Between two groups, then with whole lines and with half a line of a group missing.
    for write, lost in ((2, 0), (5, 0), (9, 300), (4, 40)):
        assert ended(tmp_path / "cut", write, lost) == -signal.SIGKILL
    assert ended(tmp_path / "cut") == 0
    whole, cut = content(tmp_path / "whole"), content(tmp_path / "cut")
    pd.testing.assert_frame_equal(whole[0], cut[0])
    assert whole[1] == cut[1]
