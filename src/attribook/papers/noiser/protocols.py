"""The protocols of Noiser: as its text is written, and as its code was released.

As written, its gradients are Inseq's, its attention ReAGent's code; its baseline is all zeros. What its text leaves
open is named here, too: L2 norms, as Inseq sums up gradients by default; noise vectors and steps of noiser.
As released, all scores are divided by their sum, and noise is not divided, which is what its quick start asks for; its
script divides it by a bound of the 2-norm.
"""

from attribook.grid.settings import Protocol
from attribook.metrics.conventions import CONVENTIONS, SOFT_RECOMMENDED

SOFTMAXED = {"scaling": "softmax"}
LIKE_INSEQ = {"reduction": "l2", "output": "probability"}
PATH = {**LIKE_INSEQ, "baseline": "zero"}
INSEQ_PATH = {**LIKE_INSEQ, "baseline": "mask", "specials": "perturb"}  # Inseq's defaults: BOS moves with the others

PROTOCOLS = (
    Protocol(
        name="noiser-paper",
        about="Noiser as written: the true distance, Inseq's L2 gradients from zero, ReAGent's softmaxed attention",
        metric=SOFT_RECOMMENDED,
        baseline={"form": "softmax"},
        methods={
            "attention_last": SOFTMAXED,
            "attention_rollout": SOFTMAXED,
            "input_x_gradient": LIKE_INSEQ,
            "integrated_gradients": {**PATH, "steps": 20, "rule": "gauss_legendre"},
            "gradient_shap": {**PATH, "samples": 5, "stdev": 0.0},
            "deeplift": PATH,
            "sequential_integrated_gradients": {**PATH, "steps": 10},
            "noiser": {"bound": "min", "vectors": 10, "steps": 10, "reuse": True, "unchanged": "mean"},
        },
        metrics=CONVENTIONS["paper"],
    ),
    Protocol(
        name="noiser-code",
        about="Noiser as released: scores divided by their sum, squared distance, fixed vectors, BOS noised and masked",
        metric={"distance": "hellinger_released", "scores_as": "sum", "draws": 8, "specials": "mask"},
        baseline={"form": "softmax"},
        methods={
            "attention_last": SOFTMAXED,
            "attention_rollout": SOFTMAXED,
            "input_x_gradient": LIKE_INSEQ,
            "integrated_gradients": {**INSEQ_PATH, "steps": 50, "rule": "gauss_legendre"},
            "gradient_shap": {**INSEQ_PATH, "samples": 5, "stdev": 0.0},
            "deeplift": INSEQ_PATH,
            "occlusion": {"operator": "mask", "output": "probability", "specials": "perturb"},
            "noiser": {"bound": "min", "vectors": 10, "steps": 10, "fixed": True, "threshold": "last",
                       "specials": "perturb"},
        },
        metrics=CONVENTIONS["paper"],
    ),
)  # fmt: skip
