"""The protocol of Noiser, as its text is written.

Its gradients are Inseq's, its attention ReAGent's code; its baseline is all zeros. What its text leaves open is named
here, too: L2 norms, as Inseq sums up gradients by default; noise vectors and steps of noiser.
"""

from attribook.grid.settings import Protocol
from attribook.metrics.conventions import CONVENTIONS, SOFT_RECOMMENDED

SOFTMAXED = {"scaling": "softmax"}
LIKE_INSEQ = {"reduction": "l2", "output": "probability"}
PATH = {**LIKE_INSEQ, "baseline": "zero"}

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
)
