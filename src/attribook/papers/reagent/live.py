"""ReAGent step by step on one prompt: what was replaced, what the target lost, what the stopping test saw.

`reagent_steps` gives the scores after every step. The prompts behind them are remembered by a recorder around the
replacer, and the model's answers to them are asked for again.
"""

from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Generator, Tensor

from attribook.attribution.reagent import Settings, among_top, first_logits, increments, reagent_steps, streams
from attribook.attribution.registry import METHODS
from attribook.attribution.replacers.pools import Replacer
from attribook.attribution.replacers.registry import make_replacer
from attribook.errors import AttribookError
from attribook.grid.seeds import generator
from attribook.grid.store import Row
from attribook.models.causal import CausalLM
from attribook.models.edits import Replace
from attribook.models.encoding import Encoding
from attribook.models.load import load_model
from attribook.show.tokens import label


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
class RecordedRun:
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

    def steps(self) -> pd.DataFrame:
        """A row for each step: what stood where, what the target lost, what that added to the logits, and the test."""
        drop = self.model.output(self.encoding) - self.after  # (S,)
        every = torch.ones(len(self), 1, 1, dtype=torch.bool)
        gain = increments(drop[:, None].double(), every, str(self.options["update"])).flatten()  # (S,)
        return pd.DataFrame(
            {"replaced": self.replacements(), "before": float(self.model.output(self.encoding)),
             "after": self.after.tolist(), "drop": drop.tolist(), "added to the replaced": gain.tolist(),
             "kept": self.kept.sum(1).tolist(), "most probable next": self.answers(), "rank of target":
             self.rank.tolist(), "stopped": self.stopped.tolist()},
            index=pd.RangeIndex(1, len(self) + 1, name="step"),
        )  # fmt: skip

    def replacements(self) -> list[str]:
        """For each step the replaced tokens and what stood in their place."""
        found = []
        for ids, chosen in zip(self.tried, self.chosen, strict=True):
            new, places = self.text(ids), chosen.nonzero()[:, 0].tolist()
            pairs = [f"{label(self.encoding.tokens[place])} → {label(new[place])}" for place in places]
            found.append(", ".join(pairs) or "nothing")
        return found

    def answers(self) -> list[str]:
        """For each step the most probable next tokens in its stopping test, with their probabilities."""
        every = zip(self.tested, self.best.tolist(), self.best_p.tolist(), strict=True)
        return [
            ", ".join(
                f"{label(self.model.continuation(ids, token))} {p:.1%}" for token, p in zip(best, ps, strict=True)
            )
            for ids, best, ps in every
        ]

    def tests(self) -> dict[int, tuple[list[str], set[int]]]:
        """By step the text that the stopping test saw, and the places of the tokens that it kept."""
        every = enumerate(zip(self.tested, self.kept, strict=True), start=1)
        return {step: (self.text(ids), set(kept.nonzero()[:, 0].tolist())) for step, (ids, kept) in every}

    def scores_by_step(self) -> pd.DataFrame:
        """Scores of the tokens that are scored, by step from 0, with the tokens' places as columns."""
        scores = torch.cat([self.first[None], self.scores])[:, self.places].numpy()  # (S + 1, n)
        steps = pd.RangeIndex(len(scores), name="step")
        return pd.DataFrame(scores, index=steps, columns=self.places.nonzero()[:, 0].tolist())


def prepared(
    model: str, prompt: str, options: dict[str, object]
) -> tuple[CausalLM, Encoding, dict[str, object], Tensor, Recorder, Settings]:
    """What a run needs, from a model's name, a prompt, and the options of `reagent`."""
    explained = load_model(model)
    if not isinstance(explained, CausalLM):
        raise AttribookError(f"{model} is not a causal language model, and what is explained here is its next token.")
    encoding, every = explained.encode(prompt), METHODS["reagent"].resolve(options)
    places = encoding.movable(every["specials"])
    ways = {name: every[name] for name in ("pick", "original", "candidates", "masked_lm")}
    source = Recorder(make_replacer(every["replacer"], explained, encoding, places, **ways))
    settings = Settings(**{name: every[name] for name in Settings.__dataclass_fields__})
    return explained, encoding, every, places, source, settings


def run_generator(seed: int) -> Generator:
    """The randomness of recorded and of compared runs: the same, so that the recorded run is the first of them."""
    return generator("walk", "reagent", seed)


def run_step_by_step(model: str, prompt: str, *, seed: int = 0, **options: object) -> RecordedRun:
    """One run with everything it did. Raises: AttribookError for a model that is not a `CausalLM`, wrong options."""
    explained, encoding, every, places, source, settings = prepared(model, prompt, {**options, "runs": 1})
    steps = list(reagent_steps(explained, encoding, places, source, settings, run_generator(seed)))
    # A batch of steps is replaced at once, then its tests; those after the stop are dropped, here as there.
    chosen, left = (torch.cat(source.chosen[turn::2])[: len(steps)] for turn in (0, 1))  # (S, T)
    tried, tested = (torch.cat(source.prompts[turn::2])[: len(steps)] for turn in (0, 1))  # (S, T)
    (stream,) = streams(1, run_generator(seed))
    first = first_logits(len(encoding), settings.initial, stream).masked_fill(~places, -torch.inf)
    answers = explained.distributions(encoding, Replace(tested))  # (S, V)
    best = answers.topk(min(settings.top_k, answers.shape[1]))
    return RecordedRun(
        explained, encoding, every, source.replacer, places, first.softmax(0),
        scores=torch.stack([step.scores[0] for step in steps]),
        stopped=torch.stack([step.stopped[0] for step in steps]),
        chosen=chosen, tried=tried, after=explained.outputs(encoding, Replace(tried)),
        kept=places & ~left, tested=tested, best=best.indices, best_p=best.values,
        rank=(answers > answers[:, [encoding.target]]).sum(1) + 1,
    )  # fmt: skip


def last_test_again(run: RecordedRun, draws: int, *, seed: int = 0) -> pd.DataFrame:
    """The last stopping test with replacements drawn anew: a row for each draw, and whether the test is passed.

    Columns: kept tokens, passed. Once for the tokens that the run kept ("the run's"), once for as many tokens drawn at
    random each time ("random").
    """
    chance = generator("walk", "passes", seed)
    places, kept = run.places.nonzero()[:, 0], int(run.kept[-1].sum())
    own = (run.places & ~run.kept[-1]).expand(draws, -1)  # (B, T)
    random = run.places.repeat(draws, 1)
    for row in random:
        row[places[torch.randperm(len(places), generator=chance)[:kept]]] = False
    reader, found = among_top(run.encoding.target, int(str(run.options["top_k"]))), []
    for name, left in (("the run's", own), ("random", random)):
        u = torch.rand(draws, len(run.encoding), generator=chance, dtype=torch.float64)
        passed = run.model.read(run.encoding, Replace(run.replacer(left, u)), reader).tolist()
        found.append(pd.DataFrame({"kept tokens": name, "passed": passed}))
    return pd.concat(found, ignore_index=True)


def runs_from_seeds(model: str, prompt: str, runs: int, *, seed: int = 0, **options: object) -> list[Row]:
    """Where several runs end, as score rows of the tokens that are scored; the first is that of `run_step_by_step`."""
    explained, encoding, _, places, source, settings = prepared(model, prompt, {**options, "runs": runs})
    *_, last = reagent_steps(explained, encoding, places, source, settings, run_generator(seed))
    ends = zip(last.scores[:, places].tolist(), last.steps.tolist(), last.stopped.tolist(), strict=True)
    tokens = [label(encoding.tokens[place]) for place in places.nonzero()[:, 0].tolist()]
    return [
        {
            "item": prompt,
            "method": "reagent",
            "seed": number,
            "tokens": tokens,
            "scores": scores,
            "steps": steps,
            "stopped": stopped,
        }
        for number, (scores, steps, stopped) in enumerate(ends, start=1)
    ]
