"""Rows of tiny seeded models, small enough to be committed and computed again whole, in any CI.

Studies on every family with every method that fits it, the soft metrics under every protocol, variants of scores and a
continuation; and a table of the metrics that erase tokens, under every convention. Their numbers mean nothing. They
move when the code that computes them does. `attribook check --profile smoke --update` computes them anew, which is
right only after a change that was meant to move them.
"""

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from attribook.attribution.registry import METHODS
from attribook.check.drift import Drift, farthest
from attribook.files import write_whole
from attribook.grid.seeds import generator
from attribook.grid.settings import setting
from attribook.grid.study import Study
from attribook.metrics.conventions import CONVENTIONS
from attribook.metrics.registry import METRICS
from attribook.models.known import tiny_names
from attribook.models.load import load_model
from attribook.models.tiny import CLASSIFIERS
from attribook.paths import results_folder
from attribook.site.matrix import load_matrix

# Fewer samples and steps than by default: what is checked is that numbers stay, not that they are good.
QUICK: dict[str, dict[str, int]] = {
    "lime": {"samples": 40},
    "kernel_shap": {"samples": 160},
    "integrated_gradients": {"steps": 8},
    "gradient_shap": {"samples": 4},
    "sequential_integrated_gradients": {"steps": 2},
    "reagent": {"max_steps": 4, "runs": 2},
    "noiser": {"vectors": 3},
    "rpi": {"trials": 3, "steps": 4},
    "rpi_g": {"trials": 3, "steps": 4},
    "rpi_ig": {"trials": 3, "steps": 4},
    "rpi_sig": {"trials": 2, "steps": 2},
}
MODELS = [*tiny_names(), "tiny-llama+sentiment"]
SOFT = ("soft_nc", "soft_ns")
SEVERAL_SEEDS = ("tiny-gpt2", "tiny-bert")
PROMPTED = ("random", "occlusion", "integrated_gradients", "lime", "rpi")  # of the prompted classifier, for its length
SEEDS = {"knowns-mini": 15, "reviews-mini": 16}  # with these the first prompts are short
JUDGED = "tiny-gpt2"  # the model of the soft metrics
ERASED = ("tiny-bert", "tiny-llama")  # those of the metrics that erase
METHODS_JUDGED = ("random", "occlusion", "input_x_gradient", "integrated_gradients", "attention_rollout")
VARIED = tuple(f"occlusion:{v}" for v in ("permuted", "reversed", "ranked", "flat", "one_hot_random", "tempered_2"))


def smoke_studies() -> Iterator[Study]:
    """All studies of the profile."""
    for name in MODELS:
        data = "reviews-mini" if name.removeprefix("tiny-") in CLASSIFIERS or "+" in name else "knowns-mini"
        chosen = [method for method in fits(name) if "+" not in name or method in PROMPTED]
        fitting = tuple(setting(m, **QUICK.get(m, {})) for m in chosen)
        seeds = 2 if name in SEVERAL_SEEDS else 1
        yield Study("check_methods", "smoke", name, data, "attribook", fitting,
                    n_items=1, seed=SEEDS[data], random_seeds=seeds, keep="all")  # fmt: skip
    common = Study("check_metrics", "smoke", JUDGED, "knowns-mini", "attribook", ("random",), SOFT,
                   n_items=2, seed=SEEDS["knowns-mini"], random_seeds=2, keep="all")  # fmt: skip
    for protocol in ("reagent-code", "reagent-paper", "attribook"):
        yield replace(common, protocol=protocol, methods=tuple(setting(m, **QUICK.get(m, {})) for m in METHODS_JUDGED))
    yield replace(common, name="check_variants", methods=("occlusion", *VARIED), n_items=1)
    yield replace(common, name="check_steps", methods=("occlusion",), n_items=1, continuation=3, stride=2)


def fits(model: str) -> list[str]:
    """Methods that can explain a model, by the matrix that the tests write."""
    cells = load_matrix()
    return [name for name in METHODS if ((cells["method"] == name) & (cells["model"] == model)
                                         & (cells["works"] == "True")).any()]  # fmt: skip


def write_smoke() -> Path:
    """Compute all rows of the profile anew, and put them in the old ones' place when all are there; in that folder."""
    results = results_folder()
    with tempfile.TemporaryDirectory(dir=results, prefix=".smoke-") as scratch, results_at(Path(scratch)):
        for study in smoke_studies():
            study.run()
        new = Path(scratch) / "smoke"
        table = pd.DataFrame(erasure_values(), columns=["model", "metric", "convention", "value"])
        write_whole(new / "erasure.csv", table.to_csv(index=False, lineterminator="\n"))
        if (results / "smoke").exists():
            os.replace(results / "smoke", Path(scratch) / "before")
        os.replace(new, results / "smoke")
    return results / "smoke"


@contextmanager
def results_at(folder: Path) -> Iterator[None]:
    """Let results lie in another folder for a while."""
    before = os.environ.get("ATTRIBOOK_RESULTS")
    os.environ["ATTRIBOOK_RESULTS"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["ATTRIBOOK_RESULTS"]
        else:
            os.environ["ATTRIBOOK_RESULTS"] = before


def erasure_values() -> Iterator[tuple[str, str, str, float]]:
    """Model, metric, convention and value, of scores drawn once."""
    for name in ERASED:
        model = load_model(name)
        encoding = model.encode("The old city was warm, and my friend of many years had a good word for it.")
        scores = torch.randn(len(encoding), generator=generator("erasure", name), dtype=torch.float64)
        chance = generator("unused")
        for convention, metrics in CONVENTIONS.items():
            for metric, options in metrics.items():
                masks = options["operator"] == "mask"
                given = {**options, "operator": "unk"} if masks and not model.tokenizer.mask_token else options
                found = METRICS[metric](model, encoding, scores, generator=chance, **given)
                yield name, metric, convention, found.value
        for order in ("comprehensiveness", "sufficiency"):
            found = METRICS["naopc"](model, encoding, scores, generator=chance, order=order, operator="delete")
            yield name, "naopc", order, found.value


def erasure_drift() -> tuple[list[Drift], str]:
    """Values of the metrics that erase which are not as stored, and what was looked at."""
    path = results_folder() / "smoke" / "erasure.csv"
    if not path.is_file():
        return [Drift("files", "smoke/erasure.csv", "is missing; bring it back from git")], "no metric that erases"
    with path.open(newline="", encoding="utf-8") as file:
        stored = {(line["model"], line["metric"], line["convention"]): line["value"] for line in csv.DictReader(file)}
    now = {(model, metric, convention): value for model, metric, convention, value in erasure_values()}
    found = [Drift(key[1], f"erasure · {key[0]} · {key[2]}", "not stored") for key in now if key not in stored]
    for key, value in stored.items():
        what = farthest([float(value)], [now[key]], least=1.0).words if key in now else "no longer computed"
        found += [Drift(key[1], f"erasure · {key[0]} · {key[2]}", what)] if what else []
    return found, f"{len(now)} values of metrics that erase"
