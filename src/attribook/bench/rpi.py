"""RPI by our schedule against that of its released code, on one sentence: the same maps, then the time.

The released schedule, written from its description: the whole network runs for every point, gradients of all weights
are computed as well, one baseline with its points is one batch, and before them the prompt runs three times, once with
a gradient that nothing uses. Ours freezes the weights, runs the layers below the chosen one once, and fills its
batches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attribook.attribution.candidates import candidate_maps
from attribook.attribution.diffusion import RandomPaths
from attribook.attribution.rpi import attention_baselines
from attribook.bench.agreement import Row, agreement, ratio, timed, unmeasured
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.injection import AttentionLayer, attention_by
from attribook.models.load import load_model
from attribook.papers.rpi.protocols import RELEASED

SENTENCE = (
    "this is a startling film that gives you a fascinating, albeit depressing view of rural life close to the border"
)
LAYERS = ("-3", "-1")  # the released code's, and the paper's
NOTE = (
    "R = {trials} baselines, {steps} points each, layer {layers}. The peer is our own writing of the released code's "
    "schedule: full depth, gradients of all weights, one baseline at a time; same noise, same attention code."
)


def rpi_rows(name: str, repeats: int, **changes: Any) -> Iterator[Row]:
    """A row of `attribook bench` for each of `LAYERS`; `changes` of RPI's released options."""
    model = load_model(name)
    for layers in LAYERS:
        yield rpi_row(model, repeats, dict(RELEASED) | changes | {"layers": layers})


def rpi_row(model: Explained, repeats: int, options: dict[str, Any]) -> Row:
    """Maps of both schedules compared, and both timed in turns after a warm-up."""
    encoding = model.encode(SENTENCE)
    points = options["trials"] * options["steps"] * len(encoding)
    row = unmeasured(f"rpi, layer {options['layers']}", "released schedule", options, NOTE.format(**options), points)

    def ours() -> Tensor:
        chance = torch.Generator().manual_seed(0)
        return candidate_maps(model, model.encode(SENTENCE), "rpi", generator=chance, **options)

    def theirs() -> Tensor:
        return released_maps(model, encoding, torch.Generator().manual_seed(0), options)

    before = model.engine.counter.copy()
    try:
        (maps, seconds), (released, peer_seconds) = timed([ours, theirs], repeats)  # (R, T) both
    except AttribookError as error:  # such as a layer that is not there
        return row | {"status": str(error)}
    computed = (model.engine.counter - before).tokens // (repeats + 1)
    row["tokens_computed"] = computed - len(encoding)  # the peer asks the engine for the prompt's attention alone
    return row | agreement(maps.flatten(), released.flatten()) | ratio(seconds, peer_seconds)


def released_maps(model: Explained, encoding: Encoding, chance: torch.Generator, options: dict[str, Any]) -> Tensor:
    """Maps `(R, T)` by the released code's schedule, of one layer, with the options that it has."""
    layer = model.attention_layers(encoding, options["layers"], "rpi")[0]
    paths = RandomPaths(*(options[name] for name in ("trials", "steps", "points", "timestep", "horizon", "noise")))
    seed = int(torch.randint(2**62, (), generator=chance))
    rows = torch.ones(len(encoding), dtype=torch.bool)
    maps = []
    with trainable(model.network):
        for grad in (False, False, True):  # the prompt, twice for its answer and once with a gradient that is not used
            value = logits_of(model, encoding, layer, layer.weights[None])[0, encoding.target]
            if grad:
                value.backward()
        for start in attention_baselines(layer.weights, paths, rows, torch.Generator().manual_seed(seed)):
            along = paths.fractions().to(start)[:, None, None, None]  # (n, 1, 1, 1)
            points = (start + along * (layer.weights - start)).detach().requires_grad_()  # (n, H, T, T)
            model.network.zero_grad()
            logits_of(model, encoding, layer, points)[:, encoding.target].sum().backward()
            assert points.grad is not None
            product = layer.weights * (points.grad * points.detach()).mean(0)  # (H, T, T)
            maps.append(product.double().mean(0)[encoding.reads])
    return torch.stack(maps).cpu()


def logits_of(model: Explained, encoding: Encoding, layer: AttentionLayer, weights: Tensor) -> Tensor:
    """Logits `(n, C)` of a whole forward of n copies of the prompt with weights `(n, H, T, T)` in one layer."""

    def attend(eager: Any, module: nn.Module, *given: Any, **more: Any) -> tuple[Tensor, Tensor]:
        if module is not layer.attention:
            return eager(module, *given, **more)
        return (weights @ given[2]).transpose(1, 2).contiguous(), weights

    with attention_by(model.network, attend):
        ids = encoding.ids.to(model.network.device).expand(len(weights), -1)
        return model.network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits


@contextmanager
def trainable(network: nn.Module) -> Iterator[None]:
    """Let all weights have gradients, and put things back as they were."""
    before = [p.requires_grad for p in network.parameters()]
    try:
        network.requires_grad_(True)
        with torch.enable_grad():
            yield
    finally:
        for parameter, was in zip(network.parameters(), before, strict=True):
            parameter.grad = None
            parameter.requires_grad_(was)
