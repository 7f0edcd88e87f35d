"""Protocols: every option that moves a number, frozen and named. The book's protocol page prints this file's table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from attribook.attribution.rpi import RELEASED
from attribook.errors import AttribookError
from attribook.metrics.conventions import CONVENTIONS

Options = Mapping[str, Any]
SOFT = ("soft_nc", "soft_ns")


@dataclass(frozen=True)
class Protocol:
    """Options of a study: for the metrics, for the random baseline, and for each method that needs its own."""

    name: str
    about: str
    metric: Options  # of the soft metrics
    baseline: Options  # of the method `random`, by whose mean every method is divided
    methods: Mapping[str, Options]
    metrics: Mapping[str, Options] = field(default_factory=dict)  # of each other metric, by its name

    def method_options(self, method: str) -> dict[str, Any]:
        """Options of one method under this protocol."""
        return dict(self.baseline if method == "random" else self.methods.get(method, {}))

    def metric_options(self, metric: str) -> dict[str, Any]:
        """Options of one metric under this protocol."""
        return dict(self.metrics.get(metric, self.metric if metric in SOFT else {}))


SOFTMAXED = {"scaling": "softmax"}
LIKE_INSEQ = {"reduction": "l2", "output": "probability"}
INSEQ_PATH = {**LIKE_INSEQ, "baseline": "mask", "specials": "perturb"}  # BOS moves with the others
OURS = {"distance": "hellinger", "scores_as": "clip_sum", "draws": 8, "specials": "keep"}
RELEASED_METHODS: Mapping[str, Options] = {
    "attention_last": SOFTMAXED,
    "attention_mean": SOFTMAXED,
    "attention_rollout": SOFTMAXED,
    "input_x_gradient": LIKE_INSEQ,
    "integrated_gradients": {**INSEQ_PATH, "steps": 50, "rule": "gauss_legendre"},
    "gradient_shap": {**INSEQ_PATH, "samples": 5, "stdev": 0.0},
    "occlusion": {"operator": "mask", "output": "probability", "specials": "perturb"},
}

REAGENT_RELEASED = {  # the configuration of the released LongRA results
    "replacer": "part_of_speech", "ratio": 0.1, "keep_tokens": 8, "max_steps": 5000, "average": "stopped",
    "specials": "perturb",
}  # fmt: skip
REAGENT_WRITTEN = {
    "replacer": "masked_lm",
    "masked_lm": "FacebookAI/roberta-base",
    "max_steps": 1000,
    "initial": "scores",
}

# Noiser's gradients are Inseq's, its attention ReAGent's code; its baseline is all zeros. What its text leaves open is
# named here, too: L2 norms, as Inseq sums up gradients by default; noise vectors and steps of noiser.
NOISER_PATH = {**LIKE_INSEQ, "baseline": "zero"}
NOISER_METHODS: Mapping[str, Options] = {
    "attention_last": SOFTMAXED,
    "attention_rollout": SOFTMAXED,
    "input_x_gradient": LIKE_INSEQ,
    "integrated_gradients": {**NOISER_PATH, "steps": 20, "rule": "gauss_legendre"},
    "gradient_shap": {**NOISER_PATH, "samples": 5, "stdev": 0.0},
    "deeplift": NOISER_PATH,
    "sequential_integrated_gradients": {**NOISER_PATH, "steps": 10},
    "noiser": {"bound": "min", "vectors": 10, "steps": 10, "reuse": True, "unchanged": "mean"},
}

# RPI's competitors start from the mask token and take as many steps as RPI; which of their other options were used is
# not said. RPI's own as written are its defaults.
RPI_COMPETITORS: Mapping[str, Options] = {
    name: {"steps": 30, "baseline": "mask"} for name in ("integrated_gradients", "sequential_integrated_gradients")
}
RPI_RELEASED: Mapping[str, Options] = {**RPI_COMPETITORS, "rpi": RELEASED, "rpi_g": RELEASED}
# Operators of the five metrics: a decoder has no mask token, and the same audit with deleting and masking exchanged.
UNKNOWN = {"log_odds": "unk"}
EXCHANGED = {name: "delete" if name == "log_odds" else "mask" for name in CONVENTIONS["paper"]}


def operated(operators: Mapping[str, str]) -> dict[str, Options]:
    """The paper's options of the five metrics with other operators."""
    paper = CONVENTIONS["paper"]
    return {name: {**paper[name], **({"operator": operators[name]} if name in operators else {})} for name in paper}


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in [
        Protocol(
            name="reagent-code",
            about="ReAGent as released: squared distance, softmaxed attention, L2 gradients, all tokens maskable",
            metric={"distance": "hellinger_released", "scores_as": "abs_sum", "draws": 8, "specials": "mask"},
            baseline={"form": "softmax"},
            methods={**RELEASED_METHODS, "reagent": REAGENT_RELEASED},
        ),
        Protocol(
            name="reagent-paper",
            about="ReAGent as written: the true Hellinger distance, all else as released",
            metric={"distance": "hellinger", "scores_as": "abs_sum", "draws": 8, "specials": "mask"},
            baseline={"form": "softmax"},
            methods={**RELEASED_METHODS, "reagent": REAGENT_WRITTEN},
        ),
        Protocol(
            name="attribook",
            about="ours: the true distance, raw attention, signed gradients clipped at 0, special tokens kept",
            metric=OURS,
            baseline={"form": "softmax"},
            methods={},
            metrics=CONVENTIONS["paper"],
        ),
        Protocol(
            name="noiser-paper",
            about="Noiser as written: the true distance, Inseq's L2 gradients from zero, ReAGent's softmaxed attention",
            metric=OURS,
            baseline={"form": "softmax"},
            methods=NOISER_METHODS,
            metrics=CONVENTIONS["paper"],
        ),
        Protocol(
            name="rpi-paper",
            about="RPI as written: at least one token goes, averages over five shares; soft metrics as ours",
            metric=OURS,
            baseline={"form": "softmax"},
            methods=RPI_COMPETITORS,
            metrics=CONVENTIONS["paper"],
        ),
        Protocol(
            name="rpi-code",
            about="RPI as released: its own settings, no token may go, sums of five shares divided by 6",
            metric=OURS,
            baseline={"form": "softmax"},
            methods=RPI_RELEASED,
            metrics=CONVENTIONS["code"],
        ),
        Protocol(
            name="rpi-prompted",
            about="as rpi-paper for a decoder, which has no mask: log-odds puts the unknown token",
            metric=OURS,
            baseline={"form": "softmax"},
            methods=RPI_COMPETITORS,
            metrics=operated(UNKNOWN),
        ),
        Protocol(
            name="rpi-exchanged",
            about="as rpi-paper with the other operator: log-odds deletes, the other four metrics mask",
            metric=OURS,
            baseline={"form": "softmax"},
            methods=RPI_COMPETITORS,
            metrics=operated(EXCHANGED),
        ),
    ]
}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name; `name+option=value,option=value` has these options of its metrics changed.

    An option changes in every metric that has it. Raises: AttribookError with the known names.
    """
    known, _, changes = name.partition("+")
    if known not in PROTOCOLS:
        raise AttribookError(f"Unknown protocol {known!r}. Known: {', '.join(PROTOCOLS)}.")
    return changed(PROTOCOLS[known], changes) if changes else PROTOCOLS[known]


def changed(protocol: Protocol, changes: str) -> Protocol:
    """A protocol with some options of its metrics changed. Raises: AttribookError for what no metric of it has."""
    metric, metrics = dict(protocol.metric), {name: dict(options) for name, options in protocol.metrics.items()}
    for change in changes.split(","):
        option, _, value = change.partition("=")
        having = [options for options in (metric, *metrics.values()) if option in options]
        if not having or not value:
            known = dict.fromkeys(name for options in (metric, *metrics.values()) for name in options)
            raise AttribookError(f"No metric option to change in {change!r}. Known: {', '.join(known)}.")
        for options in having:
            options[option] = int(value) if value.isdigit() else value
    name = f"{protocol.name}+{changes}"
    return replace(protocol, name=name, about=f"{protocol.name} with {changes}", metric=metric, metrics=metrics)
