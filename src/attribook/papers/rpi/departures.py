"""Where RPI's released code departs from its paper: each switched alone, from the paper's reading towards the code's.

Five departures change the maps, and each has a pool of its own, from the same noise. Two change only how maps are
judged: the divisor of the averages over shares is exact arithmetic, and whether k may be 0 is judged on the same
maps under the protocol `rpi-code`.
"""

from typing import NamedTuple

from attribook.attribution.names import find_facts
from attribook.grid.settings import setting
from attribook.papers.rpi.protocols import RELEASED

WRITTEN, ALL = "as written", "all as released"
OPTIONS = ("layers", "points", "timestep", "horizon", "noise", "noised", "factor", "output", "row")


class Change(NamedTuple):
    """What is changed, and the options of RPI that are."""

    about: str
    options: tuple[str, ...]

    def setting(self, *, steps: int, layer: str = "-3") -> str:
        """The setting of this change; every option is named, so that it is the same under every protocol.

        `layer` stands for the released code's, for networks that are not so deep.
        """
        written, released = find_facts("rpi").options, {**RELEASED, "layers": layer}
        options = {option: (released if option in self.options else written)[option] for option in OPTIONS}
        return setting("rpi", **options, steps=steps + (options["points"] == "both_ends"))


CHANGES = {
    WRITTEN: Change("the paper's reading", ()),
    "factor a": Change("the factor outside the sum is the attention a, not a - b", ("factor",)),
    "t = T": Change("the time step is always the last, not drawn", ("timestep",)),
    "noise without root": Change("noise is scaled by 1 - abar_t, not by its root", ("noise",)),
    "logit": Change("the gradient of the raw logit, not of the probability", ("output",)),
    "layer L-2": Change("the third layer from last, not the last", ("layers",)),
    ALL: Change("all of these and both ends of the path", OPTIONS),
}
DIVISOR, LEAST, JUDGED, EVERYTHING = "divisor 6", "k may be 0", "judged as released", "everything as released"
JUDGING = {
    DIVISOR: "sums over five shares of tokens are divided by 6, not by 5",
    LEAST: "of a short text no token may be deleted, and sufficiency is then 0; not at least one",
    JUDGED: "both of these",
    EVERYTHING: f"{ALL}, and judged as released",
}
