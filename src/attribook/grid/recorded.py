"""The worker that runs ReAGent once for all settings of a study that one recording serves; forwards are on the first.

Scores are stored under the same keys as those of one run for each setting, which they equal.
"""

from attribook.attribution.base import Attribution, Cost
from attribook.attribution.names import Options
from attribook.attribution.reagent_recording import READ_OFF, Recording, record
from attribook.grid.items import Unit
from attribook.grid.rows import Rows
from attribook.grid.scoring import Scoring
from attribook.grid.seeds import generator
from attribook.grid.study import Study

METHOD = "reagent"


class RecordedRuns(Scoring):
    """ReAGent runs once for all settings of a study that can be read off its runs; other methods run as ever."""

    def __init__(self, rows: Rows[Study]) -> None:
        super().__init__(rows)
        self._recordings: dict[tuple[str, int, str], Recording] = {}

    def attribution(self, unit: Unit) -> Attribution:
        """What the unit's method finds."""
        if unit.setting.method != METHOD:
            return super().attribution(unit)
        options = self.rows.study.options(unit.setting)
        alike = self._alike(options)
        key = unit.place, unit.seed, str(alike)
        cost = Cost(0, 0, 0, 0.0)
        if key not in self._recordings:
            chance = generator(self.rows.study.name, unit.place, METHOD, unit.seed)
            self._recordings[key] = record(self.model, self.encoding(unit.prompt, unit.step), alike, chance)
            cost = self._recordings[key].cost
        return self._recordings[key].attribution(options, unit.setting.facts.version, cost)

    def _alike(self, options: Options) -> list[Options]:
        """All settings of the study that one recording serves with this one."""
        plain = dict.fromkeys(setting.plain for setting in self.rows.study.settings)
        every = [self.rows.study.options(setting) for setting in plain if setting.method == METHOD]
        rest = [each for each in every if all(each[o] == options[o] for o in options if o not in READ_OFF)]
        tests = [each["top_k"] for each in rest if each["top_k"]]
        top_k = options["top_k"] or (tests[0] if tests else 0)
        # Runs without a test belong to the first test that the study names.
        return [each for each in rest if each["top_k"] == top_k or (not each["top_k"] and top_k == tests[0])]
