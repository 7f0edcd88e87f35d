"""RPI, randomized path integration over the attention of a layer, and its ablation RPI-G.

The paper's (equations 3 to 5) by default. Its released code differs, and every difference is an option:
- the factor outside the sum is the clean attention a (`factor` `attention`), not a - b;
- t is T for every baseline (`timestep` `500`), not uniform on 1..T;
- noise is scaled by 1 - abar_t (`noise` `variance`), not by its root;
- the gradient is that of the raw logit (`output` `logit`), not of the probability;
- the layer is the third from last (`layers` `-3`), not the last;
- the path is visited at both ends too, n + 1 points for n (`points` `both_ends`, `steps` 31);
- in a prompted decoder only the rows of the user's text get noise (`noised` `text`). Other rows of its noise tensor
  hold the attention itself, so that they begin at (sqrt(abar_t) + scale) a.
Neither re-masks nor normalises a baseline: in a causal model noise lands above the diagonal as well, and a position
then reads from later ones.

The paper explains by the best of all maps under the metric that is reported. A method here knows no metric, so its
scores are the mean of the maps, and `candidate_maps` gives the maps themselves to whoever picks. Over several layers
the paper pools the maps of all layers; so does this.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.attribution.diffusion import RandomPaths, combined
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

COST = '(layers.count(",") + 1) * trials * steps'


@method(version=1, forwards=f"1 + {COST}", backwards=COST, random=True)
def rpi(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    layers: str = "-1",
    trials: int = 24,
    steps: int = 30,
    points: str = "right",
    timestep: str = "uniform",
    horizon: int = 500,
    noise: str = "deviation",
    noised: str = "all",
    factor: str = "difference",
    output: str = "probability",
    row: str = "reads",
    aggregate: str = "mean",
) -> tuple[Tensor, dict[str, float]]:
    r"""Gradients along ways through a layer's attention weights, each from a noisy baseline to the weights themselves.
    Noise gives many maps, and the paper takes the one that the metric likes best. Without a metric this is their mean.

    Formula: m_r = row of mean_h [(a - b_r) * 1/n sum_j v_rj * df/dv_rj], v_rj = b_r + s_j (a - b_r), s_j = j / n for
        j = 1..n; b_r = sqrt(abar_t) a + sqrt(1 - abar_t) eps_r, t ~ U{1..T}, eps_r ~ N(0, 1) on every entry of a
        `(H, T, T)`; all products entry by entry, f the target's `output`. R is `trials`, n `steps`, T `horizon`.
        `layers` -1 is the last; several with commas between them give R maps each, in that order. `points`
        `both_ends`: s_j from 0 to 1 in n points. `timestep`: `uniform` or a number. `noise`: scaled by the
        `deviation` sqrt(1 - abar_t) or the `variance` 1 - abar_t. `noised`: `all` rows of attention or those of the
        user's `text` in a template. `factor`: the `difference` a - b or the `attention` a. `row`: of the position
        that the prediction `reads`, or the `mean` over rows. `aggregate` of the maps: `mean` or `median`.
    Shapes:  (T,); special tokens and a template's have scores, too.
    Range:   signed, in units of f; higher is meant to be more important. The scores add up to nothing, because the
        gradient is multiplied by v. Mind the sign: with c = sqrt(abar_t) and noise of deviation d, (a - b) v is on
        average (1 - c)(c + s (1 - c)) a^2 - (1 - s) d^2, which is below 0 wherever noise outweighs attention. The
        map as written then points against the gradient; with `factor` `attention` it does not. The details give how
        far the maps differ as `map_deviation`, the root mean square of their deviations from the mean map.
    Raises:  AttribookError for unknown names, layers that are not there, and networks whose attention does not go
        through transformers' attention interface (GPT-J).
    Source:  Barkan et al. 2024, equations 3 to 5.
    Differs: The paper writes the factor a - b, t drawn uniformly, noise of deviation sqrt(1 - abar_t), a probability
        and the last layer; its released code has the factor a, t = T, noise scaled by 1 - abar_t, the raw logit, the
        third layer from last, and both ends of the path. Ours are the paper's by default, each of the code's is an
        option. T and the variances are the code's, as the paper names none. Neither takes the mean of the maps.
    """
    paths = RandomPaths(trials, steps, points, timestep, horizon, noise)
    given = layers, noised, factor, output, row
    return combined(attention_maps(model, encoding, generator, "rpi", paths, *given, weigh=True), aggregate)


@method(version=1, forwards=f"1 + {COST}", backwards=COST, random=True)
def rpi_g(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator,
    layers: str = "-1",
    trials: int = 24,
    steps: int = 30,
    points: str = "right",
    timestep: str = "uniform",
    horizon: int = 500,
    noise: str = "deviation",
    noised: str = "all",
    factor: str = "difference",
    output: str = "probability",
    row: str = "reads",
    aggregate: str = "mean",
) -> tuple[Tensor, dict[str, float]]:
    r"""RPI with plain gradients: integrated gradients on attention weights, from noisy baselines. An ablation of RPI.

    Formula: m_r = row of mean_h [(a - b_r) * 1/n sum_j df/dv_rj]; everything else and all options as in `rpi`.
    Shapes:  (T,); special tokens and a template's have scores, too.
    Range:   signed, in units of f; above 0 the token supports the target. Summed over heads, rows and tokens a map
        gives f(a) - f(b_r) as n grows, so in the last layer, where only one row matters, H times the scores of one
        map do. `map_deviation` as in `rpi`.
    Raises:  as `rpi`.
    Source:  Barkan et al. 2024, section 4.2, the ablation RPI-G.
    Differs: As for `rpi`. The released code reaches RPI-G by a flag, with the factor a (`factor` `attention`).
    """
    paths = RandomPaths(trials, steps, points, timestep, horizon, noise)
    given = layers, noised, factor, output, row
    return combined(attention_maps(model, encoding, generator, "rpi_g", paths, *given, weigh=False), aggregate)


def attention_maps(
    model: Explained, encoding: Encoding, generator: Generator, name: str, paths: RandomPaths,
    layers: str, noised: str, factor: str, output: str, row: str, *, weigh: bool,
) -> Tensor:  # fmt: skip
    """All maps `(layers * R, T)`, layer after layer; `weigh` multiplies gradients by the point on the path."""
    if noised not in {"all", "text"}:
        raise AttribookError(f"Unknown noised {noised!r}. Choose all or text.")
    if factor not in {"difference", "attention"}:
        raise AttribookError(f"Unknown factor {factor!r}. Choose difference or attention.")
    found = model.attention_layers(encoding, layers, name)
    rows = ~encoding.template if noised == "text" else torch.ones_like(encoding.template)  # (T,)
    # A generator for each layer: its maps are the same whatever the number of trials in the layers before it.
    seeds = [int(torch.randint(2**62, (), generator=generator)) for _ in found]
    maps = []
    for layer, seed in zip(found, seeds, strict=True):
        starts = attention_baselines(layer.weights, paths, rows, torch.Generator().manual_seed(seed))
        size = max(1, model.engine.token_budget // len(encoding))
        total = torch.zeros(paths.trials, len(encoding), dtype=torch.float64)
        for trials, start, points in paths.batches(layer.weights, starts, size):
            grads, _ = model.attention_gradients(encoding, layer, points, output)  # (b, H, T, T)
            products = grads * (layer.weights - start if factor == "difference" else layer.weights)
            if weigh:
                products *= points
            total.index_add_(0, trials, read_row(products, row, encoding.reads))
        maps.append(total / paths.steps)
    return torch.cat(maps)


def attention_baselines(weights: Tensor, paths: RandomPaths, rows: Tensor, generator: Generator) -> Iterator[Tensor]:
    """Baselines `(H, T, T)` around a layer's attention; other rows than `rows` have itself in the place of noise."""
    for signal, scale, noise in paths.draws(weights.shape, generator):
        shaken = torch.where(rows[:, None].to(weights.device), noise.to(weights), weights)  # (H, T, T)
        yield signal * weights + scale * shaken


def read_row(products: Tensor, row: str, reads: int) -> Tensor:
    """From `(b, H, T, T)` to `(b, T)` in float64: the mean over heads of one row, or of all."""
    if row == "reads":
        return products[:, :, reads].double().mean(1).cpu()
    if row == "mean":
        return products.double().mean((1, 2)).cpu()
    raise AttribookError(f"Unknown row {row!r}. Choose reads or mean.")
