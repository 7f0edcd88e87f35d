"""The explained model of the kind `CausalLM`: a next token over the vocabulary."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attribook.errors import AttribookError, AttribookWarning
from attribook.models.edits import Edits
from attribook.models.encoding import Encoding
from attribook.models.engine import Engine

Read = Callable[[Tensor], Tensor]
OUTPUTS = ("probability", "logit", "log_probability")


class CausalLM:
    """A causal language model whose next-token prediction is explained. Weights are frozen."""

    kind = "causal_lm"

    def __init__(
        self,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str = "unnamed",
        fingerprint: str = "",
        token_budget: int = 0,
        reuse_prefix: bool = True,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = fingerprint
        self.engine = Engine(self.network, token_budget, reuse_prefix)

    # -- prompts -------------------------------------------------------------------------------------------------

    def encode(
        self,
        text: str,
        *,
        target: str | None = None,
        spans: Mapping[str, tuple[int, int]] | None = None,
    ) -> Encoding:
        """Tokenise a prompt and predict; the target is `target`'s first token, else the most probable one.

        `spans` are character ranges (end exclusive); a token belongs to a span when its text, leading space
        aside, overlaps it.
        Raises: AttribookError for an empty prompt, one longer than the context window, an empty target.
        """
        if not text.strip():
            raise AttribookError("The prompt is empty. Give at least one word to attribute the prediction to.")
        batch = self.tokenizer(text, return_offsets_mapping=True)
        ids = torch.tensor(batch["input_ids"])  # (T,)
        self._check_length(len(ids))
        # By id, so that special tokens written in the prompt count too; an unknown word is still a word.
        names = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
        special = torch.tensor([token in names for token in batch["input_ids"]])  # (T,)
        notes: list[str] = []
        logits, prefix = self.engine.prompt(ids.to(self.network.device))
        logits = logits.double().cpu()  # (V,)
        distribution = logits.softmax(-1)
        wanted = self._target_id(text, target, ids, notes) if target is not None else int(distribution.argmax())
        return Encoding(
            text=text,
            ids=ids,
            tokens=token_texts(text, self.tokenizer, ids, batch["offset_mapping"], special),
            attributable=~special,
            spans={name: overlap(text, batch["offset_mapping"], *span) for name, span in (spans or {}).items()},
            target=wanted,
            target_text=self.continuation(ids, wanted),
            logits=logits,
            distribution=distribution,
            embeds=self.embed(ids).cpu(),
            notes=notes,
            prefix=prefix,
        )

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings `(..., D)` of ids, scaled as the network's own embedding layer scales them."""
        with torch.no_grad():
            return self.network.get_input_embeddings()(ids.to(self.network.device))

    def continuation(self, ids: Tensor, token: int) -> str:
        """Text that `token` adds after `ids`, leading space included for every kind of tokenizer."""
        tail = ids.tolist()[-8:]  # enough context for the decoder; a whole prompt would be decoded for nothing
        start, whole = self.tokenizer.decode(tail), self.tokenizer.decode([*tail, token])
        return whole[len(start) :] if whole.startswith(start) and whole != start else self.tokenizer.decode([token])

    def _check_length(self, length: int) -> None:
        window = getattr(self.network.config.get_text_config(), "max_position_embeddings", None)
        if window is not None and length > window:
            raise AttribookError(
                f"The prompt has {length} tokens, the context window of {self.name} holds {window}. Shorten the prompt."
            )

    def _target_id(self, text: str, target: str, ids: Tensor, notes: list[str]) -> int:
        if not target:
            raise AttribookError("The target is empty. Leave --target out to explain the model's own prediction.")
        whole = self.tokenizer(text + target)["input_ids"]
        joined = whole[: len(ids)] == ids.tolist() and len(whole) > len(ids)
        pieces = whole[len(ids) :] if joined else self.tokenizer(target, add_special_tokens=False)["input_ids"]
        if len(pieces) > 1:
            first = self.continuation(ids, pieces[0])
            hint = "" if target[0].isspace() else " (a leading space often makes a word one token)"
            notes.append(f"The target {target!r} is {len(pieces)} tokens; its first, {first!r}, is explained{hint}.")
            warnings.warn(notes[-1], AttribookWarning, stacklevel=4)
        return pieces[0]

    # -- answers -------------------------------------------------------------------------------------------------

    def read(self, encoding: Encoding, edits: Edits, reader: Read) -> Tensor:
        """`reader(logits (b, V)) -> (b, ...)` for every edited copy of the prompt, stacked in order on the CPU."""
        results: dict[int, Tensor] = {}
        for group in edits.groups(encoding.ids, encoding.embeds):
            values = self.engine.run(group, encoding.prefix, reader).cpu()
            results.update(zip(group.places.tolist(), values, strict=True))
        return torch.stack([results[place] for place in range(len(edits))])

    def distributions(self, encoding: Encoding, edits: Edits) -> Tensor:
        """Next-token probabilities `(B, V)` in float64."""
        return self.read(encoding, edits, lambda logits: logits.double().softmax(-1))

    def outputs(self, encoding: Encoding, edits: Edits, output: str = "probability") -> Tensor:
        """The target's probability, logit or log-probability `(B,)` for every edited copy."""
        return self.read(encoding, edits, target_reader(encoding.target, output)).double()

    def output(self, encoding: Encoding, output: str = "probability") -> float:
        """The same for the unchanged prompt, which costs nothing: encoding it has computed its logits."""
        return float(target_reader(encoding.target, output)(encoding.logits[None])[0])

    def gradients(
        self, encoding: Encoding, embeds: Tensor, output: str = "probability", *, start: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Gradient of the target's output for embeddings `(B, T, D)`: `(B, T - start, D)`, and the outputs `(B,)`.

        The first `start` positions hold the prompt's own embeddings: their gradient is not computed, nor, where
        the prompt's keys and values can be reused, are they.
        """
        kept = start if encoding.prefix is not None else 0
        reader = target_reader(encoding.target, output)
        grads, values = self.engine.gradients(embeds[:, kept:], reader, encoding.prefix, kept)
        return grads[:, start - kept :].cpu(), values.cpu()

    def attentions(self, encoding: Encoding) -> Tensor:
        """Attention weights `(L, H, T, T)` of the unchanged prompt; row i is what position i looks at."""
        with eager_attention(self.network), torch.no_grad():
            output = self.network(
                input_ids=encoding.ids[None].to(self.network.device), output_attentions=True, use_cache=False,
                logits_to_keep=1,
            )  # fmt: skip
        self.engine._count(rows=1, tokens=len(encoding))
        return torch.cat(output.attentions).cpu()  # (L, H, T, T)


@contextmanager
def eager_attention(network: PreTrainedModel) -> Iterator[None]:
    """Switch to eager attention, the only implementation that returns its weights, and back, also after an error."""
    before = network.config._attn_implementation
    network.set_attn_implementation("eager")
    try:
        yield
    finally:
        network.set_attn_implementation(before)


def target_reader(target: int, output: str) -> Read:
    """From logits `(b, V)` to the explained quantity `(b,)`."""
    if output == "probability":
        return lambda logits: logits.softmax(-1)[:, target]
    if output == "log_probability":
        return lambda logits: logits.log_softmax(-1)[:, target]
    if output == "logit":
        return lambda logits: logits[:, target]
    raise AttribookError(f"Unknown output {output!r}. Choose one of: {', '.join(OUTPUTS)}.")


def token_texts(
    text: str,
    tokenizer: PreTrainedTokenizerBase,
    ids: Tensor,
    offsets: list[tuple[int, int]],
    special: Tensor,
) -> list[str]:
    """Text of each token, leading spaces included, so that the attributable ones join to the prompt.

    Where one character needs several tokens, the first has its text and the others the empty text.
    """
    texts, end = [], 0
    for token, (_, stop), is_special in zip(ids.tolist(), offsets, special.tolist(), strict=True):
        texts.append(tokenizer.convert_ids_to_tokens(token) if is_special else text[end:stop])
        end = max(end, stop)
    return texts


def overlap(text: str, offsets: list[tuple[int, int]], start: int, end: int) -> Tensor:
    """Tokens `(T,)` whose text overlaps the characters [start, end); a token's leading spaces do not count."""
    inside = []
    for first, stop in offsets:
        first += len(text[first:stop]) - len(text[first:stop].lstrip())
        inside.append(first < end and stop > start and first < stop)
    return torch.tensor(inside)
