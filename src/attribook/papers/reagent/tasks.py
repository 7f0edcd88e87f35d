"""ReAGent's three tasks for one model, as the pages of its Tables 2 and 3 ask them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attribook.grid.study import Study

PLAIN = ("random", "occlusion", "input_x_gradient", "integrated_gradients", "attention_last", "attention_mean",
         "attention_rollout")  # fmt: skip
CONTINUED: Mapping[str, Any] = {"keep": "all", "continuation": 10, "start": 5, "stride": 5}  # one token of ten


def reagent_tasks(
    model: str, datasets: Mapping[str, str], *, profile: str, n_items: int, longra_items: int, keep: str, seed: int
) -> dict[str, Study]:
    """A study for each task of `datasets`; LongRA has next words to keep prompts by, the others go on by themselves."""
    fixed: dict[str, Any] = {
        "profile": profile,
        "model": model,
        "protocol": "attribook",
        "methods": PLAIN,
        "metrics": ("soft_nc", "soft_ns"),
        "seed": seed,
    }
    asked = {task: {"n_items": n_items, **CONTINUED} for task in datasets}
    asked["LongRA"] = {"n_items": longra_items, "keep": keep}
    return {task: Study(f"reagent_{task.lower()}", dataset=datasets[task], **fixed, **asked[task]) for task in datasets}


def with_slow(study: Study, items: Mapping[str, int], seeds: Mapping[str, int] | None = None) -> list[Study]:
    """A study, and one for each method of `items` on so many of its prompts, with one seed if `seeds` says no other."""
    seeds = seeds or {}
    slow = [
        replace(study, methods=(name,), n_items=many, random_seeds=seeds.get(name, 1)) for name, many in items.items()
    ]
    return [study, *slow]
