"""The worker of plain studies: a method's scores of a text, what a variant makes of them, and metrics of both."""

import torch

from attribook.attribution.base import Attribution
from attribook.attribution.registry import find_method
from attribook.grid.items import Unit
from attribook.grid.rows import SCORES, Rows
from attribook.grid.seeds import generator
from attribook.grid.store import Row
from attribook.grid.study import Study
from attribook.grid.variants import varied
from attribook.grid.work import Work, significant
from attribook.metrics.registry import METRICS


class Scoring(Work):
    """Scores are computed once for all metrics and variants, which take them as they are stored."""

    rows: Rows[Study]

    def computed(self, unit: Unit, part: str) -> list[Row]:
        """A score row, or a metric's rows of stored scores."""
        if part == SCORES:
            scored = self.rows.study.scored(unit)
            return [self._score_row(scored, self.attribution(scored))]
        return self._metric_rows(unit, part)

    def attribution(self, unit: Unit) -> Attribution:
        """What the unit's method finds."""
        setting, study = unit.setting, self.rows.study
        chance = generator(study.name, unit.place, setting.method, unit.seed)
        encoding = self.encoding(unit.prompt, unit.step)
        return find_method(setting.method)(self.model, encoding, generator=chance, **study.options(setting))

    def vector(self, unit: Unit) -> torch.Tensor:
        """The stored scores `(T,)`, as the unit's variant changes them."""
        scores = torch.tensor(self.rows.group(unit, SCORES)[0]["scores"], dtype=torch.float64)
        if not unit.setting.variant:
            return scores
        chance = generator("variant", unit.place, unit.name, unit.seed)
        return varied(scores, unit.setting.variant, self.encoding(unit.prompt, unit.step).attributable, chance)

    def _score_row(self, unit: Unit, found: Attribution) -> Row:
        cost, encoding = found.cost, self.encoding(unit.prompt, unit.step)
        return {
            "item": unit.prompt.id,
            **({"step": unit.step} if unit.step else {}),
            "method": unit.name,
            "version": found.version,
            "options": found.options,
            "seed": unit.seed,
            "tokens": self.stored_tokens(encoding),
            "spans": {name: mask.nonzero()[:, 0].tolist() for name, mask in encoding.spans.items()},
            "target": encoding.target_text,
            "probability": significant(encoding.probability),
            "scores": [significant(score) for score in found.scores.tolist()],
            "details": {name: significant(value) for name, value in found.details.items()},
            **({"converged": found.converged} if found.converged is not None else {}),
            "forwards": cost.forwards,
            "backwards": cost.backwards,
            "seconds": round(cost.seconds, 3),
        }

    def _metric_rows(self, unit: Unit, metric: str) -> list[Row]:
        # The masks are drawn alike for all methods, so that methods are compared on the same draws.
        chance = generator("masks", unit.place, metric, unit.seed)
        encoding, options = self.encoding(unit.prompt, unit.step), self.rows.study.metric_options(metric)
        result = METRICS[metric](self.model, encoding, self.vector(unit), generator=chance, **options)
        values: list[float | None] = [significant(value) for value in result.values.tolist()]
        values = values or [None]  # one row without a value, whose status says why
        fixed = self.named(unit) | {
            "step": unit.step, "metric": metric, "status": result.status, "forwards": result.forwards // len(values),
            "backwards": 0, "seconds": round(result.seconds / len(values), 4),
        }  # fmt: skip
        return [{**fixed, "draw": draw, "value": value} for draw, value in enumerate(values)]
