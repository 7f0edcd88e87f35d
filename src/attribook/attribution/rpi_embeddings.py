"""RPI-IG and RPI-SIG: RPI's random baselines for paths through the input embeddings.

Ablations that the paper describes in a paragraph and whose code is not released. Open there, and decided here: noise is
drawn independently for every entry of every token's embedding; special tokens stay as they are (`specials`); products
are summed over the embedding's width; points and the rest are those of RPI as written. Noise has deviation up to 1,
whatever the spread of the model's embeddings, which is a few hundredths in BERT: most baselines are nothing but noise.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.diffusion import RandomPaths, combined
from attribook.attribution.embedding_paths import baseline_embeds
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=1, forwards="trials * steps", backwards="trials * steps", random=True)
def rpi_ig(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    trials: int = 24,
    steps: int = 30,
    points: str = "right",
    timestep: str = "uniform",
    horizon: int = 500,
    noise: str = "deviation",
    baseline: str = "mask",
    specials: str = "keep",
    output: str = "probability",
    aggregate: str = "mean",
) -> tuple[Tensor, dict[str, float]]:
    r"""Integrated gradients from many noisy baselines around the mask token's embedding. An ablation of RPI: its random
    baselines without its attention. The paper picks a map by the metric; these scores are the mean of all.

    Formula: m_r,i = sum_d (E - b_r)_id * 1/n sum_j df/dE_id (b_r + s_j (E - b_r)), b_r = sqrt(abar_t) E' +
        sqrt(1 - abar_t) eps_r at the tokens that move and E elsewhere; E' the `baseline` and `specials` as in
        `integrated_gradients`, all other options as in `rpi`.
    Shapes:  (T,); 0 at tokens that stay.
    Range:   signed, in units of f; a map adds up to f(E) - f(b_r) as n grows. Higher is more important. `map_deviation`
        as in `rpi`.
    Raises:  AttribookError for unknown names and fewer than one step or trial.
    Source:  Barkan et al. 2024, section 4.2, the ablation RPI-IG.
    Differs: The paper puts the mask token in the place of a in its baseline and says no more; its code is not released.
        What is open is decided as the module says. A decoder's tokenizer has no mask token: the unknown or the
        padding token stands in, as in `integrated_gradients`.
    """
    paths = RandomPaths(trials, steps, points, timestep, horizon, noise)
    starts = embedding_baselines(model, encoding, paths, baseline, specials, generator)
    size = max(1, model.engine.token_budget // len(encoding))
    maps = torch.zeros(trials, len(encoding), dtype=torch.float64)
    for owners, start, path in paths.batches(encoding.embeds, starts, size):
        grads, _ = model.gradients(encoding, path, output)  # (b, T, D)
        maps.index_add_(0, owners, ((encoding.embeds - start).double() * grads.double()).sum(-1))
    return combined(maps / steps, aggregate)


@method(version=1, forwards="P * trials * steps", backwards="P * trials * steps", random=True)
def rpi_sig(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    trials: int = 24,
    steps: int = 30,
    points: str = "right",
    timestep: str = "uniform",
    horizon: int = 500,
    noise: str = "deviation",
    baseline: str = "mask",
    specials: str = "keep",
    output: str = "probability",
    aggregate: str = "mean",
) -> tuple[Tensor, dict[str, float]]:
    r"""Sequential integrated gradients from many noisy baselines: for every token and baseline a path along which only
    that token changes. An ablation of RPI, and T times as dear as RPI-IG.

    Formula: m_r,i = sum_d (E - b_r)_id * 1/n sum_j df/dE_id (E with row i at b_r,i + s_j (E - b_r)_i); b_r and all
        options as in `rpi_ig`. The same seed gives both methods the same baselines.
    Shapes:  (T,); 0 at tokens that stay.
    Range:   signed, in units of f; m_r,i is f(E) - f(E with row i at b_r,i) as n grows. Higher is more important.
        `map_deviation` as in `rpi`.
    Raises:  as `rpi_ig`.
    Source:  Barkan et al. 2024, section 4.2, the ablation RPI-SIG; Enguehard 2023.
    Differs: As for `rpi_ig`. SIG divides its scores by their L2 norm; ours does not, which moves no ranking of one map
        but lets maps of larger values count for more in the mean.
    """
    paths = RandomPaths(trials, steps, points, timestep, horizon, noise)
    drawn = torch.stack(list(embedding_baselines(model, encoding, paths, baseline, specials, generator)))  # (R, T, D)
    size = max(1, model.engine.token_budget // len(encoding))
    maps = torch.zeros(trials, len(encoding), dtype=torch.float64)
    for i in encoding.movable(specials).nonzero()[:, 0].tolist():
        end = encoding.embeds[i]  # (D,)
        for owners, start, path in paths.batches(end, iter(drawn[:, i]), size):
            rows = encoding.embeds.repeat(len(path), 1, 1)  # (b, T, D)
            rows[:, i] = path
            grads, _ = model.gradients(encoding, rows, output, start=i)  # (b, T - i, D)
            maps[:, i].index_add_(0, owners, ((end - start).double() * grads[:, 0].double()).sum(-1))
    return combined(maps / steps, aggregate)


def embedding_baselines(
    model: Explained, encoding: Encoding, paths: RandomPaths, baseline: str, specials: str, generator: Generator
) -> Iterator[Tensor]:
    """Baselines `(T, D)`: noise around the baseline token where tokens move, the prompt's own embeddings elsewhere."""
    centre = baseline_embeds(model, encoding, baseline, specials)  # (T, D)
    moves = encoding.movable(specials)[:, None]  # (T, 1)
    for signal, scale, noise in paths.draws(centre.shape, generator):
        yield torch.where(moves, signal * centre + scale * noise.to(centre.dtype), encoding.embeds)
