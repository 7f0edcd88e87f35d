"""The studies of Noiser's part: which methods are asked on which prompts, under which protocol.

Knowns has rows of its own under the protocol as written. LongRA and WikiBio share the prompts and rows of ReAGent's
part, under ours, so that no row is computed twice; Noiser and what else was missing is added there.
"""

from dataclasses import dataclass, field
from typing import Any

from attribook.study.study import Study

SOFT = ("soft_nc", "soft_ns")
TEN = (
    "noiser", "occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap", "deeplift",
    "sequential_integrated_gradients", "lime", "attention_last", "attention_rollout",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """Where the rows of one of the paper's tasks lie, and how its prompts are kept and continued."""

    study: str
    protocol: str
    settings: dict[str, Any] = field(default_factory=dict)


TASKS = {
    "Knowns": Task("noiser_knowns", "noiser-paper", {"keep": "correct"}),
    "LongRA": Task("reagent_longra", "attribook", {"keep": "correct_both"}),
    "WikiBio": Task("reagent_wikibio", "attribook", {"keep": "all", "continuation": 10, "start": 5, "stride": 5}),
}


def noiser_study(
    task: str,
    profile: str,
    model: str,
    dataset: str,
    methods: tuple[str, ...],
    *,
    n_items: int,
    seed: int = 0,
    random_seeds: int = 1,
    **settings: Any,
) -> Study:
    """Methods on one task by both soft metrics. `random_seeds`: seeds of each method that draws."""
    known = TASKS[task]
    return Study(
        known.study, profile, model, dataset, known.protocol, methods, SOFT, n_items=n_items, seed=seed,
        random_seeds=random_seeds, **known.settings | settings,
    )  # fmt: skip
