"""Judges: models that see only some words of a prompt and say which word comes next.

A judge is anything with a `name` and `ask`. Two kinds are here: a causal model of this process (`LocalJudge`), and
any server with the chat completions of OpenAI's interface (`judge_server.ServerJudge`). Noiser's own prompt for its
judge is not in the text; its released script asks for a list of the five most probable completions of a list of words.
Ours is in questions.py, and both kinds of judges get it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK
from attribook.metrics.questions import lines, question
from attribook.models.encoding import KeysValues
from attribook.models.explained import Explained, stop_tokens
from attribook.models.registry import DEFAULT_MODEL


@dataclass(frozen=True)
class JudgeAnswer:
    """What a judge said. A status other than `ok` names why it said nothing.

    `candidates` are its most probable answers, the best first; None where it cannot tell.
    """

    text: str
    candidates: tuple[str, ...] | None = None
    status: str = OK


class Judge(Protocol):
    """What answerability asks."""

    @property
    def name(self) -> str:
        """Identifies the judge in a row's key."""

    def ask(self, words: Sequence[str], candidates: int = 1) -> JudgeAnswer:
        """The word that comes after a sentence of which these words are left, and so many candidates for it."""


class LocalJudge:
    """A causal language model as judge, decoding greedily.

    `asking` `plain`: it goes on with the line of words; `chat`: the question is put into the tokenizer's chat template.
    Small models continue a line far better than they follow an instruction, so `plain` is the default. Candidates are
    the most probable first tokens, each continued greedily. An answer ends with a stop token, its line, or
    `max_new_tokens`, or, with `max_words`, where another word begins: those it has are then the same and cost less.
    The tokens that all questions begin with are encoded once; their keys and values serve every question.
    Raises: AttribookError for a model that does not write or has no chat template, or a question beyond its context
        window.
    """

    def __init__(self, model: Explained, *, asking: str = "plain", max_new_tokens: int = 8, max_words: int = 0) -> None:
        if model.kind != "causal_lm":
            raise AttribookError(f"{model.name} is no causal language model and cannot judge. Use {DEFAULT_MODEL}.")
        if asking not in ("plain", "chat"):
            raise AttribookError(f"Unknown way of asking {asking!r} of a judge. Choose plain or chat.")
        if asking == "chat" and not model.tokenizer.chat_template:
            raise AttribookError(f"The tokenizer of {model.name} has no chat template. Use asking=plain.")
        if max_new_tokens < 1:
            raise AttribookError(f"A judge needs room for at least one token, not {max_new_tokens}.")
        self.model, self.asking, self.max_new_tokens, self.max_words = model, asking, max_new_tokens, max_words
        self.name = f"{model.name}@{model.fingerprint}, {asking}"
        self.stops = stop_tokens(model)

    def ask(self, words: Sequence[str], candidates: int = 1) -> JudgeAnswer:
        """See `Judge`. A line that ends without another word is an answer, and a wrong one."""
        ids = self._ids(words)
        shared, prefix = self._shared
        same = len(ids) > len(shared) and torch.equal(ids[: len(shared)], shared)
        logits, known = self.model.engine.prompt(ids.to(self.model.network.device), prefix if same else None)
        texts = [self._continued(ids, int(token), known) for token in logits.topk(candidates).indices]
        return JudgeAnswer(texts[0], tuple(texts))

    @cached_property
    def _shared(self) -> tuple[Tensor, KeysValues | None]:
        """The tokens that every question begins with, and their keys and values."""
        one, other = self._ids(["A"]), self._ids([])
        size = min(len(one), len(other)) - 1
        apart = (one[:size] != other[:size]).nonzero()
        shared = one[: int(apart[0]) if len(apart) else size]
        return shared, self.model.engine.prompt(shared.to(self.model.network.device))[1] if len(shared) else None

    def _ids(self, words: Sequence[str]) -> Tensor:
        tokenizer = self.model.tokenizer
        if self.asking == "chat":
            turns = [{"role": "user", "content": question(words)}]
            ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
        else:
            ids = tokenizer(lines(words))["input_ids"]
        window = getattr(self.model.network.config.get_text_config(), "max_position_embeddings", None)
        if window is not None and len(ids) + self.max_new_tokens > window:
            raise AttribookError(
                f"The judge's question has {len(ids)} tokens, and with {self.max_new_tokens} for an answer they exceed "
                f"the context window of {self.model.name}, {window}. Shorten the prompt or choose another judge."
            )
        return torch.tensor(ids)

    def _continued(self, ids: Tensor, first: int, known: object) -> str:
        """The answer that begins with a token, up to the end of its line; in a chat it may begin on a new line."""
        answer, text = [first], ""
        while answer[-1] not in self.stops:
            text = self.model.tokenizer.decode(answer, skip_special_tokens=True)
            text = text.lstrip() if self.asking == "chat" else text
            if len(answer) == self.max_new_tokens or "\n" in text or 0 < self.max_words < len(text.split()):
                break
            whole = torch.cat([ids, torch.tensor(answer)]).to(self.model.network.device)
            logits, known = self.model.engine.prompt(whole, known)  # type: ignore[arg-type]
            answer.append(int(logits.argmax()))
        line = text.partition("\n")[0].strip()
        return " ".join(line.split()[: self.max_words]) if self.max_words else line
