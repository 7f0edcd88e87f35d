"""What pages on RPI compute with a model at hand: studies of its tables' rows, and the scores of single tokens."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from attribook.grid.keys import digest
from attribook.grid.pools import PoolStudy
from attribook.grid.protocols import find_protocol
from attribook.grid.store import Store
from attribook.grid.study import Study
from attribook.metrics.ceiling import METRICS as SEARCHED
from attribook.metrics.ceiling import ceiling
from attribook.papers.rpi.settings import ERASURE, encoder_methods, released_setting

CEILING_VERSION = 1  # of what is searched; raised when its numbers change
Studies = tuple[list[Study], dict[str, PoolStudy]]  # of single maps; and of pools, by the name of their method


def encoder_studies(
    profile: str,
    model: str,
    dataset: str,
    *,
    n_items: int,
    size: int,
    layer: str,
    steps: int,
    slow_steps: int,
    seed: int,
    controls: Sequence[str] = (),
) -> Studies:
    """Rows of an encoder for Table 2: nine methods' single maps, and pools of `size` maps of RPI and of random."""
    where, metrics = (profile, model, dataset, "rpi-paper"), tuple(ERASURE)
    given: dict[str, Any] = {"keep": "all", "seed": seed, "n_items": n_items}
    methods = (*encoder_methods(slow_steps), *controls)
    single = Study("rpi_table2", *where, methods, metrics, random_seeds=1, **given)
    return [single], pools_beside(single, released_setting(layers=layer, steps=steps), size, size)


def prompted_studies(
    profile: str,
    model: str,
    dataset: str,
    *,
    n_items: int,
    slow_items: int | None,
    size: int,
    random_size: int,
    layer: str,
    steps: int,
    slow_steps: int,
    samples: int,
    seed: int,
) -> Studies:
    """Rows of a prompted causal model for Table 4; SIG on `slow_items` of the texts, with None on none."""
    where, metrics = (profile, model, dataset, "rpi-prompted"), tuple(ERASURE)
    controls = (f"input_x_gradient:{control}" for control in ("permuted", "reversed", "flat"))
    methods = ("self_ranking", "input_x_gradient", "deeplift", f"gradient_shap{{samples={samples}}}", "occlusion",
               *controls)  # fmt: skip
    given: dict[str, Any] = {"keep": "all", "seed": seed, "n_items": n_items}
    studies = [Study("rpi_table4", *where, methods, metrics, random_seeds=1, **given)]
    if slow_items is not None:
        sig = (f"sequential_integrated_gradients{{steps={slow_steps}}}",)
        studies.append(replace(studies[0], methods=sig, n_items=slow_items))
    return studies, pools_beside(studies[0], released_setting(layers=layer, steps=steps), size, random_size)


def pools_beside(study: Study, rpi: str, size: int, random_size: int) -> dict[str, PoolStudy]:
    """Pools of RPI and of random rankings for the items, metrics and model of a study."""
    where = ("rpi_pools", study.profile, study.model, study.dataset, study.protocol)
    given: dict[str, Any] = {"keep": "all", "seed": study.seed, "n_items": study.n_items}
    wanted = {"RPI": (rpi, size), "random": ("random", random_size)}
    return {
        name: PoolStudy(*where, (method,), study.metrics, size=maps, **given) for name, (method, maps) in wanted.items()
    }


def token_scores(study: Study, items: Collection[str] = ()) -> pd.DataFrame:
    """Scores of every token but the special ones, by text and map; what is missing is computed.

    items: the only texts that are read; all of the study's where none is given.
    Columns: item, prediction, probability, place (among these tokens), token, map (from 0; a study of single maps has
        one), score. For a study of one method.
    """
    study.run()
    parts = []
    for unit in (unit for unit in study.units() if not items or unit.prompt.id in items):
        encoding, row = study.explained.encode(unit.prompt.text), study.score_row(unit)
        maps = study.maps(unit).tolist() if isinstance(study, PoolStudy) else [row["scores"]]
        places = encoding.attributable.nonzero()[:, 0].tolist()
        told = {"item": unit.prompt.id, "prediction": encoding.target_text, "probability": encoding.probability}
        told |= {"place": range(len(places)), "token": [encoding.tokens[place] for place in places]}
        for number, scores in enumerate(maps):
            values = [float(scores[place]) for place in places]
            parts.append(pd.DataFrame({**told, "map": number, "score": values}))
    return pd.concat(parts, ignore_index=True)


def ceiling_rows(study: Study, width: int = 5) -> pd.DataFrame:
    """The best value of k tokens (metrics/ceiling.py) for each item of a study and metric that can be searched.

    Columns: item, metric, tokens, k, sets, exact, value. What is missing is computed and stored.
    """
    store = Store(study.folder / "ceilings.csv", ("item", "metric", "tokens", "k", "sets", "exact", "value"))
    wanted = [name for name in study.metrics if name in SEARCHED]
    options = [find_protocol(study.protocol).metric_options(name) for name in wanted]
    keys = {p.id: digest("ceiling", CEILING_VERSION, width, study.fingerprint, p.fingerprint, wanted, options)
            for p in study.items}  # fmt: skip
    todo = {keys[prompt.id]: prompt for prompt in study.items}
    for key, prompt in store.missing(todo, f"{study.name}: ceilings"):
        encoding, rows = study.explained.encode(prompt.text), []
        for name, given in zip(wanted, options, strict=True):
            found = asdict(ceiling(study.explained, encoding, name, given, width))
            written = {"exact": int(found["exact"]), "value": f"{found['value']:.6g}"}
            rows.append({"item": prompt.id, "metric": name} | found | written)
        store.append(key, rows)
    frame = pd.DataFrame([row for key in keys.values() for row in store[key]])[list(store.columns)]
    numbers = ["tokens", "k", "sets", "exact", "value"]
    return frame.assign(**frame[numbers].apply(pd.to_numeric))
