"""What is checked of every network when it is loaded: that it is what the engine takes it to be.

Two things hold for the networks that are explained here, and nothing in a checkpoint says whether they do:

- Token ids and their embeddings give the same answer. Methods that move embeddings rest on it. Networks that give a
  token more than its embedding (a second table in every layer, say) break it.
- A next-token predictor reads no later token. What is reused of a prompt rests on it, and so does the sentence "the
  model predicts". Encoders with the head of a language model break it.

Both are measured on a probe of a few tokens, in two batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attribook.errors import AttribookError
from attribook.models.engine import checked

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBED = 8  # tokens of the probe
# The largest difference of logits, as a share of the largest logit. All batches have one shape, so that the same sums
# are made in the same order: sound networks differ by 1e-6 in float32, and by nothing in bfloat16 (measured by the
# tests on every family); networks that break a rule by more than 1e-3.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4}
COARSE = 1e-2  # in lower precision, one step of which is 4e-3 (bfloat16)


@dataclass(frozen=True)
class Soundness:
    """Largest differences of logits, relative to the largest logit; `later` is None for a classifier."""

    embeddings: float  # between a prompt given as ids and the same given as embeddings
    later: float | None  # at earlier positions, when the last token changes
    tolerance: float

    @property
    def embeds(self) -> bool:
        """Whether ids and embeddings give the same answer."""
        return self.embeddings <= self.tolerance

    def refusal(self, name: str) -> str:
        """Why embeddings cannot be moved, for a message."""
        return (
            f"{name} gives another answer for the embeddings of a prompt than for its tokens (logits differ by "
            f"{self.embeddings:.1%} of the largest), so what moves embeddings says nothing about it: the network gives "
            "its tokens more than their embeddings. Use a method that changes tokens: occlusion or reagent."
        )


@torch.no_grad()
def soundness(network: PreTrainedModel, *, causal: bool) -> Soundness:
    """Measure both rules. The network is in evaluation mode."""
    ids = probe(network)  # (T,)
    changed = ids.clone()
    changed[-1] = ids[0]
    both = torch.stack([ids, changed])  # (2, T)
    first = logits_of(network, input_ids=both)  # (2, T, V) or (2, C)
    again = logits_of(network, inputs_embeds=network.get_input_embeddings()(both))  # the same shape
    scale = max(float(first.abs().max()), torch.finfo(torch.float32).tiny)
    later = float((first[0, :-1] - first[1, :-1]).abs().max()) / scale if causal else None
    gap = float((again - first).abs().max()) / scale
    return Soundness(gap, later, TOLERANCE.get(network.dtype, COARSE))


def probe(network: PreTrainedModel) -> Tensor:
    """A few different ids `(T,)`, spread over the vocabulary, none of them special; fewer for short windows."""
    config = network.config.get_text_config()
    rows = network.get_input_embeddings().weight.shape[0]
    named = {value for name, value in vars(config).items() if name.endswith("_token_id") and isinstance(value, int)}
    window = getattr(config, "max_position_embeddings", None) or PROBED
    free = [token for token in range(rows) if token not in named] or [0]
    many = max(2, min(PROBED, window // 2))
    places = torch.linspace(0, len(free) - 1, many).long().tolist()
    return torch.tensor([free[place] for place in places], device=network.device)


def logits_of(network: PreTrainedModel, **given: Tensor) -> Tensor:
    """Logits in float64. Raises: AttribookError where the network cannot be run on what it should take."""
    (way,) = given
    with in_one_line(f"A {type(network).__name__} cannot be run on {way} alone"):
        return checked(network(**given).logits).double()


@contextmanager
def in_one_line(what: str, instead: str = "") -> Iterator[None]:
    """Make our own error of whatever a library raises on damaged files; each of them has its own kinds of errors.

    `what` could not be done; `instead` says what to do.
    """
    try:
        yield
    except (AttribookError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of the tokenizers library is no Exception
        reason = (str(error).strip().splitlines() or ["no message"])[0][:300]
        raise AttribookError(f"{what}: {type(error).__name__}: {reason.rstrip('.')}. {instead}".strip()) from error


def refuse_what_reads_later_tokens(name: str, found: Soundness) -> None:
    """Raises: AttribookError for a network whose earlier predictions change with a later token."""
    if found.later is not None and not found.later <= found.tolerance:
        raise AttribookError(
            f"{name} is no next-token predictor: what it predicts early in a text changes with a later token (logits "
            f"move by {found.later:.1%} of the largest). Load a model that reads from left to right, or mend its "
            "config: is_decoder and the attention window decide."
        )
