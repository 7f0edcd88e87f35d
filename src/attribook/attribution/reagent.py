"""ReAGent: replace random tokens again and again, and credit what was replaced with what the target lost.

Zhao and Shan 2024, equations 3 to 9 and algorithm 1. Several runs, each with its own random stream, step together:
one batch for the replaced prompts, one for the stopping test; a run that has stopped leaves the batch. What a step
replaces does not depend on the scores, so several steps are run in one batch, and those after the stop are dropped:
batches are full without a second prompt, which would have another length and share no prefix. What is dropped is the
difference of `steps_run` and `steps_total`, always less than half of `steps_run`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.replacers.pools import Replacer
from attribook.attribution.replacers.registry import make_replacer
from attribook.errors import AttribookError
from attribook.models.edits import Replace
from attribook.models.encoding import Encoding
from attribook.models.engine import default_budget
from attribook.models.explained import Explained, Read

LARGEST_DROP = 1 - 1e-7  # its logit is 17; float32 probabilities are no finer than this
AHEAD = 0.5  # share of an engine's default batch that steps fill: with less, reading weights costs more than computing


@method(version=1, forwards="(1 + min(top_k, 1)) * steps_run + replacer_forwards", random=True)
def reagent(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    replacer: str = "left_to_right",
    pick: str = "sample",
    original: str = "allowed",
    candidates: int = 8,
    masked_lm: str = "",
    ratio: float = 0.3,
    keep_share: float = 0.3,
    keep_tokens: int = 0,
    top_k: int = 3,
    max_steps: int = 100,
    runs: int = 5,
    initial: str = "logits",
    update: str = "logit",
    average: str = "all",
    specials: str = "keep",
) -> tuple[Tensor, dict[str, float], bool | None]:
    r"""How much the target loses, over many random replacements, when a token is among the replaced ones. Replacements
    are plausible tokens, so the model is asked about texts that it knows, and no gradient is needed. A run ends when
    the best tokens alone bring the target back; the longer it lasts, the sharper its scores.

    Formula: l_i <- l_i + logit((1 + d_i) / 2), d_i = p(x) - p(x') for replaced tokens and p(x') - p(x) for the
        others (`update` `linear`: l_i + d_i), p the target's probability, x' the prompt in which each token is
        replaced with probability `ratio`; a = softmax(l), averaged over `runs`. At first l_i ~ U[0, 1) (`initial`
        `logits`), softmax(l) is proportional to U[0, 1) (`scores`), or l_i = 0 (`zero`). A run stops when the
        target is among the min(`top_k`, V - 1) most probable of V although all but the highest-scored tokens,
        `keep_tokens` or, if 0, ceil(`keep_share` n) of n, are replaced; at the latest after `max_steps`. With `top_k`
        0 there is no such test, and every run has `max_steps`. `average`: over `all` runs, or the `stopped` ones if
        there are any. `replacer`, `pick`, `original`, `candidates`, `masked_lm`: see `attribution/replacers`.
    Shapes:  (T,); 0 at special tokens unless `specials` is `perturb`. Details: `runs_stopped`, `steps_total`,
        `steps_run` (with those after the stop), `steps_mean`, `steps_max` (over runs), `replacer_forwards`.
    Range:   0 to 1, adding up to 1; higher is more important. Nearly one-hot after many steps, whatever the ranking.
        A prompt of no more tokens than are kept stops at the first step where its target is among the top k.
    Raises:  AttribookError for unknown names, numbers out of range, a replacer that does not fit the model.
    Source:  Zhao and Shan 2024, equations 3-9, algorithm 1. Released code: casszhao/ReAGent.
    Differs: The paper replaces by RoBERTa, keeps 30% and starts from random scores; every committed configuration of
        the released code replaces by tokens of the same part of speech, it keeps a number of tokens (8 for LongRA) and
        starts from random logits. It averages the runs that stopped and gives NaN if none did, which then counted as
        a perfect Soft-NC; ours averages all runs and says that it did not converge. It replaces special tokens too
        (`specials=perturb`). A drop of 1 or -1 has no finite logit (NaN there); ours is bounded at 1 - 1e-7.
    """
    if average not in ("all", "stopped"):
        raise AttribookError(f"Unknown average {average!r} of reagent. Choose all or stopped.")
    settings = Settings(ratio, keep_share, keep_tokens, top_k, max_steps, runs, initial, update)
    places = encoding.movable(specials)
    source = make_replacer(
        replacer, model, encoding, places, pick=pick, original=original, candidates=candidates, masked_lm=masked_lm
    )
    *_, last = reagent_steps(model, encoding, places, source, settings, generator)
    scores, details = averaged(last, average)
    converged = bool(last.stopped.all()) if top_k else None
    return scores, {**details, "replacer_forwards": source.forwards}, converged


@dataclass(frozen=True)
class Settings:
    """The options of `reagent` that say how a run goes."""

    ratio: float
    keep_share: float
    keep_tokens: int
    top_k: int
    max_steps: int
    runs: int
    initial: str
    update: str

    def __post_init__(self) -> None:
        if not 0 < self.ratio < 1 or not 0 < self.keep_share <= 1:
            raise AttribookError(
                f"reagent needs a ratio between 0 and 1 and a keep_share above 0 and at most 1, not {self.ratio} and "
                f"{self.keep_share}."
            )
        if min(self.keep_tokens, self.top_k) < 0 or min(self.max_steps, self.runs) < 1:
            raise AttribookError("reagent needs keep_tokens and top_k of at least 0, max_steps and runs of at least 1.")
        if self.initial not in ("logits", "scores", "zero"):
            raise AttribookError(f"Unknown initial {self.initial!r} of reagent. Choose logits, scores or zero.")
        if self.update not in ("logit", "linear"):
            raise AttribookError(f"Unknown update {self.update!r} of reagent. Choose logit or linear.")


@dataclass(frozen=True)
class Step:
    """All R runs after a step: scores `(R, T)`, which have stopped `(R,)`, how many steps each took `(R,)`.

    `run` counts the steps of all runs that have been computed, those after a stop included.
    """

    scores: Tensor
    stopped: Tensor
    steps: Tensor
    run: int


def reagent_steps(
    model: Explained,
    encoding: Encoding,
    places: Tensor,
    replacer: Replacer,
    settings: Settings,
    generator: Generator,
    *,
    freeze: bool = True,
) -> Iterator[Step]:
    """The runs after every step, until all have stopped or had `max_steps`; `places` `(T,)` are replaced and scored.

    Without `freeze` the scores of a run that has stopped go on moving, to `max_steps`, while `stopped` and `steps` stay
    what they were. Each run has a generator of its own, whose seed is drawn first, and draws 3T numbers a step: for
    what is replaced, by what, and by what in the stopping test. So a run is the same whatever runs beside it.
    """
    kept = settings.keep_tokens or math.ceil(settings.keep_share * int(places.sum()) - 1e-9)  # 0.28 * 25 is above 7
    chances = streams(settings.runs, generator)
    logits = torch.stack([first_logits(len(encoding), settings.initial, chance) for chance in chances])  # (R, T)
    logits.masked_fill_(~places, -torch.inf)
    stopped, steps = torch.zeros(settings.runs, dtype=torch.bool), torch.zeros(settings.runs, dtype=torch.long)
    probability, run, done = model.output(encoding), 0, 0
    filled = int(AHEAD * default_budget(model.network.device))  # whatever the budget: it moves `steps_run`
    while done < settings.max_steps and not (freeze and bool(stopped.all())):
        going = (~stopped | (not freeze)).nonzero()[:, 0]  # (b,)
        ahead = min(max(1, filled // (len(going) * len(encoding))), done + 1, settings.max_steps - done)
        u = torch.stack([draws(ahead, len(encoding), chances[each]) for each in going.tolist()])  # (b, S, 3, T)
        chosen = (u[:, :, 0] < settings.ratio) & places  # (b, S, T)
        drop = probability - model.outputs(encoding, replaced(replacer, chosen, u[:, :, 1])).view(len(going), ahead)
        path = torch.cat([logits[going, None], increments(drop, chosen, settings.update)], dim=1)
        path = path.cumsum(1)[:, 1:]  # (b, S, T)
        stops, tested = torch.zeros(len(going), ahead, dtype=torch.bool), ~stopped[going]
        if settings.top_k and bool(tested.any()):
            rest = replaced(replacer, places & ~highest(path[tested], kept), u[tested, :, 2])
            stops[tested] = model.read(encoding, rest, among_top(encoding.target, settings.top_k)).view(-1, ahead)
        run += stops.numel()
        for step in range(ahead):
            still = ~stopped[going]
            moving = still | (not freeze)
            logits[going[moving]] = path[moving, step]
            steps[going[still]] += 1
            stopped[going[still]] = stops[still, step]
            yield Step(logits.softmax(-1), stopped.clone(), steps.clone(), run)
            if freeze and bool(stopped.all()):
                return
        done += ahead


def averaged(step: Step, average: str) -> tuple[Tensor, dict[str, float]]:
    """Scores `(T,)` of all runs or of the stopped ones, and what is told about the runs."""
    counted = step.stopped if average == "stopped" and bool(step.stopped.any()) else torch.ones_like(step.stopped)
    details = {
        "runs_stopped": int(step.stopped.sum()),
        "steps_total": int(step.steps.sum()),
        "steps_run": step.run,
        "steps_mean": float(step.steps.double().mean()),
        "steps_max": int(step.steps.max()),
    }
    return step.scores[counted].mean(0), details


def replaced(replacer: Replacer, chosen: Tensor, u: Tensor) -> Replace:
    """The prompts of all steps `(b S, T)`, for what is chosen and the numbers `(b, S, T)`."""
    return Replace(replacer(chosen.flatten(0, 1), u.flatten(0, 1)))


def streams(runs: int, generator: Generator) -> list[Generator]:
    """One generator a run; run r is the same however many runs follow it."""
    seeds = torch.randint(2**62, (runs,), generator=generator)
    return [Generator().manual_seed(int(seed)) for seed in seeds]


def draws(steps: int, tokens: int, generator: Generator) -> Tensor:
    """Uniform numbers `(S, 3, T)`; drawn step by step, so that they are the same however many steps go together."""
    return torch.stack([torch.rand(3, tokens, generator=generator, dtype=torch.float64) for _ in range(steps)])


def first_logits(tokens: int, initial: str, generator: Generator) -> Tensor:
    """Logits `(T,)` before the first step. One draw a token is made in any case."""
    u = torch.rand(tokens, generator=generator, dtype=torch.float64)
    return {"logits": u, "scores": u.log(), "zero": torch.zeros_like(u)}[initial]


def increments(drop: Tensor, chosen: Tensor, update: str) -> Tensor:
    """What the steps add to the logits `(b, S, T)`: equations 7 and 8."""
    signed = torch.where(chosen, drop[..., None], -drop[..., None])  # (b, S, T)
    return signed if update == "linear" else torch.logit((1 + signed.clamp(-LARGEST_DROP, LARGEST_DROP)) / 2)


def highest(logits: Tensor, kept: int) -> Tensor:
    """The `kept` highest of each row, as a mask `(..., T)`; of equal ones the first."""
    ranks = logits.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    return ranks < kept


def among_top(target: int, top_k: int) -> Read:
    """Reader: whether the target is among the k largest logits, k below their number so that the test can fail."""
    return lambda logits: (logits > logits[:, [target]]).sum(-1) < min(top_k, logits.shape[-1] - 1)
