"""The forward engine: many edited copies of one prompt through a network, counted, in batches.

Rows are split by a budget of tokens a batch. A causal network's logits are computed at the last position only. Keys
and values of the prefix that rows share with the prompt are taken from the prompt's own forward, which is exact for
causal attention: a token's keys and values depend on nothing to its right. An encoder has no such prefix.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
import transformers
from torch import Tensor

from attribook.errors import AttribookError
from attribook.models.edits import RowGroup
from attribook.models.encoding import KeysValues
from attribook.models.injection import AttentionLayer, injected, recording

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedModel

# A batch costs about as much as this many more tokens, because all weights are read once. Chosen on two cores with
# SmolLM2-135M, as was the budget. Neither number moves a result, only its speed.
BATCH_OVERHEAD = 42
DEFAULT_BUDGET = {"cpu": 768, "cuda": 16384}


def default_budget(device: torch.device) -> int:
    """Tokens of one batch on a kind of device, where nothing else is asked for."""
    return DEFAULT_BUDGET.get(device.type, DEFAULT_BUDGET["cuda"])


@dataclass
class Counter:
    """What was run: prompts forwarded and differentiated, tokens computed, batches."""

    forwards: int = 0
    backwards: int = 0
    tokens: int = 0
    batches: int = 0

    def copy(self) -> Counter:
        """A snapshot."""
        return Counter(**vars(self))

    def __sub__(self, earlier: Counter) -> Counter:
        return Counter(**{name: value - getattr(earlier, name) for name, value in vars(self).items()})


@dataclass
class Engine:
    """Runs `network`; `token_budget` bounds the tokens of one batch, `on_progress` hears of each finished row."""

    network: PreTrainedModel
    token_budget: int = 0
    reuse_prefix: bool = True
    causal: bool = True  # whether the last position predicts a token; else the network has a head for its classes
    answers: Tensor | None = None  # (C,) the tokens that count as answers; None for all
    counter: Counter = field(default_factory=Counter)
    on_progress: Callable[[int], object] | None = None

    def __post_init__(self) -> None:
        if not self.token_budget:
            self.token_budget = default_budget(self.network.device)

    def logits(self, inputs: Tensor, cache: DynamicCache | None = None, *, keep: bool = False) -> tuple[Tensor, object]:
        """Logits of the answers `(b, C)` for ids `(b, T')` or embeddings `(b, T', D)` after `cache`.

        The second value holds keys and values, where `cache` was given or `keep` asks for them.
        """
        given = {"input_ids" if inputs.dtype == torch.long else "inputs_embeds": inputs}
        if not self.causal:
            return checked(self.network(**given).logits), None
        name, kept = cache_name(type(self.network).forward), keep or cache is not None
        output = self.network(**given, **{name: cache}, use_cache=kept, logits_to_keep=1)
        logits = checked(output.logits[:, -1])  # (b, V)
        return (logits if self.answers is None else logits[:, self.answers]), getattr(
            output, name, None
        ) if kept else None

    @torch.no_grad()
    def prompt(self, ids: Tensor, known: KeysValues | None = None) -> tuple[Tensor, KeysValues | None]:
        """Logits `(C,)` for one prompt `(T,)` and its keys and values, None where they cannot be reused.

        `known` holds the keys and values of its first tokens, which are then not computed again.
        """
        start = known[0][0].shape[-2] if known and self.reuse_prefix else 0
        cache = repeated(known, start, 1, self.network) if known and start else None
        logits, cache = self.logits(ids[None, start:], cache, keep=True)
        self._count(rows=1, tokens=len(ids) - start)
        return logits[0], reusable(cache, len(ids)) if self.reuse_prefix else None

    @torch.no_grad()
    def run(self, group: RowGroup, prefix: KeysValues | None, read: Callable[[Tensor], Tensor]) -> Tensor:
        """`read(logits (b, C)) -> (b, ...)` for every row of the group, in order: `(B, ...)`."""
        shared = group.shared if prefix is not None else torch.zeros_like(group.shared)
        results: list[Tensor | None] = [None] * len(shared)
        for rows, start in batches(shared, group.inputs.shape[1], self.token_budget):
            inputs = group.inputs[rows, start:].to(self.network.device)  # (b, T' - start[, D])
            cache = repeated(prefix, start, len(rows), self.network) if prefix is not None and start else None
            values = read(self.logits(inputs, cache)[0])
            for place, value in zip(rows.tolist(), values, strict=True):
                results[place] = value
            self._count(rows=len(rows), tokens=inputs.shape[0] * inputs.shape[1])
        return torch.stack([value for value in results if value is not None])

    def gradients(
        self, embeds: Tensor, read: Callable[[Tensor], Tensor], prefix: KeysValues | None = None, start: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Gradient of `read(logits (b, C)) -> (b,)` for `embeds` `(B, T', D)`: `(B, T', D)` and values `(B,)`.

        With a prefix, `embeds` stand after its first `start` tokens, which they all share.
        """
        size = max(1, self.token_budget // embeds.shape[1])
        grads, values = [], []
        for chunk in embeds.split(size):
            leaf = chunk.detach().to(self.network.device).requires_grad_()
            cache = repeated(prefix, start, len(chunk), self.network) if prefix is not None and start else None
            value = read(self.logits(leaf, cache)[0])  # (b,)
            (grad,) = torch.autograd.grad(value.sum(), leaf)
            grads.append(grad.detach())
            values.append(value.detach())
            self._count(rows=len(chunk), tokens=chunk.shape[0] * chunk.shape[1], backwards=len(chunk))
        return torch.cat(grads), torch.cat(values)

    @torch.no_grad()
    def attentions(self, ids: Tensor) -> Tensor:
        """Attention weights `(L, H, T, T)` of one prompt `(T,)`; the network must be in eager attention."""
        cheap = {"use_cache": False, "logits_to_keep": 1} if self.causal else {}
        output = self.network(input_ids=ids[None].to(self.network.device), output_attentions=True, **cheap)
        self._count(rows=1, tokens=len(ids))
        return torch.cat(one_of_each_layer(self.network, output, len(ids))).cpu()  # (L, H, T, T)

    @torch.no_grad()
    def attention_layers(self, embeds: Tensor, numbers: Sequence[int]) -> list[AttentionLayer]:
        """State and attention of some layers for the `embeds` `(T, D)` of one prompt."""
        with recording(self.network, numbers) as found:
            self.logits(embeds[None].to(self.network.device))
        self._count(rows=1, tokens=len(embeds))
        return found

    def attention_gradients(
        self, embeds: Tensor, layer: AttentionLayer, weights: Tensor, read: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Gradient of `read(logits (b, C)) -> (b,)` for `weights` `(B, H, T, T)`: `(B, H, T, T)`, and values `(B,)`.

        A row counts as a forward and its tokens, although the layers below are not run.
        """
        size = max(1, self.token_budget // len(embeds))
        grads, values = [], []
        for chunk in weights.split(size):
            leaf = chunk.detach().to(self.network.device).requires_grad_()
            rows = embeds.to(self.network.device).expand(len(chunk), -1, -1)  # (b, T, D)
            with injected(self.network, layer, leaf):
                value = read(self.logits(rows)[0])  # (b,)
            (grad,) = torch.autograd.grad(value.sum(), leaf)
            grads.append(grad.detach())
            values.append(value.detach())
            self._count(rows=len(chunk), tokens=len(chunk) * len(embeds), backwards=len(chunk))
        return torch.cat(grads), torch.cat(values)

    def greedy(self, ids: Tensor, limit: int, stops: set[int]) -> list[int]:
        """The most probable continuation of `ids` `(T,)`: up to `limit` tokens, the last of which may be a stop.

        Every token is one forward; the first computes the prompt, the others one token each.
        """
        found: list[int] = []
        name = cache_name(type(self.network).forward)
        given, cache = ids.to(self.network.device), None
        while len(found) < limit and not stops.intersection(found[-1:]):
            output = self.network(input_ids=given[None], **{name: cache}, use_cache=True, logits_to_keep=1)
            self._count(rows=1, tokens=len(given))
            given, cache = checked(output.logits[:, -1]).argmax(-1), output[name]  # (1,)
            found.append(int(given))
        return found

    def _count(self, *, rows: int, tokens: int, backwards: int = 0) -> None:
        self.counter.forwards += rows
        self.counter.backwards += backwards
        self.counter.tokens += tokens
        self.counter.batches += 1
        if self.on_progress is not None:
            self.on_progress(rows)


def one_of_each_layer(network: PreTrainedModel, output: object, length: int) -> tuple[Tensor, ...]:
    """The attention maps `(1, H, T, T)` that a network returned.

    Raises: AttribookError unless there is one for each layer: networks that mix attention with something else (a
    recurrence, a convolution) return fewer, and which layers these are is not said.
    """
    maps = tuple(getattr(output, "attentions", None) or ())
    layers = network.config.get_text_config().num_hidden_layers
    square = all(isinstance(each, Tensor) and each.shape[-2:] == (length, length) for each in maps)
    if len(maps) != layers or not square:
        raise AttribookError(
            f"{type(network).__name__} has {layers} layers and returns {len(maps)} attention maps, so no attention can "
            "be followed through it. Use occlusion or integrated_gradients."
        )
    return maps


def checked(logits: Tensor) -> Tensor:
    """The logits themselves; AttribookError if one is NaN."""
    if bool(torch.isnan(logits).any()):
        raise AttribookError(
            "The model returned NaN logits, so no score can be computed. Load it in float32 (dtype='float32') "
            "and verify its weights with `attribook models verify`."
        )
    return logits


def batches(shared: Tensor, length: int, budget: int) -> Iterator[tuple[Tensor, int]]:
    """Rows to run together and the prefix length they all share.

    Rows are sorted by their shared prefix and cut where that saves the most: a batch of n rows that share p
    tokens costs BATCH_OVERHEAD + n * (length - p). The cut is found exactly, by dynamic programming over the
    distinct prefix lengths, longest first.
    """
    starts, counts = shared.unique(sorted=True, return_counts=True)
    starts, counts = starts.flip(0).tolist(), counts.flip(0).tolist()
    before = [0, *accumulate(counts)]  # rows in the first j lengths
    best: list[tuple[int, int]] = [(0, 0)]  # cost of the first j lengths, and where their last batch begins
    for j in range(1, len(starts) + 1):
        width = length - starts[j - 1]
        options = []
        for i in range(j):
            rows = before[j] - before[i]
            splits = -(-rows * width // budget)  # batches that the budget makes of them
            options.append((best[i][0] + splits * BATCH_OVERHEAD + rows * width, i))
        best.append(min(options))
    cuts, j = [], len(starts)
    while j:
        cuts.append((best[j][1], j))
        j = best[j][1]
    for i, j in reversed(cuts):
        start = starts[j - 1]
        members = ((shared >= start) & (shared <= starts[i])).nonzero()[:, 0]
        for rows in members.split(max(1, budget // (length - start))):
            yield rows, start


@lru_cache
def cache_name(forward: Callable[..., object]) -> str:
    """What a forward calls keys and values from before, as does its output: transformers 5.24 began to rename them."""
    return "cache" if "cache" in inspect.signature(forward).parameters else "past_key_values"


def reusable(cache: object, length: int) -> KeysValues | None:
    """Keys and values of all layers, or None unless every layer kept all `length` positions (sliding windows)."""
    layers = getattr(cache, "layers", None)
    if not isinstance(cache, transformers.DynamicCache) or not layers:
        return None
    pairs = [(getattr(layer, "keys", None), getattr(layer, "values", None)) for layer in layers]
    kept: KeysValues = [(k, v) for k, v in pairs if k is not None and v is not None and k.shape[-2] == length]
    return kept if len(kept) == len(layers) else None


def repeated(prefix: KeysValues, length: int, rows: int, network: PreTrainedModel) -> DynamicCache:
    """A cache that holds the first `length` positions of the prefix for `rows` rows."""
    cache = transformers.DynamicCache(config=network.config)
    for layer, (keys, values) in enumerate(prefix):
        shape = (rows, -1, -1, -1)
        cache.update(keys[:, :, :length].expand(shape), values[:, :, :length].expand(shape), layer)
    return cache
