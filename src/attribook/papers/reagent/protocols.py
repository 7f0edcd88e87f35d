"""The protocols of ReAGent: as its code was released, and as its text is written."""

from collections.abc import Mapping
from typing import Any

from attribook.grid.settings import Protocol

SOFTMAXED = {"scaling": "softmax"}
LIKE_INSEQ = {"reduction": "l2", "output": "probability"}
INSEQ_PATH = {**LIKE_INSEQ, "baseline": "mask", "specials": "perturb"}  # BOS moves with the others
METHODS: Mapping[str, Mapping[str, Any]] = {
    "attention_last": SOFTMAXED,
    "attention_mean": SOFTMAXED,
    "attention_rollout": SOFTMAXED,
    "input_x_gradient": LIKE_INSEQ,
    "integrated_gradients": {**INSEQ_PATH, "steps": 50, "rule": "gauss_legendre"},
    "gradient_shap": {**INSEQ_PATH, "samples": 5, "stdev": 0.0},
    "occlusion": {"operator": "mask", "output": "probability", "specials": "perturb"},
}

RELEASED = {  # the configuration of the released LongRA results
    "replacer": "part_of_speech", "ratio": 0.1, "keep_tokens": 8, "max_steps": 5000, "average": "stopped",
    "specials": "perturb",
}  # fmt: skip
WRITTEN = {"replacer": "masked_lm", "masked_lm": "FacebookAI/roberta-base", "max_steps": 1000, "initial": "scores"}
SOFT = {"scores_as": "abs_sum", "draws": 8, "specials": "mask"}

PROTOCOLS = (
    Protocol(
        name="reagent-code",
        about="ReAGent as released: squared distance, softmaxed attention, L2 gradients, all tokens maskable",
        metric={"distance": "hellinger_released", **SOFT},
        baseline={"form": "softmax"},
        methods={**METHODS, "reagent": RELEASED},
    ),
    Protocol(
        name="reagent-paper",
        about="ReAGent as written: the true Hellinger distance, all else as released",
        metric={"distance": "hellinger", **SOFT},
        baseline={"form": "softmax"},
        methods={**METHODS, "reagent": WRITTEN},
    ),
)
