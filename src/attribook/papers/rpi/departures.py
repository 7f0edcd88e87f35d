"""Where RPI's released code departs from its paper: each switched alone, from the paper's reading towards the code's.

Five departures change the maps, and each has a pool of its own, from the same noise. Two change only how maps are
judged: the divisor of the averages over shares is exact arithmetic, and whether k may be 0 is judged on the same
maps under the protocol `rpi-code`.
"""

from collections.abc import Mapping

from attribook.attribution.names import find_facts
from attribook.papers.rpi.settings import RELEASED

WRITTEN, ALL = "as written", "all as released"
OPTIONS = ("layers", "points", "timestep", "horizon", "noise", "noised", "factor", "output", "row")
CHANGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    WRITTEN: ("the paper's reading", ()),
    "factor a": ("the factor outside the sum is the attention a, not a - b", ("factor",)),
    "t = T": ("the time step is always the last, not drawn", ("timestep",)),
    "noise without root": ("noise is scaled by 1 - abar_t, not by its root", ("noise",)),
    "logit": ("the gradient of the raw logit, not of the probability", ("output",)),
    "layer L-2": ("the third layer from last, not the last", ("layers",)),
    ALL: ("all of these and both ends of the path", OPTIONS),
}  # a name, what it is, and the options that it changes
DIVISOR, LEAST, JUDGED, EVERYTHING = "divisor 6", "k may be 0", "judged as released", "everything as released"
JUDGING = {
    DIVISOR: "sums over five shares of tokens are divided by 6, not by 5",
    LEAST: "of a short text no token may be deleted, and sufficiency is then 0; not at least one",
    JUDGED: "both of these",
    EVERYTHING: f"{ALL}, and judged as released",
}


def departed(name: str, *, steps: int, layer: str = "-3") -> str:
    """The setting of one change; every option is named, so that it is the same under every protocol.

    `layer` stands for the released code's, for networks that are not so deep.
    """
    written = find_facts("rpi").options
    parts = (part.partition("=") for part in RELEASED.split(","))
    released = {**written, "layers": layer} | {name: value for name, _, value in parts}
    options = dict(written)
    for option in CHANGES[name][1]:
        options[option] = released[option]
    named = {option: options[option] for option in OPTIONS}
    named["steps"] = steps + (options["points"] == "both_ends")
    return f"rpi{{{','.join(f'{option}={value}' for option, value in named.items())}}}"
