"""The explained model of the kind `PromptedClassifier`: a causal language model asked to name a class.

The prompt is a template around the user's text: an instruction, a few labelled examples, the text, and the words after
which a label is due. Only the label tokens count as answers: class probabilities are a softmax over their logits. Only
the tokens of the user's text are attributable, and no method changes a token of the template. The three parts are
tokenised one by one and joined as ids, so no token straddles two of them (RPI's released code does the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from attribook.errors import AttribookError
from attribook.models.classifier import label_number
from attribook.models.encoding import Encoding, KeysValues, following_ids, overlap, token_texts
from attribook.models.explained import Explained
from attribook.models.templates import Template


class PromptedClassifier(Explained):
    """A causal language model and a template; its choice among the label tokens is explained.

    Raises: AttribookError if the labels do not begin with different tokens.
    """

    kind = "prompted_classifier"

    def __init__(self, *given: Any, template: Template, **named: Any) -> None:
        super().__init__(*given, **named)
        self.template = template
        self.before = torch.tensor(self.tokenizer(template.before)["input_ids"])
        self.after = torch.tensor(following_ids(self.tokenizer, template.before, template.after))
        first = [following_ids(self.tokenizer, template.after, word)[0] for word in template.words]
        if len(set(first)) < len(first):
            raise AttribookError(
                f"The labels of {template.name}, {', '.join(template.words)}, begin with the same token for "
                f"{self.name}, so its answers cannot be told apart. Choose other words in a template of your own."
            )
        self.answers = first  # token of each class
        self.engine.answers = torch.tensor(first, device=self.network.device)
        self.known: KeysValues | None = None  # of the template's first part, once it was computed

    @property
    def labels(self) -> list[str]:
        """Names of the C classes, in the order of their logits."""
        return list(self.template.labels)

    def encode(
        self, text: str, *, target: str | None = None, spans: Mapping[str, tuple[int, int]] | None = None
    ) -> Encoding:
        """Put the text into the template and classify it; target and spans as in `SequenceClassifier.encode`."""
        self._check_text(text)
        # Leading space: the text follows a word of the template.
        own = self._read(" " + text.lstrip(), add_special_tokens=False)
        shift = 1 - (len(text) - len(text.lstrip()))  # from the user's characters to the tokenised ones
        inner = torch.tensor(own["input_ids"])
        ids = torch.cat([self.before, inner, self.after])  # (T,)
        self._check_length(len(ids))
        template = torch.ones(len(ids), dtype=torch.bool)
        template[len(self.before) : len(self.before) + len(inner)] = False
        special = self.specials(inner)
        logits, prefix = self.engine.prompt(ids.to(self.network.device), self.known)
        if prefix is not None and self.known is None:
            lead = len(self.before)
            self.known = [(keys[:, :, :lead].clone(), values[:, :, :lead].clone()) for keys, values in prefix]
        logits = logits.double().cpu()  # (C,)
        wanted = int(logits.argmax()) if target is None else label_number(target, self.labels)
        offsets = own["offset_mapping"]
        around = [[self.tokenizer.decode([token]) for token in part.tolist()] for part in (self.before, self.after)]
        words = token_texts(" " + text.lstrip(), self.tokenizer, inner, offsets, special)
        words[0] = text[: len(text) - len(text.lstrip())] + words[0][1:]  # the space before it is the template's
        attributable = ~template
        attributable[~template] = ~special

        def place(start: int, end: int) -> torch.Tensor:
            inside = torch.zeros_like(template)
            inside[~template] = overlap(" " + text.lstrip(), offsets, start + shift, end + shift)
            return inside

        return Encoding(
            text=text,
            ids=ids,
            tokens=[*around[0], *words, *around[1]],
            entries=self.tokenizer.convert_ids_to_tokens(ids.tolist()),
            attributable=attributable,
            template=template,
            reads=len(ids) - 1,
            spans={name: place(*span) for name, span in (spans or {}).items()},
            target=wanted,
            target_text=self.labels[wanted],
            logits=logits,
            distribution=logits.softmax(-1),
            embeds=self.embed(ids).cpu(),
            special_names=self.special_names,
            prefix=prefix,
        )

    def answer_text(self, encoding: Encoding, answer: int) -> str:
        """Name of the class."""
        del encoding
        return self.labels[answer]
