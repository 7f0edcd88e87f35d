"""The explained model of the kind `SequenceClassifier`: an encoder whose head reads the first token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from attribook.errors import AttribookError
from attribook.models.encoding import Encoding, overlap, token_texts
from attribook.models.explained import Explained
from attribook.models.families import ENCODERS


class SequenceClassifier(Explained):
    """An encoder with a classification head, whose predicted class is explained.

    Raises: AttribookError for an architecture that is not known to read the first token, and for a head that does not
    choose one class of several.
    """

    kind = "sequence_classifier"

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.family not in ENCODERS:
            raise AttribookError(
                f"{self.name} is a classifier of the family {self.family}, and it is not known where the head of "
                f"such a network reads. Known families of classifiers: {', '.join(ENCODERS)}."
            )
        config = self.network.config
        if config.num_labels < 2 or config.problem_type in ("regression", "multi_label_classification"):
            raise AttribookError(
                f"{self.name} does not choose one of several classes ({config.num_labels} output(s), "
                f"{config.problem_type or 'regression'}), so it has no predicted class to explain."
            )
        self.engine.causal = False

    @property
    def labels(self) -> list[str]:
        """Names of the C classes, in the order of their logits."""
        names = self.network.config.id2label
        return [str(names[number]) for number in range(self.network.config.num_labels)]

    def encode(
        self, text: str, *, target: str | None = None, spans: Mapping[str, tuple[int, int]] | None = None
    ) -> Encoding:
        """Tokenise a text and classify it; the target is the class of that name, else the most probable one.

        `spans` are character ranges (end exclusive), as in `CausalLM.encode`.
        Raises: AttribookError for an empty text, one longer than the context window, an unknown class.
        """
        ids, offsets = self._tokenised(text)
        special = self.specials(ids)
        logits, _ = self.engine.prompt(ids.to(self.network.device))
        logits = logits.double().cpu()  # (C,)
        wanted = int(logits.argmax()) if target is None else label_number(target, self.labels)
        return Encoding(
            text=text,
            ids=ids,
            tokens=token_texts(text, self.tokenizer, ids, offsets, special),
            entries=self.tokenizer.convert_ids_to_tokens(ids.tolist()),
            attributable=~special,
            template=torch.zeros_like(special),
            reads=0,
            spans={name: overlap(text, offsets, *span) for name, span in (spans or {}).items()},
            target=wanted,
            target_text=self.labels[wanted],
            logits=logits,
            distribution=logits.softmax(-1),
            embeds=self.embed(ids).cpu(),
            special_names=self.special_names,
        )

    def answer_text(self, encoding: Encoding, answer: int) -> str:
        """Name of the class."""
        del encoding
        return self.labels[answer]


def label_number(wanted: str, labels: list[str]) -> int:
    """Number of the class of that name, spaces and case aside. Raises: AttribookError with the known names."""
    names = [label.strip().lower() for label in labels]
    if wanted.strip().lower() not in names:
        raise AttribookError(f"There is no class {wanted.strip()!r}. The classes are: {', '.join(labels)}.")
    return names.index(wanted.strip().lower())
