"""`attribook check`: an untouched tree passes, planted faults and edited numbers are found and named."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

import attribook.check.files as hashed
from attribook.check import stored
from attribook.check.budget import Clock, in_turns
from attribook.check.committed import check_ledger
from attribook.check.drift import TOLERANCE, farthest
from attribook.check.files import file_drift, sums, write_sums
from attribook.check.run import check_all
from attribook.check.smoke import smoke_studies
from attribook.check.stored import stored_drift
from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError
from attribook.grid.kinds import study_of
from attribook.grid.pools import PoolStudy

PARTS = ("check_methods/tiny-gpt2/attribook", "check_metrics/tiny-gpt2/attribook")  # enough for the faults, and quick
PAPERS = ROOT / "src" / "attribook" / "papers"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A part of the smoke profile's rows and the printed values, in a git repository of its own, hashes committed."""
    results, printed = tmp_path / "results", tmp_path / "papers"
    for part in PARTS:
        shutil.copytree(ROOT / "results" / "smoke" / part, results / "smoke" / part)
    shutil.copy(ROOT / "results" / "smoke" / "erasure.csv", results / "smoke")
    shutil.copytree(PAPERS, printed, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(results))
    monkeypatch.setattr(hashed, "folders", lambda: {"results": results, "papers": printed})
    # Verdicts do not depend on rows of tiny models; the committed ledger is compared in a test of its own.
    monkeypatch.setattr("attribook.check.run.check_ledger", lambda: ([], "no ledger"))
    write_sums()
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    commit(tmp_path, "rows")
    return tmp_path


def commit(tree, message):
    git = ["git", "-C", str(tree), "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", message], check=True)


def found(**options) -> set[tuple[str, str]]:
    """What drifted: the check, and the method or convention."""
    given = {"sample": None, "seed": 0} | options
    return {(d.check, d.where.split(" · ")[2]) if " · " in d.where else (d.check, d.where)
            for d in check_all("smoke", **given).drifts}  # fmt: skip


def test_models_whose_terms_are_not_accepted_are_named_and_not_fetched(tmp_path, monkeypatch):
    folder = tmp_path / "results" / "laptop" / "reagent_longra" / "gemma-3-270m"
    shutil.copytree(ROOT / "results" / "laptop" / "reagent_longra" / "gemma-3-270m", folder)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))
    drifts, told = stored_drift("laptop", 3, 0)
    assert drifts == []
    assert told.startswith("0 units of 0 studies")
    assert "wait for consent (attribook models list): reagent_longra/gemma-3-270m/attribook" in told


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("laptop/reagent_longra/gemma-3-270m/attribook/rows.csv", b""),
        ("laptop/reagent_longra/gemma-3-270m/attribook/rows.csv", b"key,item\n\xff\xfe\n"),
        ("SHA256SUMS", b"garbage\n"),
        ("ledger.csv", b"paper\n5abc\n"),
    ],
)
def test_a_damaged_file_is_told_and_takes_no_other_finding_with_it(tmp_path, monkeypatch, file, content):
    folder = Path("laptop", "reagent_longra", "gemma-3-270m", "attribook")
    shutil.copytree(ROOT / "results" / folder, tmp_path / folder)
    shutil.copy(ROOT / "results" / "ledger.csv", tmp_path)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    (tmp_path / "SHA256SUMS").write_text(
        "".join(f"{sha}  {name}\n" for name, sha in sums(tmp_path).items()), encoding="utf-8"
    )
    (tmp_path / folder / "stray.csv").write_text("a\n", encoding="utf-8")
    (tmp_path / file).write_bytes(content)
    report = check_all("laptop", 0, 0)
    told = [f"{drift.where}: {drift.what}" for drift in report.drifts]
    assert any("stray.csv: has no committed hash" in line for line in told)
    assert any(Path(file).name in line or "columns" in line for line in told if "stray" not in line)


def test_encoders_that_are_not_tuned_alike_here_are_named(tmp_path, monkeypatch):
    place = "rpi_table2/minilm-sst2/rpi-paper"
    shutil.copytree(ROOT / "results" / "original" / place, tmp_path / "results" / "original" / place)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    drifts, told = stored_drift("original", 3, 0)
    assert drifts == []
    assert told.endswith(f"data that is not here (attribook data verify): {place}")
    text = tmp_path / DATASETS["sst2-held-out"].file
    text.parent.mkdir()
    text.touch()  # there, but not looked into
    monkeypatch.setenv("ATTRIBOOK_DATA", str(tmp_path))
    not_alike = f"the model was not tuned here to the same weights (attribook models train): {place}"
    assert stored_drift("original", 3, 0)[1].endswith(not_alike)
    (tmp_path / "home" / "trained" / "minilm-sst2").mkdir(parents=True)
    assert stored_drift("original", 3, 0)[1].endswith(not_alike)  # tuned, to other weights


@pytest.mark.parametrize("seed", range(2))
def test_an_untouched_tree_passes(tree, seed):
    assert found(seed=seed, sample=(None, 4)[seed]) == set()


def flipped_sign(monkeypatch):
    import attribook.attribution.integrated_gradients as module

    reduced = module.reduced
    monkeypatch.setattr(module, "reduced", lambda products, how: -reduced(products, how))


def squared_hellinger(monkeypatch):
    import attribook.metrics.distances as module

    distance = module.hellinger
    monkeypatch.setitem(module.DISTANCES, "hellinger", lambda p, q: distance(p, q) ** 2)


def shifted_by_one_token(monkeypatch):
    import attribook.grid.scoring as module

    def shifted(self, unit, attribution=module.Scoring.attribution):
        result = attribution(self, unit)
        object.__setattr__(result, "scores", result.scores.roll(1))
        return result

    monkeypatch.setattr(module.Scoring, "attribution", shifted)


def no_causal_mask_in_rollout(monkeypatch):
    import attribook.attribution.attention as module

    attention = module.head_mean

    def both_ways(model, encoding):
        maps = attention(model, encoding)  # (L, T, T)
        maps = maps + maps.mT  # what a position does not see gets the weight with which it is seen
        return maps / maps.sum(-1, keepdim=True)

    monkeypatch.setattr(module, "head_mean", both_ways)


def divisor_5(monkeypatch):
    import attribook.metrics.erasure as module

    erasure = module.erasure

    def divided(*args, divisor="bins", **options):
        del divisor
        return erasure(*args, divisor="bins", **options)

    monkeypatch.setattr(module, "erasure", divided)


def reused_seed(monkeypatch):
    import attribook.grid.scoring as module

    generator = module.generator
    monkeypatch.setattr(module, "generator", lambda *parts: generator(*parts[:-1], 15))


FAULTS = {
    flipped_sign: {("scores", "integrated_gradients")},
    squared_hellinger: {("soft_nc", "occlusion"), ("soft_ns", "occlusion")},
    shifted_by_one_token: {("scores", "occlusion"), ("scores", "attention_last"), ("scores", "lime")},
    no_causal_mask_in_rollout: {("scores", "attention_rollout")},
    divisor_5: {("aopc_sufficiency", "code"), ("aopc_comprehensiveness", "code")},
    reused_seed: {("scores", "random"), ("soft_nc", "random"), ("scores", "lime")},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_planted_faults_are_found(tree, monkeypatch, fault):
    fault(monkeypatch)
    drifts = {(check, name.partition("{")[0]) for check, name in found()}
    assert FAULTS[fault] <= drifts
    if fault is flipped_sign:
        assert drifts == FAULTS[fault]


def edited(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_edited_row_is_named_by_file_line_and_unit(tree):
    path = tree / "results" / "smoke" / PARTS[1] / "rows.csv"
    line = path.read_text(encoding="utf-8").splitlines()[3]
    value = line.split(",")[9]
    edited(path, line, line.replace(f",{value},", ",0.123456789,"))
    names = {(d.check, d.where.split(" · ")[0]): d.what for d in check_all("smoke", None, 0).drifts}
    told = names["files", f"results/smoke/{PARTS[1]}/rows.csv"]
    assert "line 4: " + line.split(",")[0] in told
    assert ("files", "check_metrics/tiny-gpt2/attribook/rows.csv") in names  # against its manifest too
    assert any(check.startswith("soft_") and "stored 0.123457" in what for (check, _), what in names.items())


def test_an_edited_manifest_and_an_edited_printed_value_are_named(tree):
    edited(tree / "results" / "smoke" / PARTS[1] / "manifest.json", '"draws": 8', '"draws": 9')
    edited(tree / "papers" / "reagent" / "cells.csv", "1.008", "1.009")
    commit(tree, "edited")
    told = {d.where: d.what for d in file_drift()[0]}
    assert set(told) == {f"results/smoke/{PARTS[1]}/manifest.json", "papers/reagent/cells.csv"}
    assert '"draws": 9' in told[f"results/smoke/{PARTS[1]}/manifest.json"]
    assert "1.009" in told["papers/reagent/cells.csv"]


def test_what_is_gone_or_new_is_named_and_without_git_the_file_still_is(tree):
    shutil.rmtree(tree / ".git")
    edited(tree / "papers" / "reagent" / "cells.csv", "1.008", "1.009")
    (tree / "papers" / "rpi" / "cells.csv").unlink()
    (tree / "results" / "new.csv").write_text("a\n", encoding="utf-8")
    told = {d.where: d.what for d in file_drift()[0]}
    assert told["papers/reagent/cells.csv"] == "was changed after its hash was committed"
    assert told["papers/rpi/cells.csv"] == "is missing"
    assert "attribook check --update" in told["results/new.csv"]


def test_damage_is_a_difference_and_not_a_crash(tree):
    (tree / "results" / "smoke" / PARTS[0] / "manifest.json").write_text("{", encoding="utf-8")
    assert ("rows", "could not be checked") in found()


def test_the_committed_ledger_and_hashes_are_those_of_this_tree(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    drifts = [*file_drift()[0], *check_ledger()[0]]
    assert not drifts, f"attribook check --update, if this was meant: {drifts[:5]}"


def test_the_committed_smoke_rows_are_those_of_its_studies(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    told = set()
    for path in (ROOT / "results" / "smoke").rglob("manifest.json"):
        told |= {study_of(run["study"]) for run in json.loads(path.read_text(encoding="utf-8"))["runs"]}
    assert told == set(smoke_studies()), "attribook check --profile smoke --update"


def test_distance_of_two_lists():
    assert farthest([1.0, -2.0], [1.0, -2.0 - 2 * TOLERANCE * 0.9]).words is None
    assert farthest([1.0, -2.0], [1.0, -2.0 - 2 * TOLERANCE * 1.1]).words == "value 1: -2.00022, stored -2"
    assert farthest([0.0, 0.0], [0.0, 1e-12]).words  # a score that was exactly 0 everywhere is so still
    assert farthest([1e-6], [2e-6], least=1.0).words is None
    assert farthest([None], [None]).words is None
    assert farthest([None, 1.0], [1.0, 1.0]).words == "missing values: 0, stored 1"
    assert farthest([1.0], [1.0, 2.0]).words == "2 values, stored 1"
    assert farthest([1.0], [float("nan")]).words


def test_studies_take_turns_and_none_is_always_the_last():
    groups = [["a1", "a2", "a3"], ["b1"], ["c1", "c2"]]
    orders = {tuple(in_turns(groups, seed)) for seed in range(30)}
    assert len({order[0] for order in orders}) == 3
    for order in orders:
        assert sorted(order) == sorted(name for group in groups for name in group)
        assert {name[0] for name in order[:3]} == {"a", "b", "c"}
        assert order[-1] == "a3"


def test_the_clock_learns_how_fast_this_machine_is(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("attribook.check.budget.time.perf_counter", lambda: now[0])
    clock = Clock(100.0, now[0])
    assert clock.affords(100.0)
    assert not clock.affords(100.1)
    now[0] = 40.0
    clock.done(20.0, 40.0)  # twice as long as when it was stored
    assert clock.affords(30.0)
    assert not clock.affords(30.1)


def slow(path, seconds):
    """Scores as if they had taken so long when they were stored."""
    path.write_text(
        re.sub(r'("seconds": )[0-9.]+', rf"\g<1>{seconds}", path.read_text(encoding="utf-8")), encoding="utf-8"
    )


def test_what_the_budget_leaves_out_is_named_and_the_rest_is_looked_at(tree):
    slow(tree / "results" / "smoke" / PARTS[0] / "scores.jsonl", 1000)
    drifts, told = stored_drift("smoke", None, 0, 90.0)
    assert re.search(r"over the budget of 90 s \(--budget\): scores: .*\d+ of lime \(check_methods/tiny-gpt2", told)
    assert {drift.check for drift in drifts} == {"files"}
    assert int(re.search(r"(\d+) metrics", told)[1]) > 0
    assert "metrics:" not in told


def test_the_budget_holds_for_all_studies_together(tree, monkeypatch):
    """However many studies there are: a clock that jumps by 30 s with every unit leaves time for three of them."""
    now = [0.0]
    monkeypatch.setattr("attribook.check.budget.time.perf_counter", lambda: now[0])

    def looked(look, parts, seen, unit_drift=stored.unit_drift):
        now[0] += 30
        return unit_drift(look, parts, seen)

    monkeypatch.setattr(stored, "unit_drift", looked)
    drifts, told = stored_drift("smoke", 5, 0, 75.0)
    assert drifts == []
    chosen, left = int(told.split()[0]), [int(n) for n in re.findall(r"(\d+) of \w+", told.split("(--budget)")[1])]
    assert now[0] == 90
    assert chosen == 10
    assert sum(left) >= 7


def test_pools_of_maps_are_checked_like_other_rows(tree):
    study = PoolStudy("check_pools", "mine", "tiny-bert", "reviews-mini", "attribook", ("random", "rpi_ig{steps=2}"),
                      ("comprehensiveness",), n_items=1, keep="all", size=2)  # fmt: skip
    study.run()
    assert stored_drift("mine", None, 0)[0] == []
    path = study.folder / "rows.csv"
    values = next(csv.DictReader(path.open(encoding="utf-8")))["values"]
    edited(path, values, "0.5 " + values.split(" ", 1)[1])
    drifts = {(d.check, d.where.partition(" · ")[0]) for d in stored_drift("mine", None, 0)[0]}
    place = "check_pools/tiny-bert/attribook"
    assert drifts == {("comprehensiveness", place), ("files", f"{place}/rows.csv")}


def test_wrong_use_and_unknown_kinds_of_studies_are_told(tree):
    with pytest.raises(AttribookError, match="Profiles with rows: smoke"):
        check_all("laptop", 1, 0)
    with pytest.raises(AttribookError, match="cannot be below 0"):
        check_all("smoke", -1, 0)
    with pytest.raises(AttribookError, match="No kind of study has the fields name, flavour"):
        study_of({"name": "x", "flavour": "y"})
