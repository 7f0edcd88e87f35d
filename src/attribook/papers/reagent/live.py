"""ReAGent step by step on one prompt: what was replaced, what the target lost, what the stopping test saw.

`reagent_steps` tells the scores after every step. The prompts behind them are remembered by a recorder around the
replacer, and the model's answers to them are asked for again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor

from attribook.attribution.reagent import Settings, among_top, first_logits, increments, reagent_steps, streams
from attribook.attribution.registry import METHODS
from attribook.attribution.replacers.pools import Replacer
from attribook.attribution.replacers.registry import make_replacer
from attribook.errors import AttribookError
from attribook.grid.seeds import generator
from attribook.models.causal import CausalLM
from attribook.models.edits import Replace
from attribook.models.encoding import Encoding
from attribook.models.load import load_model
from attribook.papers.reagent.top import jaccard, top_set
from attribook.statistics.accuracy import wilson


@dataclass
class Recorder:
    """A replacer that remembers which tokens it was asked to replace, and the prompts that it gave."""

    replacer: Replacer
    chosen: list[Tensor] = field(default_factory=list)
    prompts: list[Tensor] = field(default_factory=list)
    forwards: int = 0

    def __call__(self, chosen: Tensor, u: Tensor) -> Tensor:
        """See `Replacer`."""
        ids = self.replacer(chosen, u)
        self.chosen.append(chosen)
        self.prompts.append(ids)
        self.forwards = self.replacer.forwards
        return ids


@dataclass(frozen=True, eq=False)
class Walk:
    """One run of S steps on a prompt of T tokens."""

    model: CausalLM
    encoding: Encoding
    options: dict[str, object]
    replacer: Replacer
    places: Tensor  # (T,) bool; tokens that are replaced and scored
    first: Tensor  # (T,) scores before the first step
    scores: Tensor  # (S, T) after each step
    stopped: Tensor  # (S,) bool
    chosen: Tensor  # (S, T) bool; which tokens a step replaced
    tried: Tensor  # (S, T) ids of the prompt in which they were
    after: Tensor  # (S,) the target's probability in it
    kept: Tensor  # (S, T) bool; which tokens the stopping test left
    tested: Tensor  # (S, T) ids of its prompt
    best: Tensor  # (S, K) its K most probable next tokens
    best_p: Tensor  # (S, K) their probabilities
    rank: Tensor  # (S,) the target's rank there, from 1

    def __len__(self) -> int:
        return len(self.scores)

    def text(self, ids: Tensor) -> list[str]:
        """Text of each token of a prompt with replacements `(T,)`, leading spaces included."""
        own = zip(ids.tolist(), self.encoding.ids.tolist(), self.encoding.tokens, strict=True)
        return [
            token if new == old else self.model.continuation(ids[:place], new)
            for place, (new, old, token) in enumerate(own)
        ]

    def until(self, *steps: int) -> list[int]:
        """Those of the steps that the run had, and its last."""
        return sorted({*(step for step in steps if step < len(self)), len(self)})


def prepared(
    model: str, prompt: str, options: dict[str, object]
) -> tuple[CausalLM, Encoding, dict[str, object], Tensor, Recorder, Settings]:
    """What a run needs, from a model's name, a prompt, and the options of `reagent`."""
    explained = load_model(model)
    if not isinstance(explained, CausalLM):
        raise AttribookError(f"{model} is not a causal language model; this walk is through a next-token prediction.")
    encoding, every = explained.encode(prompt), METHODS["reagent"].resolve(options)
    places = encoding.movable(every["specials"])
    ways = {name: every[name] for name in ("pick", "original", "candidates", "masked_lm")}
    source = Recorder(make_replacer(every["replacer"], explained, encoding, places, **ways))
    settings = Settings(**{name: every[name] for name in Settings.__dataclass_fields__})
    return explained, encoding, every, places, source, settings


def walk_generator(seed: int) -> Generator:
    """The randomness of the walk and of its runs: the same, so that the walked run is the first of them."""
    return generator("walk", "reagent", seed)


def walk_reagent(model: str, prompt: str, *, seed: int = 0, **options: object) -> Walk:
    """One run with everything it did. Raises: AttribookError for a model that is not a `CausalLM`, wrong options."""
    explained, encoding, every, places, source, settings = prepared(model, prompt, {**options, "runs": 1})
    steps = list(reagent_steps(explained, encoding, places, source, settings, walk_generator(seed)))
    # A batch of steps is replaced at once, then its tests; those after the stop are dropped, here as there.
    chosen, left = (torch.cat(source.chosen[turn::2])[: len(steps)] for turn in (0, 1))  # (S, T)
    tried, tested = (torch.cat(source.prompts[turn::2])[: len(steps)] for turn in (0, 1))  # (S, T)
    (stream,) = streams(1, walk_generator(seed))
    first = first_logits(len(encoding), settings.initial, stream).masked_fill(~places, -torch.inf)
    answers = explained.distributions(encoding, Replace(tested))  # (S, V)
    best = answers.topk(min(settings.top_k, answers.shape[1]))
    return Walk(
        explained, encoding, every, source.replacer, places, first.softmax(0),
        scores=torch.stack([step.scores[0] for step in steps]),
        stopped=torch.stack([step.stopped[0] for step in steps]),
        chosen=chosen, tried=tried, after=explained.outputs(encoding, Replace(tried)),
        kept=places & ~left, tested=tested, best=best.indices, best_p=best.values,
        rank=(answers > answers[:, [encoding.target]]).sum(1) + 1,
    )  # fmt: skip


def visible(token: str) -> str:
    """A token's text without the spaces around it; what is nothing but spaces gets a sign."""
    return token.strip() or ("⏎" if "\n" in token else "␣")


def steps_table(walk: Walk, first: int) -> pd.DataFrame:
    """The first steps: what stood where, the target's probability before and after, and the drop."""
    before, found = walk.model.output(walk.encoding), []
    for step in range(min(first, len(walk))):
        new = walk.text(walk.tried[step])
        changes = [
            f"{visible(walk.encoding.tokens[place])} → {visible(new[place])}"
            for place in walk.chosen[step].nonzero()[:, 0].tolist()
        ]
        after = float(walk.after[step])
        gain = credit(walk, before - after)
        found.append(
            {"step": step + 1, "replaced": ", ".join(changes) or "nothing", "before": before, "after": after,
             "drop": before - after, "replaced get": gain, "others get": -gain}
        )  # fmt: skip
    return pd.DataFrame(found)


def credit(walk: Walk, drop: float) -> float:
    """What a drop adds to the logit of each replaced token."""
    one, chosen = torch.tensor([[drop]], dtype=torch.float64), torch.ones(1, 1, 1, dtype=torch.bool)
    return float(increments(one, chosen, str(walk.options["update"])))


def stop_table(walk: Walk, steps: Iterable[int]) -> pd.DataFrame:
    """The stopping test after these steps: most probable next tokens, the target's rank, whether the run stopped."""
    found = []
    for step in steps:
        best = zip(walk.best[step - 1].tolist(), walk.best_p[step - 1].tolist(), strict=True)
        ids = walk.tested[step - 1]
        said = ", ".join(f"{visible(walk.model.continuation(ids, token))} {p:.1%}" for token, p in best)
        stopped = "stop" if bool(walk.stopped[step - 1]) else "go on"
        found.append(
            {"step": step, "kept": int(walk.kept[step - 1].sum()), "most probable next": said,
             "rank of target": int(walk.rank[step - 1]), "so": stopped}
        )  # fmt: skip
    return pd.DataFrame(found)


def passes(walk: Walk, draws: int, *, seed: int = 0) -> pd.DataFrame:
    """How often the last stopping test is passed when its replacements are drawn anew, with 95% intervals.

    Once for the tokens that the run kept, once for as many tokens drawn at random each time.
    """
    chance = generator("walk", "passes", seed)
    places, kept = walk.places.nonzero()[:, 0], int(walk.kept[-1].sum())
    own = (walk.places & ~walk.kept[-1]).expand(draws, -1)  # (B, T)
    random = walk.places.repeat(draws, 1)
    for row in random:
        row[places[torch.randperm(len(places), generator=chance)[:kept]]] = False
    reader, found = among_top(walk.encoding.target, int(str(walk.options["top_k"]))), []
    for name, left in (("the run's", own), ("random", random)):
        u = torch.rand(draws, len(walk.encoding), generator=chance, dtype=torch.float64)
        passed = int(walk.model.read(walk.encoding, Replace(walk.replacer(left, u)), reader).sum())
        low, high = wilson(passed, draws)
        found.append(
            {
                "kept tokens": name,
                "draws": draws,
                "passed": passed / draws,
                "low": max(0.0, low),
                "high": min(1.0, high),
            }
        )
    return pd.DataFrame(found)


def stop_texts(walk: Walk, steps: Iterable[int]) -> dict[str, tuple[list[str], set[int]]]:
    """The texts that the stopping test saw after these steps, and the places of the tokens that it kept."""
    return {
        f"step {step}": (walk.text(walk.tested[step - 1]), set(walk.kept[step - 1].nonzero()[:, 0].tolist()))
        for step in steps
    }


def sharpness_curve(walk: Walk) -> pd.DataFrame:
    """By step, from 0: the largest score, and the entropy divided by that of equal scores."""
    scores = torch.cat([walk.first[None], walk.scores])[:, walk.places]  # (S + 1, n)
    entropy = torch.special.entr(scores).sum(1) / np.log(max(2, scores.shape[1]))
    curve = {"largest score": scores.amax(1).tolist(), "entropy / log n": entropy.tolist()}
    return pd.DataFrame(curve, index=pd.RangeIndex(len(scores), name="step"))


# -- several runs ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Runs:
    """Where R runs from different seeds ended: scores `(R, n)` of the tokens that are scored."""

    tokens: list[str]  # n of them
    scores: Tensor
    steps: Tensor  # (R,)
    stopped: Tensor  # (R,) bool


def runs_from_seeds(model: str, prompt: str, runs: int, *, seed: int = 0, **options: object) -> Runs:
    """The ends of several runs; the first is that of `walk_reagent` with the same seed and options."""
    explained, encoding, _, places, source, settings = prepared(model, prompt, {**options, "runs": runs})
    *_, last = reagent_steps(explained, encoding, places, source, settings, walk_generator(seed))
    tokens = [token for token, here in zip(encoding.tokens, places.tolist(), strict=True) if here]
    return Runs(tokens, last.scores[:, places], last.steps, last.stopped)


def rank_correlations(scores: Tensor) -> Tensor:
    """Spearman's correlation `(R, R)` of the rows of `(R, n)`. Raises: AttribookError if a row has no ranks."""
    if bool((scores == scores[:, :1]).all(1).any()):
        raise AttribookError("All scores of a run are equal, or it has one token: there are no ranks to correlate.")
    return torch.tensor(pd.DataFrame(scores.T.numpy()).corr(method="spearman").to_numpy())


def runs_table(runs: Runs, named: int = 3) -> pd.DataFrame:
    """For each run: its steps, its best tokens, and its rank correlation with the mean of the other runs' scores."""
    found = []
    for run, scores in enumerate(runs.scores):
        best = scores.topk(min(named, len(scores)))
        tops = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        rest = torch.cat([runs.scores[:run], runs.scores[run + 1 :]]).mean(0)
        found.append(
            {"run": run + 1, "steps": int(runs.steps[run]), "stopped": "yes" if bool(runs.stopped[run]) else "no",
             "best tokens": ", ".join(f"{visible(runs.tokens[place])} {score:.2f}" for place, score in tops),
             "with the others": float(rank_correlations(torch.stack([scores, rest]))[0, 1])}
        )  # fmt: skip
    return pd.DataFrame(found)


def run_agreement(runs: Runs, share: float, sizes: Sequence[int]) -> pd.DataFrame:
    """How alike two averages of m runs are, m each of `sizes`, over all disjoint groups of m runs in their order.

    Columns: mean, least and greatest Spearman correlation of two groups, and the mean Jaccard index of their top
    sets. A size of which there are not two groups is left out.
    """
    places, found = range(len(runs.tokens)), []
    for size in sizes:
        groups = runs.scores[: len(runs.scores) // size * size].unflatten(0, (-1, size)).mean(1)  # (G, n)
        if len(groups) < 2:
            continue
        pairs = list(combinations(range(len(groups)), 2))
        correlations = [float(rank_correlations(groups)[a, b]) for a, b in pairs]
        tops = [top_set(group.tolist(), places, share) for group in groups]
        found.append(
            {"runs averaged": size, "pairs": len(pairs), "spearman": np.mean(correlations),
             "least": min(correlations), "greatest": max(correlations),
             "jaccard of top sets": np.mean([jaccard(tops[a], tops[b]) for a, b in pairs])}
        )  # fmt: skip
    return pd.DataFrame(found)
