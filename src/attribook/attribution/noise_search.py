"""One prompt with noise on one token at a time, and the searches for how much noise a token bears. For Noiser.

n noise vectors, C answers, P places (tokens that may be noised). Scales are searched on the grid k / cells, so a
bisection of [0, 1] in 10 steps has 1,024 cells. It finds the largest scale below 1 at which the prediction stays, if
a prediction that flips at some scale flips at all larger ones. Where that is not so, it finds one of several.

T separate searches are not needed for the extreme of T thresholds. One token, the leader, is searched alone. All
others are then tested at its scale: those that hold (for the smallest threshold) cannot have a smaller one, and are
out. Of those that flip, the one whose prediction suffered most leads next. Where flips are monotone, that is the
smallest of the separate thresholds; the tests at the last leader's scale are the answers that the scores need anyway.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attribook.attribution.embedding_paths import baseline_embeds
from attribook.errors import AttribookError
from attribook.models.edits import Embed
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

# Numbers held at a time, 512 MB in float64: all tokens of a long prompt with all vectors would be many gigabytes.
HELD = 2**26
UNCHANGED = ("mean", "every")
TOWARDS = ("noise", "mask", "tokens")


class Answer(NamedTuple):
    """What n noisy copies of a prompt answer together."""

    flipped: bool
    held: float  # mean probability of the unchanged prompt's prediction
    target: float  # mean probability of the explained target


@dataclass
class Noised:
    """Answers of one prompt with noise on one token, each computed once.

    `unchanged` `mean`: the prediction has flipped if the mean distribution has another argmax; `every`: if that of a
    single vector has.
    """

    model: Explained
    encoding: Encoding
    noise: Tensor  # float64: (n, D) the same for every place, or (n, T, D)
    unchanged: str = "mean"
    seen: dict[tuple[int, float], Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unchanged not in UNCHANGED:
            raise AttribookError(f"Unknown sense {self.unchanged!r} of unchanged. Choose mean or every.")
        self.prediction = int(self.encoding.logits.argmax())

    def ask(self, places: Sequence[int], scales: Sequence[float]) -> list[Answer]:
        """The answer with noise of each scale at each place; no noise costs no forward."""
        pairs = list(zip(places, scales, strict=True))
        new = [pair for pair in pairs if pair[1] > 0 and pair not in self.seen]
        self.seen.update(zip(new, self._computed(new), strict=True))
        calm = Answer(False, float(self.encoding.distribution[self.prediction]), self.encoding.probability)
        return [self.seen[pair] if pair[1] > 0 else calm for pair in pairs]

    def flips(self, places: Sequence[int], scale: float) -> list[int]:
        """Places at which noise of that scale flips the prediction."""
        answers = self.ask(places, [scale] * len(places))
        return [place for place, answer in zip(places, answers, strict=True) if answer.flipped]

    def not_monotone(self) -> int:
        """At how many places a prediction was seen to flip at one scale and to hold at a larger one."""
        first_flip: dict[int, float] = {}
        last_hold = dict.fromkeys((place for place, _ in self.seen), 0.0)
        for (place, scale), answer in sorted(self.seen.items()):
            if answer.flipped:
                first_flip.setdefault(place, scale)
            else:
                last_hold[place] = scale
        return sum(last_hold[place] > scale for place, scale in first_flip.items())

    def _computed(self, pairs: Sequence[tuple[int, float]]) -> Iterator[Answer]:
        embeds, count = self.encoding.embeds, len(self.noise)
        size = max(1, HELD // (count * (embeds.numel() + len(self.encoding.logits))))
        for start in range(0, len(pairs), size):
            part = pairs[start : start + size]
            rows = embeds.repeat(len(part), count, 1, 1)  # (p, n, T, D)
            for row, (place, scale) in zip(rows, part, strict=True):
                noise = self.noise if self.noise.dim() == 2 else self.noise[:, place]  # (n, D)
                row[:, place] = (embeds[place].double() + scale * noise).to(embeds.dtype)
            found = self.model.distributions(self.encoding, Embed(rows.flatten(0, 1)))  # (p * n, C)
            yield from map(self._answer, found.view(len(part), count, -1))

    def _answer(self, found: Tensor) -> Answer:
        """From distributions `(n, C)`."""
        mean = found.mean(0)  # (C,)
        judged = mean[None] if self.unchanged == "mean" else found
        flipped = bool((judged.argmax(-1) != self.prediction).any())
        return Answer(flipped, float(mean[self.prediction]), float(mean[self.encoding.target]))


def noise_vectors(model: Explained, encoding: Encoding, count: int, generator: Generator) -> Tensor:
    """Standard normal vectors `(count, D)` in float64, in units of the embedding table.

    Gemma multiplies what it reads from its table by sqrt(D), in the embedding layer or after it, depending on the
    version of the code. The noise is multiplied alike, so it is the same wherever that is done.
    """
    shape = (count, encoding.embeds.shape[1])
    return table_factor(model, encoding) * torch.randn(shape, generator=generator, dtype=torch.float64)


def table_factor(model: Explained, encoding: Encoding) -> Tensor:
    """How much longer the embeddings are that the layers read than those of the table."""
    table = model.network.get_input_embeddings().weight[encoding.ids.to(model.network.device)].cpu()  # (T, D)
    return encoding.embeds.double().norm() / table.double().norm()


def moves(model: Explained, encoding: Encoding, towards: str, count: int, generator: Generator) -> Tensor:
    """What is added at scale 1: `noise` `(count, D)`, or as long steps `(count, T, D)` that lead to other embeddings.

    `mask`: from each token towards the mask token, `count` times the same; `tokens`: towards tokens drawn evenly from
    the vocabulary, others for each place. A step is as long as noise is expected to be, sqrt(D) in units of the table;
    where a token is its own goal, it stays.
    """
    if towards == "noise":
        return noise_vectors(model, encoding, count, generator)
    if towards == "mask":
        goals = baseline_embeds(model, encoding, "mask", "perturb").expand(count, -1, -1)  # (count, T, D)
    elif towards == "tokens":
        words = model.network.get_input_embeddings().weight.shape[0]
        drawn = torch.randint(words, (count, len(encoding)), generator=generator)
        goals = model.embed(drawn).cpu()  # (count, T, D)
    else:
        raise AttribookError(f"Unknown goal {towards!r} of noiser's steps. Choose one of: {', '.join(TOWARDS)}.")
    steps = goals.double() - encoding.embeds.double()
    length = table_factor(model, encoding) * encoding.embeds.shape[1] ** 0.5
    return length * torch.nn.functional.normalize(steps, dim=-1)


def bisected(noised: Noised, places: Sequence[int], cells: int, low: int = 0, high: int | None = None) -> list[int]:
    """For each place the k in [low, high) at which k / cells holds and (k + 1) / cells flips.

    `low` is taken to hold and `high` to flip: neither is tested.
    """
    lows = dict.fromkeys(places, low)
    highs = dict.fromkeys(places, cells if high is None else high)
    while searched := [place for place in places if highs[place] - lows[place] > 1]:
        middles = [(lows[place] + highs[place]) // 2 for place in searched]
        answers = noised.ask(searched, [middle / cells for middle in middles])
        for place, middle, answer in zip(searched, middles, answers, strict=True):
            (highs if answer.flipped else lows)[place] = middle
    return [lows[place] for place in places]


def smallest(noised: Noised, places: Sequence[int], cells: int) -> int:
    """The least of all places' `bisected` k."""
    leader, left, bound = first_leader(noised, places), list(places), cells
    while left:
        bound = bisected(noised, [leader], cells, 0, bound)[0]
        left = noised.flips([place for place in left if place != leader], bound / cells)
        leader = min(left, key=lambda place: noised.seen[place, bound / cells].held, default=leader)
    return bound


def largest(noised: Noised, places: Sequence[int], cells: int) -> int:
    """The greatest of all places' `bisected` k."""
    leader, left, bound = first_leader(noised, places), list(places), 0
    while left:
        bound = bisected(noised, [leader], cells, bound)[0]
        if bound + 1 == cells:  # nothing is greater
            break
        beyond = (bound + 1) / cells
        flipped = {leader, *noised.flips([place for place in left if place != leader], beyond)}
        left = [place for place in left if place not in flipped]
        leader = max(left, key=lambda place: noised.seen[place, beyond].held, default=leader)
    return bound


def first_leader(noised: Noised, places: Sequence[int]) -> int:
    """The place that the prediction is read from, else the last: its noise has the shortest way to the answer."""
    return noised.encoding.reads if noised.encoding.reads in places else places[-1]
