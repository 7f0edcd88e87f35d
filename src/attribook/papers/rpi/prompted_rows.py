"""Rows of RPI's Table 4: what a prompted causal model's single maps, RPI's pool and random rankings are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from attribook.grid.pools import PoolStudy
from attribook.grid.study import Study
from attribook.papers.rpi.tables import (
    DECODER_ROWS,
    ERASURE,
    Values,
    item_values,
    leads_table,
    pool_values,
    released_setting,
    renamed,
)
from attribook.statistics.picking import Pool, read_pool

CONTROLS = ("permuted", "reversed", "flat")  # of gradient x input


@dataclass(frozen=True)
class PromptedRows:
    """All of one model: the study of single maps, pools by name and the studies that they are of, values by name."""

    study: Study
    sources: Mapping[str, PoolStudy]
    pools: Mapping[str, Pool]
    single: Values
    size: int

    @property
    def where(self) -> str:
        """For captions."""
        return f"{self.study.model}, {self.study.dataset}"

    @property
    def best(self) -> str:
        """The name of RPI's row."""
        return f"RPI, best of {self.size}"

    @cached_property
    def values(self) -> Values:
        """Single maps, and of both pools one map, the mean, and the best."""
        picked = [pool_values(pool, self.size, name) for name, pool in self.pools.items()]
        return {**self.single, **picked[0], **picked[1]}

    @property
    def five(self) -> Values:
        """The paper's methods beside RPI, as far as there are rows."""
        return {name: self.single[name] for name in DECODER_ROWS if name in self.single}

    def leads(self) -> pd.DataFrame:
        """Than how many of the paper's methods RPI's best, one map of it, and the best random ranking are better."""
        names = (self.best, "RPI, one map", f"random, best of {self.size}")
        return leads_table({name: self.values[name] for name in names}, self.five, tuple(ERASURE))


def prompted_rows(
    profile: str,
    model: str,
    dataset: str,
    *,
    n_items: int,
    slow_items: int | None,
    size: int,
    blind_size: int,
    layer: str,
    steps: int,
    slow_steps: int,
    samples: int,
    seed: int,
) -> PromptedRows:
    """Rows of a model, computed where they are missing; SIG on `slow_items` of the texts, with None on none."""
    metrics, where = tuple(ERASURE), (profile, model, dataset, "rpi-prompted")
    plain = ("self_ranking", "input_x_gradient", "deeplift", f"gradient_shap{{samples={samples}}}", "occlusion",
             *(f"input_x_gradient:{control}" for control in CONTROLS))  # fmt: skip
    given: dict[str, Any] = {"keep": "all", "seed": seed, "n_items": n_items}
    study = Study("rpi_table4", *where, plain, metrics, **given, random_seeds=1)
    rows = [study.rows()]
    if slow_items is not None:
        sig = (f"sequential_integrated_gradients{{steps={slow_steps}}}",)
        rows.append(replace(study, methods=sig, n_items=slow_items).rows())
    sources = {
        "RPI": PoolStudy(
            "rpi_pools", *where, (released_setting(layers=layer, steps=steps),), metrics, size=size, **given
        ),
        "random": PoolStudy("rpi_pools", *where, ("random",), metrics, **given, size=blind_size),
    }
    pools = {name: read_pool(source) for name, source in sources.items()}
    return PromptedRows(study, sources, pools, renamed(item_values(pd.concat(rows))), size)
