"""Noiser: how much the prediction loses when one token's embedding is noised, no more than the prompt can bear.

The paper's text leaves open, and here are options: whether search and final run share their noise vectors and how many
there are in each (`search_vectors`, `reuse`), and what an unchanged prediction is when there are several vectors
(`unchanged`). Our readings, without an option: every token gets the same vectors; scales are in [0, 1], because 10
steps give the stated accuracy of 2^-10 there; rows of the paper's second table whose symbols are lost are `none`
(s = 1), `norm_2`, `norm_inf`, `per_token` and `max`.

The released code (qasemii/Noiser, which has no licence; its facts, none of its lines) departs from the text, and each
departure is an option: its vectors are drawn once for all prompts (`fixed`), the noise is divided by a bound of its
norm (`divisor`), a token's threshold is the last scale that was tried, whether it held or not (`threshold`), and BOS is
noised (`specials`). It divides scores by their sum, negative ones among them: that is the metrics' `scores_as` `sum`.

Noise has unit variance in the embedding table's own space (see `noise_search.noise_vectors`), which is large for most
models: a table's spread is often a tenth of that or less, so thresholds are small and 2^-10 can be coarse. If a token
does not even bear 2^-steps, s* is 0, all scores are 0, and the method says that it has not converged: take more steps.

Bisection assumes that a prediction which flips at one scale flips at all larger ones. `flip_curves` looks at that on a
grid, and where the search itself meets the contrary, the detail `not_monotone` counts the tokens.
A test decides on an argmax. Where two answers are equal up to rounding, another batch size may decide otherwise and
move a threshold by one cell of the grid: that is the only way in which batches can touch scores.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.noise_search import Noised, bisected, largest, moves, noise_vectors, smallest
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

BOUNDS = ("min", "max", "per_token", "none", "norm_2", "norm_inf", "random")
SEARCHED = ("min", "max", "per_token")
THRESHOLDS = ("held", "last")
FIXED = 1  # the seed of vectors that are the same for every prompt
DIVISORS = {  # of a vector of width D: bounds of the expected norms of normal noise, as the released code has them
    "none": lambda width: 1.0,
    "norm_1": lambda width: math.sqrt(2 / math.pi) * width,
    "norm_2": lambda width: math.sqrt(width),
    "norm_3": lambda width: (4 * width / math.sqrt(math.pi)) ** (1 / 3),
    "norm_4": lambda width: (3 * width) ** (1 / 4),
    "norm_inf": lambda width: math.sqrt(2 * math.log(width)),
}  # fmt: skip


@method(version=1, forwards="tests * (search_vectors or vectors) + evaluations * vectors", random=True)
def noiser(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    bound: str = "min",
    vectors: int = 10,
    search_vectors: int | None = None,
    reuse: bool = True,
    steps: int = 10,
    unchanged: str = "mean",
    towards: str = "noise",
    specials: str = "keep",
    fixed: bool = False,
    divisor: str = "none",
    threshold: str = "held",
) -> tuple[Tensor, dict[str, float], bool | None]:
    r"""How much the prediction loses when noise is added to a token's embedding. The noise has one strength for all
    tokens: as much as the most sensitive token bears without another answer.

    Formula: a_i = f(E) - 1/n sum_m f(E + s* eps_m at row i), f the target's probability, eps_m ~ N(0, I_D) the same n =
        `vectors` for all tokens; s* = min_i s_i, s_i = max { s in [0, 1] : the prediction is unchanged with s eps at
        row i }, by bisection in `steps` steps. `unchanged`: the argmax of the `mean` distribution over the vectors, or
        of `every` one, is that of the prompt (the model's own prediction, also where another target is explained).
        `bound` in place of min_i s_i: `max` is max_i s_i, `per_token` s_i itself, `none` 1, `norm_2` 1 / sqrt(D),
        `norm_inf` 1 / sqrt(2 ln D), `random` one s ~ U[0, 1] a prompt. The search uses `search_vectors` vectors (None:
        as many as the final run), the same or, if not `reuse`, others. `towards` `mask` and `tokens` are ours: steps as
        long as noise is expected to be, towards the mask token (all vectors alike, so 1 is enough) or towards tokens
        drawn evenly. Special tokens such as BOS and CLS stay (`specials` `keep`) or are noised like others (`perturb`).
        `fixed` vectors are the same for every prompt and seed. `divisor`: noise is divided
        by sqrt(2 / pi) D, sqrt(D), (4 D / sqrt(pi))^(1/3), (3 D)^(1/4) or sqrt(2 ln D) for
        `norm_1`, `norm_2`, `norm_3`, `norm_4`, `norm_inf`. `threshold` `last`: s_i is the last scale that bisection
        tried, up to 2^-steps above the largest that held, and never 0. The details give the `scale`, how many tokens
        and scales the search made (`tests`) and the final run added (`evaluations`), at how many tokens the prediction
        has `flipped` there, and, for `min` and `max` with the same vectors, how many tokens were seen to flip at a
        smaller scale than one at which they held (`not_monotone`).
    Shapes:  (T,); 0 at tokens that stay.
    Range:   signed, -1 to 1; above 0 the token supports the target. All 0 where s* is 0: then it has not converged.
    Raises:  AttribookError for unknown names, fewer than one vector or step.
    Source:  Noiser, section 3, table 2, appendix D.
    Differs: The paper searches every token alone and with 10 steps; ours finds min and max with far fewer tests, the
        same values where flips are monotone. Its text does not say which vectors the search uses, nor what unchanged
        means for several. In units of the embedding table, so before the factor that Gemma multiplies embeddings by.
    """
    if bound not in BOUNDS:
        raise AttribookError(f"Unknown bound {bound!r} of noiser. Choose one of: {', '.join(BOUNDS)}.")
    places = encoding.movable(specials).nonzero()[:, 0].tolist()
    searching = search_vectors if search_vectors is not None else vectors
    if vectors < 1 or searching < 1:
        raise AttribookError(f"noiser needs at least one noise vector, not {min(vectors, searching)}.")
    if divisor not in DIVISORS or threshold not in THRESHOLDS:
        raise AttribookError(f"noiser divides by {', '.join(DIVISORS)}, and its thresholds are held or last.")
    chance = torch.Generator().manual_seed(FIXED) if fixed else generator
    by = DIVISORS[divisor](encoding.embeds.shape[1])
    noise = moves(model, encoding, towards, max(vectors, searching), chance) / by
    search = Noised(model, encoding, noise[:searching], unchanged)
    scales = scales_for(bound, search, places, grid(steps), generator, last=threshold == "last")
    tests = len(search.seen)
    final = search
    if bound in SEARCHED and not (reuse and searching == vectors):
        drawn = noise if reuse else moves(model, encoding, towards, vectors, chance) / by
        final = Noised(model, encoding, drawn[:vectors], unchanged)
    answers = final.ask(places, scales)
    scores = torch.zeros(len(encoding), dtype=torch.float64)
    scores[places] = encoding.probability - torch.tensor([answer.target for answer in answers], dtype=torch.float64)
    details: dict[str, float] = {
        "tests": tests,
        "evaluations": len(final.seen) - (tests if final is search else 0),
        "flipped": sum(answer.flipped for answer in answers),
    }
    if bound != "per_token":
        details["scale"] = scales[0]
    if bound in ("min", "max") and final is search:
        details["not_monotone"] = search.not_monotone()
    return scores, details, max(scales) > 0 if bound in SEARCHED else None


def grid(steps: int) -> int:
    """Cells into which `steps` bisections divide [0, 1]."""
    if not 1 <= steps <= 40:  # beyond 40 a cell is nothing beside float32 embeddings
        raise AttribookError(f"A bisection of noiser takes 1 to 40 steps, not {steps}.")
    return 2**steps


def scales_for(
    bound: str, search: Noised, places: Sequence[int], cells: int, generator: Generator, *, last: bool = False
) -> list[float]:
    """The final run's scale for each place.

    last: in place of the largest scale k / cells that held, the last that was tried. Bisection ends at an odd k: where
    k is even, the one above flipped last. As that grows with k, it is that of the smallest or largest k, too.
    """

    def scale(k: int) -> float:
        return (k | 1 if last else k) / cells

    if bound == "per_token":
        return [scale(k) for k in bisected(search, places, cells)]
    width = search.noise.shape[-1]
    common = {
        "min": lambda: scale(smallest(search, places, cells)),
        "max": lambda: scale(largest(search, places, cells)),
        "none": lambda: 1.0,
        "norm_2": lambda: width**-0.5,
        "norm_inf": lambda: (2 * math.log(width)) ** -0.5,
        "random": lambda: float(torch.rand((), generator=generator, dtype=torch.float64)),
    }
    return [common[bound]()] * len(places)


def flip_thresholds(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    vectors: int = 10,
    steps: int = 10,
    unchanged: str = "mean",
    specials: str = "keep",
) -> Tensor:
    """Every token's s_i `(T,)`, by separate searches; 1 at tokens that get no noise.

    The same seed gives the vectors that `noiser` has. 1 - 2^-steps stands for a token that never flipped.
    """
    search = Noised(model, encoding, noise_vectors(model, encoding, vectors, generator), unchanged)
    places = encoding.movable(specials).nonzero()[:, 0].tolist()
    found = torch.ones(len(encoding), dtype=torch.float64)
    cells = grid(steps)
    found[places] = torch.tensor(bisected(search, places, cells), dtype=torch.float64) / cells
    return found


def flip_curves(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    scales: Sequence[float],
    vectors: int = 10,
    unchanged: str = "mean",
    specials: str = "keep",
) -> Tensor:
    """Whether the prediction flips, for every token that may be noised and every scale: `(P, S)` bool.

    What bisection takes for granted can be looked at here: see `not_monotone_share`.
    """
    search = Noised(model, encoding, noise_vectors(model, encoding, vectors, generator), unchanged)
    places = encoding.movable(specials).nonzero()[:, 0].tolist()
    pairs = [(place, scale) for place in places for scale in scales]
    answers = search.ask([place for place, _ in pairs], [scale for _, scale in pairs])
    return torch.tensor([answer.flipped for answer in answers]).view(len(places), len(scales))  # (P, S)


def not_monotone_share(flips: Tensor) -> float:
    """Share of the tokens of `flips` `(P, S)` at which a prediction flips at one scale and holds at a later one."""
    back = flips[:, :-1].cummax(dim=1).values & ~flips[:, 1:]
    return float(back.any(dim=1).double().mean())
