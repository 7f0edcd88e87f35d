"""The explained model of the kind `CausalLM`: a next token over the vocabulary."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from attribook.errors import AttribookError, AttribookWarning
from attribook.models.encoding import Encoding, following_ids, overlap, token_texts
from attribook.models.explained import Explained, refuse_no_text


class CausalLM(Explained):
    """A causal language model whose next-token prediction is explained."""

    kind = "causal_lm"

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
        ids, offsets = self._tokenised(text)
        ids, offsets, notes = self._without_end(ids, offsets)
        special = self.specials(ids)
        tokens = token_texts(text, self.tokenizer, ids, offsets, special)
        wanted = self._target_id(text, target, ids, notes) if target is not None else None
        named = {name: overlap(text, offsets, *span) for name, span in (spans or {}).items()}
        return self._encoding(text, ids, tokens, special, named, wanted, notes)

    def extended(self, encoding: Encoding, tokens: Sequence[int]) -> Encoding:
        """The prompt followed by more tokens, such as those that the model itself went on with; exact in ids.

        Nothing is tokenised again, and the new tokens belong to no span. The target is the most probable next token.
        Raises: AttribookError if the context window is too short.
        """
        ids, texts = encoding.ids, list(encoding.tokens)
        for token in tokens:
            texts.append(self.continuation(ids, token))
            ids = torch.cat([ids, torch.tensor([token])])
        self._check_length(len(ids))
        more = torch.zeros(len(tokens), dtype=torch.bool)
        special = torch.cat([~encoding.attributable, more])
        spans = {name: torch.cat([mask, more]) for name, mask in encoding.spans.items()}
        text = encoding.text + "".join(texts[len(encoding) :])
        return self._encoding(text, ids, texts, special, spans, None, [])

    def generated(self, encoding: Encoding, limit: int) -> list[int]:
        """The prompt's greedy continuation: at most `limit` tokens, before the first that ends a text."""
        ends = set(self.tokenizer.all_special_ids)
        found = self.engine.greedy(encoding.ids, limit, ends)
        return found[:-1] if found and found[-1] in ends else found

    def _encoding(
        self,
        text: str,
        ids: Tensor,
        tokens: list[str],
        special: Tensor,
        spans: Mapping[str, Tensor],
        target: int | None,
        notes: list[str],
    ) -> Encoding:
        """Predict, and put together what belongs to the prompt."""
        logits, prefix = self.engine.prompt(ids.to(self.network.device))
        logits = logits.double().cpu()  # (V,)
        distribution = logits.softmax(-1)
        wanted = int(distribution.argmax()) if target is None else target
        return Encoding(
            text=text,
            ids=ids,
            tokens=tokens,
            entries=self.tokenizer.convert_ids_to_tokens(ids.tolist()),
            attributable=~special,
            template=torch.zeros_like(special),
            reads=len(ids) - 1,
            spans=spans,
            target=wanted,
            target_text=self.continuation(ids, wanted),
            logits=logits,
            distribution=distribution,
            embeds=self.embed(ids).cpu(),
            special_names=self.special_names,
            notes=notes,
            prefix=prefix,
        )

    def answer_text(self, encoding: Encoding, answer: int) -> str:
        """The token's text, leading space included."""
        return self.continuation(encoding.ids, answer)

    def continuation(self, ids: Tensor, token: int) -> str:
        """Text that `token` adds after `ids`, leading space included for every kind of tokenizer."""
        tail = ids.tolist()[-8:]  # enough context for the decoder; a whole prompt would be decoded for nothing
        start, whole = self.tokenizer.decode(tail), self.tokenizer.decode([*tail, token])
        return whole[len(start) :] if whole.startswith(start) and whole != start else self.tokenizer.decode([token])

    def _without_end(
        self, ids: Tensor, offsets: Sequence[tuple[int, int]]
    ) -> tuple[Tensor, Sequence[tuple[int, int]], list[str]]:
        """The prompt without an end token that the tokenizer appends: what follows an ended text is no continuation."""
        special, length = self.specials(ids).tolist(), len(ids)
        while length > 1 and special[length - 1] and offsets[length - 1][0] == offsets[length - 1][1]:
            length -= 1
        if length == len(ids) or not all(special[length:]) or not any(not each for each in special[:length]):
            return ids, offsets, []
        names = ", ".join(self.tokenizer.convert_ids_to_tokens(ids[length:].tolist()))
        note = f"The tokenizer appends {names} to a text; it was left out, as the prompt goes on."
        return ids[:length], offsets[:length], [note]

    def _target_id(self, text: str, target: str, ids: Tensor, notes: list[str]) -> int:
        if not target:
            raise AttribookError("The target is empty. Leave --target out to explain the model's own prediction.")
        refuse_no_text("target", target)
        pieces = following_ids(self.tokenizer, text, target)
        if len(pieces) > 1:
            first = self.continuation(ids, pieces[0])
            hint = "" if target[0].isspace() else " (a leading space often makes a word one token)"
            notes.append(f"The target {target!r} is {len(pieces)} tokens; its first, {first!r}, is explained{hint}.")
            warnings.warn(notes[-1], AttribookWarning, stacklevel=4)
        return pieces[0]
