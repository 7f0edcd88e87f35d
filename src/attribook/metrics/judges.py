"""Judges: models that see only some words of a prompt and say which word comes next.

A judge is anything with a `name` and `ask`. Two kinds are here: a causal model of this process (`LocalJudge`), and
any server with the chat completions of OpenAI's interface (`judge_server.ServerJudge`). Noiser's own prompt for its
judge is lost with appendix E of the text; this one is ours, and both kinds ask it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK
from attribook.models import Explained, load_model
from attribook.models.explained import stop_tokens
from attribook.models.registry import DEFAULT_MODEL

INSTRUCTION = """A sentence breaks off, and only some of its words are left, in their order:

{words}

Which word comes next after the sentence? Answer with that word only."""
NO_WORDS = "(none)"
CUE = "\n\nNext word:"  # where there is no chat template, the answer begins here
EMPTY = "empty answer"


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


def question(words: Sequence[str]) -> str:
    """The prompt for a judge."""
    return INSTRUCTION.format(words=" ".join(words) or NO_WORDS)


class LocalJudge:
    """A causal language model as judge, decoding greedily.

    The question goes into the tokenizer's chat template, where there is one. Candidates are the most probable first
    tokens, each continued greedily. An answer ends with a stop token, a line, or `max_new_tokens`.
    Raises: AttribookError for a model that does not write, or a question beyond its context window.
    """

    def __init__(self, model: Explained, *, max_new_tokens: int = 8) -> None:
        if model.kind != "causal_lm":
            raise AttribookError(f"{model.name} is no causal language model and cannot judge. Use {DEFAULT_MODEL}.")
        if max_new_tokens < 1:
            raise AttribookError(f"A judge needs room for at least one token, not {max_new_tokens}.")
        self.model, self.max_new_tokens = model, max_new_tokens
        self.name = f"{model.name}@{model.fingerprint}"
        self.stops = stop_tokens(model)

    def ask(self, words: Sequence[str], candidates: int = 1) -> JudgeAnswer:
        """See `Judge`. Status `empty answer` where the most probable answer has no text."""
        ids = self._ids(question(words))
        logits, known = self.model.engine.prompt(ids.to(self.model.network.device))
        texts = [self._continued(ids, int(token), known) for token in logits.topk(candidates).indices]
        return JudgeAnswer(texts[0], tuple(texts), OK if texts[0] else EMPTY)

    def _ids(self, text: str) -> Tensor:
        tokenizer = self.model.tokenizer
        if tokenizer.chat_template:
            turns = [{"role": "user", "content": text}]
            ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
        else:
            ids = tokenizer(text + CUE)["input_ids"]
        window = getattr(self.model.network.config.get_text_config(), "max_position_embeddings", None)
        if window is not None and len(ids) + self.max_new_tokens > window:
            raise AttribookError(
                f"The judge's question has {len(ids)} tokens, and with {self.max_new_tokens} for an answer they exceed "
                f"the context window of {self.model.name}, {window}. Shorten the prompt or choose another judge."
            )
        return torch.tensor(ids)

    def _continued(self, ids: Tensor, first: int, known: object) -> str:
        """The answer that begins with a token, up to the end of its line."""
        answer, text = [first], ""
        while answer[-1] not in self.stops:
            text = self.model.tokenizer.decode(answer, skip_special_tokens=True)
            if len(answer) == self.max_new_tokens or "\n" in text.lstrip():
                break
            whole = torch.cat([ids, torch.tensor(answer)]).to(self.model.network.device)
            logits, known = self.model.engine.prompt(whole, known)  # type: ignore[arg-type]
            answer.append(int(logits.argmax()))
        return text.strip().partition("\n")[0].strip()


def local_judge(name: str = DEFAULT_MODEL) -> LocalJudge:
    """The judge that needs no server: a model of that name."""
    return LocalJudge(load_model(name))
