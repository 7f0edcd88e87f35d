"""Damaged files: whatever their bytes, a reader gives what is there or ends with one of our own errors."""

import math
import random
import shutil

import pytest
import torch
from conftest import ROOT, inseq_file, mutated

from attribook.attribution.imported import read_inseq
from attribook.errors import AttribookError
from attribook.grid.manifest import read_manifest
from attribook.grid.store import Store
from attribook.grid.stored import stored_frames
from attribook.statistics.evidence import read_evidence
from attribook.statistics.picked_rows import read_picked

SMOKE = ROOT / "results" / "smoke"


def small(path):
    """The first lines of a file of rows, so that a mutation hits what matters."""
    return b"".join(path.read_bytes().splitlines(keepends=True)[:12])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Results with one study."""
    made = tmp_path / "laptop" / "check_metrics" / "tiny-gpt2" / "attribook"
    source = SMOKE / "check_metrics" / "tiny-gpt2" / "attribook"
    made.mkdir(parents=True)
    for name in ("rows.csv", "scores.jsonl", "manifest.json"):
        if (source / name).is_file():
            shutil.copy(source / name, made / name)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    return made


def readers(folder):
    """Files by name with what reads them."""
    found = {
        "scores.jsonl": [Store],
        "rows.csv": [
            lambda path: read_evidence(path.with_name("manifest.json")),
            lambda _: stored_frames("laptop", "check_metrics"),
        ],
        "manifest.json": [read_manifest, lambda _: stored_frames("laptop", "check_metrics")],
    }
    return {folder / name: uses for name, uses in found.items()}


def fuzz(path, read, times, chance):
    content = small(path) if path.suffix in (".csv", ".jsonl") else path.read_bytes()
    told = []
    for _ in range(times):
        path.write_bytes(mutated(content, chance))
        try:
            read(path)
        except AttribookError as error:
            told.append(str(error))
    path.write_bytes(content)
    assert not [text for text in told if "\n" in text]
    return len(told)


def fuzz_all(folder, tmp_path, times):
    chance, failed = random.Random(1), {}
    for path, uses in readers(folder).items():
        for number, read in enumerate(uses):
            failed[path.name, number] = fuzz(path, read, times, chance)
    rows = tmp_path / "rows.csv"
    rows.write_text("key,item,method,metric,status,values\nk,i0,rpi,x,ok,0.1 0.2\nk,i1,rpi,x,ok,0.3 0.4\n", "utf-8")
    failed["pools", 0] = fuzz(rows, read_picked, times, chance)
    failed["rows", 0] = fuzz(
        rows, lambda path: Store(path, ("item", "method", "metric", "status", "values")), times, chance
    )
    scores = torch.tensor([[0.5], [-1.0], [2.0], [math.nan]])
    for zipped in (False, True):
        saved = inseq_file(tmp_path / f"inseq{zipped}.json", ["a", "b", "c", "d"], scores, 3, zipped=zipped)
        failed["inseq", zipped] = fuzz(saved, read_inseq, times, chance)
    return failed


def test_damaged_files_end_in_our_own_errors(folder, tmp_path):
    failed = fuzz_all(folder, tmp_path, 100)
    assert min(failed.values()) > 5, f"the mutations do harm: {failed}"


@pytest.mark.slow
def test_thousands_of_damaged_files_end_in_our_own_errors(folder, tmp_path):
    fuzz_all(folder, tmp_path, 1_000)
