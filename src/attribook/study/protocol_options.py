"""What each option of a protocol does alone: the studies that measure it, and a table of their moves."""

from attribook.study.study import Study

NAME = "protocol_options"
SOFT, ERASED = ("soft_nc", "soft_ns"), (
    "sufficiency", "comprehensiveness", "log_odds", "aopc_sufficiency", "aopc_comprehensiveness",
)  # fmt: skip
# Settings of methods in which the protocols of ReAGent differ from ours, each against the plain method.
CHANGED = (
    "random{form=uniform}",
    "occlusion{operator=mask}",
    "input_x_gradient{reduction=l2}",
    "attention_last{scaling=softmax}",
    "attention_mean{scaling=softmax}",
    "attention_rollout{scaling=softmax}",
    "integrated_gradients{reduction=l2}",
    "integrated_gradients{baseline=mask}",
    "integrated_gradients{steps=50}",
)
PLAIN = ("random", "occlusion", "input_x_gradient", "attention_last", "attention_mean", "attention_rollout",
         "integrated_gradients")  # fmt: skip
SIGNED = ("random", "occlusion", "input_x_gradient", "integrated_gradients")
SHAP = ("gradient_shap", "gradient_shap{samples=5}", "gradient_shap{reduction=l2}", "gradient_shap{baseline=mask}")
# Options of RPI in which its released code differs from its text.
RPI_CHANGED = (
    "steps=31", "layers=-3", "points=both_ends", "timestep=500", "noise=variance", "noised=text", "factor=attention",
    "output=logit",
)  # fmt: skip
ERASURE_CHANGES = (
    "least=0", "divisor=bins_plus_one", "rounding=ceil", "operator=mask", "specials=perturb", "explained=target",
    "least=0,empty=zero",
)  # fmt: skip


def soft_studies(profile: str, model: str, dataset: str, n_items: int, keep: str = "correct_both") -> list[Study]:
    """Studies of the soft metrics: methods with one option changed, then the metrics' own options."""

    def study(protocol: str, methods: tuple[str, ...]) -> Study:
        return Study(NAME, profile, model, dataset, protocol, methods, SOFT, n_items=n_items, keep=keep)

    return [
        study("attribook", (*PLAIN, *CHANGED)),
        study("attribook+scores_as=abs_sum", SIGNED),
        study("attribook+specials=mask", ("random", "occlusion")),
        study("attribook", SHAP),
    ]


def erasure_studies(profile: str, model: str, dataset: str, n_items: int) -> list[Study]:
    """Studies of the metrics that erase tokens: the metrics' options."""
    methods = ("occlusion", "integrated_gradients")
    return [
        Study(NAME, profile, model, dataset, protocol, methods, ERASED, n_items=n_items, keep="all")
        for protocol in ("rpi-paper", *(f"rpi-paper+{change}" for change in ERASURE_CHANGES))
    ]


def rpi_study(profile: str, model: str, dataset: str, n_items: int, trials: int = 2) -> Study:
    """RPI with one of the released options at a time."""
    names = [f"rpi{{trials={trials}}}", *(f"rpi{{trials={trials},{change}}}" for change in RPI_CHANGED)]
    return Study(NAME, profile, model, dataset, "rpi-paper", tuple(names), ERASED, n_items=n_items, keep="all")
