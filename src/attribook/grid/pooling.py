"""The worker of pools: many maps of one text, and each metric's value for every map and for means of the first ones."""

import time

import torch
from torch import Tensor

from attribook.attribution.candidates import candidate_maps
from attribook.attribution.registry import find_method
from attribook.grid.items import Unit
from attribook.grid.pools import FINEST, PoolStudy, stored_maps
from attribook.grid.rows import SCORES, Rows
from attribook.grid.seeds import generator
from attribook.grid.store import Row
from attribook.grid.work import Work
from attribook.metrics.registry import METRICS
from attribook.metrics.selection import judged


class Pooling(Work):
    """A pool is stored whole, and judged as it is stored."""

    rows: Rows[PoolStudy]

    def computed(self, unit: Unit, part: str) -> list[Row]:
        """The row of a pool, or the row of a metric's values of it."""
        return [self._pool_row(unit) if part == SCORES else self._judged_row(unit, part)]

    def recomputed(self, unit: Unit, part: str) -> list[Row]:
        """The same, to be compared; maps are not rounded."""
        if part != SCORES:
            return super().recomputed(unit, part)
        encoding = self.encoding(unit.prompt, unit.step)
        found = {"tokens": self.stored_tokens(encoding), "target": encoding.target_text}
        return [found | {"scores": self.maps(unit).flatten().tolist()}]

    def maps(self, unit: Unit) -> Tensor:
        """The pool `(R, T)`; a smaller one begins a larger one."""
        study, name, encoding = self.rows.study, unit.setting.method, self.encoding(unit.prompt, unit.step)
        chance = generator(study.name, unit.place, name, unit.seed)
        options, method = study.options(unit.setting), find_method(name)
        if unit.setting.facts.candidates:
            return candidate_maps(self.model, encoding, name, generator=chance, **options)
        if unit.setting.own_map:
            scores = method(self.model, encoding, **options).scores
            return shaken(scores, encoding.attributable, study.size, chance)
        runs = [method(self.model, encoding, generator=chance, **options) for _ in range(study.size)]
        return torch.stack([run.scores for run in runs])

    def _pool_row(self, unit: Unit) -> Row:
        encoding = self.encoding(unit.prompt, unit.step)
        before, start = self.model.engine.counter.copy(), time.perf_counter()
        maps = self.maps(unit)
        spent = self.model.engine.counter - before
        return {
            "item": unit.prompt.id,
            "method": unit.name,
            "version": unit.setting.facts.version,
            "options": self.rows.study.options(unit.setting),
            "seed": unit.seed,
            "tokens": self.stored_tokens(encoding),
            "target": encoding.target_text,
            "probability": round(encoding.probability, 6),
            "maps": [written_map(scores, encoding.template) for scores in maps],
            "forwards": spent.forwards,
            "backwards": spent.backwards,
            "seconds": round(time.perf_counter() - start, 3),
        }

    def _judged_row(self, unit: Unit, metric: str) -> Row:
        study, encoding = self.rows.study, self.encoding(unit.prompt, unit.step)
        maps = torch.tensor(stored_maps(self.rows.group(unit, SCORES)[0]))  # (R, T)
        both = torch.cat([maps, torch.stack([maps[:r].mean(0) for r in study.nested])])  # (R + N, T)
        before, start = self.model.engine.counter.copy(), time.perf_counter()
        values = judged(self.model, encoding, both, METRICS[metric], **study.metric_options(metric)).tolist()
        return self.named(unit) | {
            "metric": metric,
            "status": "ok",
            "forwards": (self.model.engine.counter - before).forwards,
            "seconds": round(time.perf_counter() - start, 3),
            "values": " ".join(f"{value:.6g}" for value in values[: study.size]),
            "means": " ".join(f"{value:.6g}" for value in values[study.size :]),
        }


def shaken(scores: Tensor, attributable: Tensor, size: int, chance: torch.Generator) -> Tensor:
    """The scores, and copies with normal noise of the deviation that scores of attributable tokens have `(R, T)`."""
    noise = torch.randn(size, len(scores), generator=chance, dtype=torch.float64)
    noise[0] = 0
    deviation = scores[attributable].std() if int(attributable.sum()) > 1 else torch.zeros(())
    return scores + deviation * noise


def written_map(scores: Tensor, template: Tensor) -> str:
    """A map as text: its largest magnitude, and every score as ten-thousandths of it, in whole numbers.

    Where the template has the largest and no token outside reaches half of it, five digits of every score are kept:
    whole numbers could round all of the user's words, which alone are judged, to 0.
    """
    largest = float(scores.abs().max())
    shares = scores / largest * FINEST if largest else scores
    whole = float(scores[~template].abs().max()) >= largest / 2
    return " ".join([f"{largest:.6g}", *(str(round(share)) if whole else f"{share:.5g}" for share in shares.tolist())])
