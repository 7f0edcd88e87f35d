"""The protocols of RPI: as written, as released, for a prompted decoder, and with the metrics' operators exchanged.

Competitors start from the mask token and take as many steps as RPI; which of their other options were used is not said.
RPI's own options as written are our defaults.
"""

from collections.abc import Mapping
from typing import Any

from attribook.grid.settings import Protocol
from attribook.metrics.conventions import CONVENTIONS, SOFT_RECOMMENDED

Options = Mapping[str, Mapping[str, Any]]
RELEASED: Mapping[str, Any] = {  # of the method, in its released code: attribution/rpi.py explains each
    "layers": "-3", "trials": 24, "steps": 31, "points": "both_ends", "timestep": "500", "horizon": 500,
    "noise": "variance", "noised": "text", "factor": "attention", "output": "logit", "row": "reads",
}  # fmt: skip
COMPETITORS: Options = {
    name: {"steps": 30, "baseline": "mask"} for name in ("integrated_gradients", "sequential_integrated_gradients")
}
WRITTEN = CONVENTIONS["paper"]


def protocol(name: str, about: str, metrics: Options, methods: Options = COMPETITORS) -> Protocol:
    """A protocol of RPI, with soft metrics as ours."""
    return Protocol(name, about, SOFT_RECOMMENDED, {"form": "softmax"}, methods, metrics)


def operated(**operators: str) -> Options:
    """The written options of the five metrics with other operators."""
    return {name: {**WRITTEN[name], "operator": operators.get(name, WRITTEN[name]["operator"])} for name in WRITTEN}


PROTOCOLS = (
    protocol(
        "rpi-paper", "RPI as written: at least one token goes, averages over five shares; soft metrics as ours", WRITTEN
    ),
    protocol(
        "rpi-code",
        "RPI as released: its own settings, no token may go, sums of five shares divided by 6",
        CONVENTIONS["code"],
        {**COMPETITORS, "rpi": RELEASED, "rpi_g": RELEASED},
    ),
    protocol(
        "rpi-prompted",
        "as rpi-paper for a decoder, which has no mask: log-odds puts the unknown token",
        operated(log_odds="unk"),
    ),
    protocol(
        "rpi-exchanged",
        "as rpi-paper with the other operator: log-odds deletes, the other four metrics mask",
        operated(**{name: "delete" if name == "log_odds" else "mask" for name in WRITTEN}),
    ),
)
