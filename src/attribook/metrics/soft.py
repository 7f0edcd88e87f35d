"""Soft-NS and Soft-NC: keep or remove parts of every token's embedding in proportion to its score.

P is the next-token distribution of the prompt, P0 that of the prompt with all word embeddings zero (positions
stay), P' that of a prompt whose embedding elements are kept independently, element (i, d) with probability q_i.
Every option of the published protocols has a name here; the book's protocol page says who uses which value.
"""

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK, metric
from attribook.metrics.distances import DISTANCES
from attribook.models.edits import Embed
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@metric(version=1)
def soft_nc(
    model: Explained,
    encoding: Encoding,
    scores: Tensor,
    *,
    generator: Generator,
    distance: str = "hellinger",
    scores_as: str = "clip_sum",
    draws: int = 8,
    specials: str = "keep",
) -> tuple[Tensor, str]:
    """Normalised soft comprehensiveness: how far the prediction moves when the important parts are removed.

    Formula: delta(P, P') / delta(P, P0) with q_i = 1 - a_i; a from the scores by `scores_as` (see
        `keep_probabilities`), delta by `distance`. `specials` keep: special tokens are never touched, in P0 too;
        mask: they are treated as any token. A template's tokens are never touched.
    Shapes:  scores (T,); returns (draws,), one value for each mask draw.
    Range:   0 upwards, seldom above 1, no unit, higher is better.
    Raises:  AttribookError for NaN scores or unknown options. Status `no positive score` where clipping leaves
        nothing, `no reference distance` where P0 = P.
    Source:  Zhao and Aletras 2023; ReAGent, metric section, and its released code, casszhao/ReAGent.
    """
    return soft(model, encoding, scores, False, generator, distance, scores_as, draws, specials)


@metric(version=1)
def soft_ns(
    model: Explained,
    encoding: Encoding,
    scores: Tensor,
    *,
    generator: Generator,
    distance: str = "hellinger",
    scores_as: str = "clip_sum",
    draws: int = 8,
    specials: str = "keep",
) -> tuple[Tensor, str]:
    """Normalised soft sufficiency: how much of the prediction the important parts alone bring back.

    Formula: max(0, delta(P, P0) - delta(P, P')) / delta(P, P0) with q_i = a_i; options as in `soft_nc`.
    Shapes:  scores (T,); returns (draws,).
    Range:   0 to 1, no unit, higher is better.
    Raises:  as `soft_nc`.
    Source:  as `soft_nc`.
    """
    return soft(model, encoding, scores, True, generator, distance, scores_as, draws, specials)


def soft(
    model: Explained,
    encoding: Encoding,
    scores: Tensor,
    sufficiency: bool,
    generator: Generator,
    distance: str,
    scores_as: str,
    draws: int,
    specials: str,
) -> tuple[Tensor, str]:
    """Both metrics; one forward a draw, and one for P0 the first time a prompt is judged."""
    if distance not in DISTANCES:
        raise AttribookError(f"Unknown distance {distance!r}. Choose one of: {', '.join(DISTANCES)}.")
    if specials not in {"keep", "mask"}:
        raise AttribookError(f"Unknown treatment of specials {specials!r}. Choose keep or mask.")
    delta = DISTANCES[distance]
    frozen = ~encoding.attributable if specials == "keep" else encoding.template  # (T,)
    # Drawn before anything can fail, so that a failure moves no later draw.
    uniform = torch.rand(draws, *encoding.embeds.shape, generator=generator, dtype=torch.float64)
    weights = keep_probabilities(scores.masked_fill(frozen, 0.0), scores_as)
    if weights is None:
        return torch.empty(0, dtype=torch.float64), "no positive score"
    p = encoding.distribution[None]  # (1, V)
    reference = delta(p, zero_distribution(model, encoding, frozen, specials))  # (1,)
    if float(reference) == 0:
        return torch.empty(0, dtype=torch.float64), "no reference distance"
    keep = weights if sufficiency else 1 - weights  # (T,)
    kept = (uniform < keep[:, None]) | frozen[:, None]  # (draws, T, D)
    edited = encoding.embeds * kept  # (draws, T, D)
    moved = model.read(encoding, Embed(edited), distance_reader(delta, p))  # (draws,)
    ratio = moved / reference
    return ((1 - ratio).clamp(min=0) if sufficiency else ratio), OK


def distance_reader(delta, p: Tensor):  # type: ignore[no-untyped-def]
    """From logits `(b, V)` to their distance from `p` `(1, V)`, on the device where the logits are."""

    def read(logits: Tensor) -> Tensor:
        q = logits.double().softmax(-1)
        return delta(p.to(q.device).expand_as(q), q)

    return read


def zero_distribution(model: Explained, encoding: Encoding, frozen: Tensor, specials: str) -> Tensor:
    """P0 `(1, V)`, computed once a prompt."""
    name = f"zero embeddings, specials {specials}"
    if name not in encoding.memo:
        empty = encoding.embeds * frozen[:, None]
        encoding.memo[name] = model.distributions(encoding, Embed(empty[None]))
    return encoding.memo[name]


def keep_probabilities(scores: Tensor, scores_as: str) -> Tensor | None:
    """Scores `(T,)` as probabilities; None where they carry no mass.

    `as_is` uses them unchanged, as the released code does: below 0 acts as 0 in Soft-NS and as "keep all" in
    Soft-NC, above 1 as 1. `clip_sum` clips at 0 and divides by the sum; `abs_sum` takes absolute values first; `sum`
    divides by the sum, negative scores among them, so that some exceed 1 or change sign, as Noiser's released code
    does; `softmax` normalises exponentials.
    """
    if scores_as == "as_is":
        return scores
    if scores_as == "sum":
        return scores / scores.sum() if float(scores.sum()) != 0 else None
    if scores_as == "softmax":
        return scores.softmax(0)
    if scores_as in {"clip_sum", "abs_sum"}:
        mass = scores.clamp(min=0) if scores_as == "clip_sum" else scores.abs()
        return mass / mass.sum() if float(mass.sum()) > 0 else None
    raise AttribookError(f"Unknown scores_as {scores_as!r}. Choose as_is, clip_sum, abs_sum, sum or softmax.")
