"""One recording of ReAGent's runs, off which the scores of many of its settings are read.

A run is the same whatever runs beside it, and its first steps are the same however many follow. So settings that
differ in `max_steps`, `runs`, `average`, or in having no stopping test (`top_k` 0), need the runs of the largest only.
Their scores are those that the method itself gives.
"""

import time
from dataclasses import dataclass, replace

import torch

from attribook.attribution.base import Attribution, Cost
from attribook.attribution.names import Options
from attribook.attribution.reagent import Settings, Step, averaged, reagent_steps
from attribook.attribution.replacers.registry import make_replacer
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

READ_OFF = ("max_steps", "runs", "average", "top_k")


@dataclass(frozen=True)
class Recording:
    """All runs after some numbers of steps: as they went on, and as they were when they stopped; what that cost."""

    going: dict[int, Step]
    stopping: dict[int, Step]
    replacer_forwards: int
    cost: Cost

    def attribution(self, options: Options, version: int, cost: Cost) -> Attribution:
        """What `reagent` gives with these options."""
        tested, runs = options["top_k"] > 0, options["runs"]
        whole = (self.stopping if tested else self.going)[options["max_steps"]]
        steps = whole.steps[:runs]
        step = Step(whole.scores[:runs], whole.stopped[:runs], steps, int(steps.sum()))
        scores, details = averaged(step, options["average"])
        details["replacer_forwards"] = self.replacer_forwards
        converged = bool(step.stopped.all()) if tested else None
        return Attribution(scores, "reagent", version, options, cost, converged, details)


def record(model: Explained, encoding: Encoding, alike: list[Options], chance: torch.Generator) -> Recording:
    """Run the longest and largest of some settings, and keep the runs where one of them ends."""
    wanted = {name: max(each[name] for each in alike) for name in ("max_steps", "runs", "top_k")}
    options = {**alike[0], **wanted}
    settings = Settings(**{name: options[name] for name in Settings.__dataclass_fields__})
    ends = {each["max_steps"] for each in alike}
    before, start = model.engine.counter.copy(), time.perf_counter()
    places = encoding.movable(options["specials"])
    ways = {name: options[name] for name in ("pick", "original", "candidates", "masked_lm")}
    source = make_replacer(options["replacer"], model, encoding, places, **ways)
    freeze = all(each["top_k"] for each in alike)
    stopping: dict[int, Step] = {}
    going: dict[int, Step] = {}  # filled where no run is frozen; nothing reads it elsewhere
    held = torch.zeros(settings.runs, len(encoding), dtype=torch.float64)
    open_ = torch.ones(settings.runs, dtype=torch.bool)
    steps = reagent_steps(model, encoding, places, source, settings, chance, freeze=freeze)
    for done, step in enumerate(steps, start=1):
        held[open_], open_ = step.scores[open_], ~step.stopped
        if done in ends:
            stopping[done] = replace(step, scores=held.clone())
            going[done] = replace(step, stopped=torch.zeros_like(open_), steps=torch.full_like(step.steps, done))
    for end in ends - set(stopping):  # all runs had stopped before
        stopping[end] = replace(step, scores=held.clone())
    spent = model.engine.counter - before
    cost = Cost(spent.forwards, spent.backwards, spent.tokens, time.perf_counter() - start)
    return Recording(going, stopping, source.forwards, cost)
