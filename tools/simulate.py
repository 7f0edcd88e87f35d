"""Simulate what intervals and verdicts keep, for the page notebooks/shared/intervals.

    python tools/simulate.py populations    writes src/attribook/statistics/populations.csv from the stored rows
    python tools/simulate.py                simulates on them and writes results/simulation/simulated.csv

The second uses all processors; the CPU seconds of each row stand in the table. Both give the same bytes again (but for
these seconds) on the same rows: whatever is drawn has a seed.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a process for each processor

from attribook.files import write_whole
from attribook.paths import results_folder
from attribook.statistics import simulation
from attribook.statistics.evidence import read_evidence
from attribook.statistics.simulation import FAMILY_SIZES, SIZES, coverage, family_rows, populations

COVERAGE, FAMILIES = 600, 300  # samples of each population and size
SOFT = {
    "Knowns, SmolLM2": "noiser_knowns/smollm2-135m/noiser-paper",
    "LongRA, SmolLM2": "reagent_longra/smollm2-135m/attribook",
    "LongRA as ReAGent writes it": "reagent_longra/smollm2-135m/reagent-paper",
    "sharpness, SmolLM2": "reagent_sharpness/smollm2-135m/attribook",
    "WikiBio, SmolLM2": "reagent_wikibio/smollm2-135m/attribook",
    "WikiBio, Gemma 3": "reagent_wikibio/gemma-3-270m/attribook",
}
ERASURE = {"RPI's Table 2, MiniLM": "rpi_table2/minilm-rotten-tomatoes/rpi-paper"}


def population(folder: str, metric: str, baseline: str) -> pd.DataFrame:
    """Values of the items that all methods of a study have, methods across, the baseline first; no variants."""
    values = read_evidence(results_folder() / "laptop" / folder / "manifest.json").values
    found = {method: series for (method, name), series in values.items() if name == metric and ":" not in method}
    most = len(found[baseline])  # methods on a part of the items only are left out
    whole = [method for method, series in found.items() if len(series) == most and method != baseline]
    return pd.DataFrame({method: found[method] for method in (baseline, *whole)}).dropna()


def taken() -> pd.DataFrame:
    """All populations, a row for each method."""
    asked = [(name, folder, metric, "random") for name, folder in SOFT.items() for metric in ("soft_nc", "soft_ns")]
    for name, folder in ERASURE.items():
        metrics = ("comprehensiveness", "sufficiency", "aopc_comprehensiveness", "aopc_sufficiency", "log_odds")
        asked += [(name, folder, metric, "integrated_gradients") for metric in metrics]
    rows = []
    for name, folder, metric, baseline in asked:
        table = population(folder, metric, baseline)
        for method in table:
            values = " ".join(f"{value:.6g}" for value in table[method])
            rows.append((f"{name}, {metric}", baseline == "random", method, values))
    return pd.DataFrame(rows, columns=["population", "log", "method", "values"])


def simulated(number: int, n: int, *, family: bool) -> list[dict[str, Any]]:
    """The rows of one population and size, with the CPU seconds that each took."""
    begun, one = time.process_time(), list(populations())[number]
    rows = family_rows(one, n, FAMILIES) if family else [coverage(each, n, COVERAGE) for each in one.extremes()]
    spent = (time.process_time() - begun) / len(rows)
    return [row | {"seconds": round(spent, 1)} for row in rows]


def main() -> None:
    """Write one of the two files."""
    if sys.argv[1:] == ["populations"]:
        path = Path(simulation.__file__).with_name("populations.csv")
        write_whole(path, taken().to_csv(index=False, lineterminator="\n"))
        return
    many = [one.values.shape[1] for one in populations()]
    with ProcessPoolExecutor() as workers:
        jobs = [workers.submit(simulated, k, n, family=False) for k in range(len(many)) for n in SIZES]
        jobs += [
            workers.submit(simulated, k, n, family=True) for k, m in enumerate(many) if m > 1 for n in FAMILY_SIZES
        ]
        table = pd.DataFrame([row for job in jobs for row in job.result()])
    folder = results_folder() / "simulation"
    folder.mkdir(exist_ok=True)
    write_whole(folder / "simulated.csv", table.to_csv(index=False, float_format="%.5g", lineterminator="\n"))


if __name__ == "__main__":
    main()
