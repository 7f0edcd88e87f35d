"""Many settings of ReAGent read off one recording of its runs.

A run is the same whatever runs beside it, and its first steps are the same however many follow. So settings that
differ in `max_steps`, `runs`, `average`, or in having no stopping test (`top_k` 0), need the runs of the largest only.
Their scores are those that the method itself gives, and are stored under the same keys.
"""

import time
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from attribook.attribution.base import Attribution, Cost, Options
from attribook.attribution.reagent import Settings, Step, averaged, reagent_steps
from attribook.attribution.replacers.registry import make_replacer
from attribook.grid.seeds import generator
from attribook.grid.settings import read_setting
from attribook.grid.study import Study, Unit
from attribook.grid.variants import parted
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


@dataclass(frozen=True)
class ReagentStudy(Study):
    """A study that runs ReAGent once for all settings that can be read off it. Forwards are on the first of them."""

    def _attribution(self, encoding: Encoding, unit: Unit) -> Attribution:
        method, _ = read_setting(unit.name)
        if method.name != "reagent":
            return super()._attribution(encoding, unit)
        options = self._options(unit.name)
        alike = self._alike(options)
        key = unit.place, unit.seed, str(alike)
        cost = Cost(0, 0, 0, 0.0)
        if key not in self._recordings:
            chance = generator(self.name, unit.place, method.name, unit.seed)
            self._recordings[key] = record(self.explained, encoding, alike, chance)
            cost = self._recordings[key].cost
        return self._recordings[key].attribution(options, method.version, cost)

    @cached_property
    def _recordings(self) -> dict[tuple[str, int, str], Recording]:
        return {}

    def _alike(self, options: Options) -> list[Options]:
        """All settings of the study that one recording serves with this one."""
        named = [parted(name)[0] for name in self.methods]
        every = [self._options(name) for name in dict.fromkeys(named) if read_setting(name)[0].name == "reagent"]
        rest = [each for each in every if all(each[o] == options[o] for o in options if o not in READ_OFF)]
        tests = [each["top_k"] for each in rest if each["top_k"]]
        top_k = options["top_k"] or (tests[0] if tests else 0)
        # Runs without a test belong to the first test that the study names.
        return [each for each in rest if each["top_k"] == top_k or (not each["top_k"] and top_k == tests[0])]


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
