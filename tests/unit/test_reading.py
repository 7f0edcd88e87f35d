"""Reading rows needs no torch: rooms are imported and committed rows are read with torch and its relatives barred."""

import os
import subprocess
import sys

from conftest import ROOT

BARRED = """
import sys
class Barred:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "transformers", "captum"):
            raise ImportError(f"{name} is barred")
sys.meta_path.insert(0, Barred())
"""
COMPUTING = {"live", "matrix", "recorded", "scoring", "pooling", "judging", "seeds", "variants", "work"}


def reading() -> list[str]:
    """Modules that may load no torch."""
    source = ROOT / "src"
    found = []
    for room in ("show", "statistics", "ledger", "papers", "grid"):
        for path in sorted((source / "attribook" / room).rglob("*.py")):
            if path.stem not in (COMPUTING if room == "grid" else {"live"}):
                found.append(".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__"))
    return found


def run(code: str) -> str:
    environment = {**os.environ, "ATTRIBOOK_RESULTS": str(ROOT / "results")}
    done = subprocess.run([sys.executable, "-c", BARRED + code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_no_room_that_reads_rows_imports_torch_in_whatever_way():
    modules = reading()
    run(f"import importlib\nfor name in {modules}: importlib.import_module(name)")


def test_stored_rows_of_every_kind_of_study_are_read_without_torch():
    """Also those of pools, where the archive of their texts has been fetched."""
    code = """
from attribook.data.datasets import DATASETS
from attribook.grid.kinds import study_of
from attribook.grid.manifest import read_manifest
from attribook.paths import results_folder
for folder in ("reagent_longra/smollm2-135m/attribook", "noiser_knowns_judged_smollm2_135m/smollm2-135m/noiser-paper",
               "reagent_wikibio/smollm2-135m/attribook", "rpi_pools/smollm2-135m+sentiment/rpi-prompted"):
    study = study_of(read_manifest(results_folder() / "laptop" / folder / "manifest.json")["runs"][0]["study"])
    if DATASETS[study.dataset].here():
        frame = study.frame()
        print(type(study).__name__, frame["item"].nunique() == len(study.items) and frame["value"].notna().all())
"""
    found = run(code).split("\n")
    assert {"Study True", "JudgeStudy True"} <= set(found)
    assert not any("False" in line for line in found)


def test_every_worker_that_a_study_names_is_there():
    import pkgutil

    from attribook.grid.kinds import KINDS
    from attribook.grid.work import Work
    from attribook.papers.reagent.runs import ReagentStudy

    assert all(issubclass(pkgutil.resolve_name(kind.worker), Work) for kind in (*KINDS, ReagentStudy))
