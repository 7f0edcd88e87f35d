"""Committed rows: they are what their manifests say, and recomputing some gives the same numbers."""

import hashlib
import json
import shutil
from collections import Counter

import pandas as pd
import pytest
import torch
from conftest import ROOT

from attribook.attribution.registry import METHODS
from attribook.data.datasets import DATASETS, load_dataset
from attribook.grid.kinds import study_of
from attribook.grid.rows import SCORES, Rows
from attribook.grid.settings import Setting
from attribook.grid.stored import stored_frames
from attribook.grid.study import Study
from attribook.metrics.registry import METRICS
from attribook.models.names import known_fingerprint, tuned_where_used
from attribook.papers.cells import published
from attribook.papers.noiser.settings import TEN
from attribook.papers.reagent.tasks import PLAIN
from attribook.site.profiles import read_profile
from attribook.statistics.estimates import estimate
from attribook.statistics.kept import kept_table, stored_predictions

# Those of tiny models are computed again whole in test_check.py.
MANIFESTS = [path for path in sorted((ROOT / "results").rglob("manifest.json")) if "smoke" not in path.parts]
# On one machine, one and two threads gave the same numbers. Other processors add up in other orders: two programs for
# one score differ by up to 2e-6 in `attribook bench`. Mask draws of one row differ by 5e-3 or more in the median.
DRIFT = 1e-4


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: "/".join(path.parts[-4:-1]))
def test_manifests_name_the_files_beside_them(path):
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name, digest in manifest["files"].items():
        content = (path.parent / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, f"{name} was changed after its manifest was written"
    for model in {run["study"]["model"] for run in manifest["runs"]}:
        assert tuned_where_used(model) or known_fingerprint(model) == manifest["weights"]


def test_no_row_holds_text_of_data_that_is_not_part_of_this_project():
    seen = 0
    for path in MANIFESTS:
        datasets = {run["study"]["dataset"] for run in json.loads(path.read_text(encoding="utf-8"))["runs"]}
        if any(DATASETS[name].elsewhere for name in datasets):
            lines = (path.parent / "scores.jsonl").read_text(encoding="utf-8").splitlines()
            assert all(json.loads(line)["tokens"] == [] for line in lines)
            seen += 1
    assert seen >= 2


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: "/".join(path.parts[-4:-1]))
def test_rows_are_those_of_the_studies_that_the_manifest_tells(path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    manifest = json.loads(path.read_text(encoding="utf-8"))
    told = [run["study"] for run in manifest["runs"]]
    if away := [
        name for name in {each["dataset"] for each in told} if DATASETS[name].elsewhere and not DATASETS[name].here()
    ]:
        pytest.skip(f"texts of {', '.join(away)} are not here")
    studies = [Rows(study_of(each), manifest["weights"]) for each in told]  # the test above compares the weights
    parts = [(rows, unit, part) for rows in studies for unit in rows.units() for part in rows.study.parts(unit)]
    stored = studies[0].scores, studies[0].rows
    for store, scores in zip(stored, (True, False), strict=True):
        keys = {rows.key(unit, part) for rows, unit, part in parts if (part == SCORES) is scores}
        assert keys == set(store.groups)


def test_there_are_committed_rows_of_every_method_and_metric():
    files = [path.parent / "rows.csv" for path in MANIFESTS]
    tables = [pd.read_csv(path) for path in files if path.is_file()]  # some studies only keep scores
    found = pd.concat(table for table in tables if "metric" in table)  # a judge's answers have none
    assert {Setting.parse(name).method for name in found["method"]} <= set(METHODS)
    assert set(found["metric"]) <= set(METRICS)
    plain = found[~found["method"].str.contains("[:{]")]  # variants and other settings are for audits of fewer prompts
    assert plain.groupby(["method", "metric"])["item"].nunique().min() >= 24


@pytest.mark.parametrize(
    ("paper", "table", "dataset", "page", "study"),
    [
        ("noiser", 5, "Knowns", "noiser/table_1", {"name": "noiser_knowns", "dataset": "knowns-mini",
         "protocol": "noiser-paper", "methods": TEN, "keep": "correct"}),
        ("reagent", 2, "LongRA", "reagent/table_2_longra", {"name": "reagent_longra", "dataset": "longra-mini",
         "protocol": "reagent-paper", "methods": PLAIN[1:], "keep": "correct_both"}),
    ],
)  # fmt: skip
def test_pages_and_the_ledger_tell_one_value_of_one_quantity(paper, table, dataset, page, study, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    n_items = read_profile("laptop")[page]["n_items"]
    given = {
        "profile": "laptop",
        "model": "smollm2-135m",
        "metrics": ("soft_nc", "soft_ns"),
        "n_items": n_items,
        **study,
    }
    random = Study(**given | {"methods": ("random",)}, random_seeds=5)
    frame = pd.concat([random.frame(), Study(**given, random_seeds=1).frame()])
    own = stored_frames(
        "original", study["name"]
    )  # a page that has the paper's own prompts too; the ledger takes these
    own = own[(own["protocol"] == study["protocol"]) & (own["variant"] == "")] if len(own) else own
    frame = own if len(own) else frame
    shown = estimate(frame, "log_ratio", against={"method": "random"}).set_index(["method", "metric"])
    cells = published(paper).query("table == @table and dataset == @dataset")[["row", "metric", "method"]]
    ledger = pd.read_csv(ROOT / "results" / "ledger.csv").query("paper == @paper")
    ledger = ledger[ledger["table"].astype(str) == str(table)]
    ledger = ledger[(ledger["dataset"] == dataset) & (ledger["protocol"] == study["protocol"])]
    told = ledger.merge(cells.drop_duplicates(), on=["row", "metric"]).dropna(subset="ours")
    told = told[told["method"].isin(study["methods"])]
    assert len(told) >= 10
    for row in told.to_dict("records"):
        one = shown.loc[row["method"], row["metric"]]
        assert (row["ours"], row["n"]) == (pytest.approx(one["value"], abs=1e-4), one["n"]), row["row"]


def test_recomputed_rows_equal_the_stored_ones(smollm, tmp_path, monkeypatch):
    given = ("laptop", "smollm2-135m", "longra-mini", "attribook")
    methods, metrics = ("random", "occlusion", "input_x_gradient", "attention_rollout"), ("soft_nc", "soft_ns")
    options = {"metrics": metrics, "n_items": 1, "random_seeds": 1}
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    stored = Study("reagent_longra", *given, methods, **options)
    held = [stored.data.has(unit, part) for unit in stored.units() for part in stored.parts(unit)]
    assert all(held), "keys changed: raise a version and recompute the rows"
    expected, vectors = stored.rows(), stored.scores()
    shutil.copytree(ROOT / "results" / "laptop" / "predictions", tmp_path / "laptop" / "predictions")
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    again = Study("reagent_longra", *given, methods, **options)
    again.data.worker.model = smollm
    found = again.rows()
    assert found["key"].tolist() == expected["key"].tolist()
    assert found["value"].tolist() == pytest.approx(expected["value"].tolist(), abs=DRIFT)
    for one, other in zip(again.scores(), vectors, strict=True):
        torch.testing.assert_close(torch.tensor(one["scores"]), torch.tensor(other["scores"]), atol=DRIFT, rtol=0)


@pytest.mark.parametrize(("model", "longra", "knowns"), [("smollm2-135m", 140, 283), ("gemma-3-270m", 204, 493)])
def test_counts_of_kept_originals(model, longra, knowns, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    counts = kept_table(model, [("original", "longra"), ("original", "knowns")]).set_index("data set")
    assert counts.loc["longra", "correct"] == longra
    assert counts.loc["knowns", "correct"] == knowns


def test_the_longra_file_released_with_noiser_is_whole_in_387_prompts_and_broken_in_186(originals, monkeypatch):
    """As its registry entry and the page about Noiser's Table 7 say; a model gets none of the broken ones right."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    whole = {prompt.text for prompt in load_dataset("longra")}
    released = load_dataset("longra-released")
    groups = Counter((prompt.group, prompt.text in whole) for prompt in released)
    assert groups == {("whole", True): 387, ("broken", False): 186}
    stored = stored_predictions("original", "smollm2-135m", "longra-released").set_index("item")
    assert len(stored) == len(released)
    right = [prompt for prompt in released if stored.loc[prompt.id, "correct"]]
    assert Counter(prompt.group for prompt in right) == {"whole": 110}
    exact = [prompt for prompt in right if stored.loc[prompt.id, "predicted"].strip() == prompt.answer]
    assert len(exact) == 93
