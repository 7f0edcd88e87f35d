"""What all kinds of explained model share: answers to edits of an encoding, gradients, attention maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from attribook.errors import AttribookError
from attribook.models.edits import Edits, Embed
from attribook.models.encoding import Encoding
from attribook.models.engine import Engine
from attribook.models.families import find_family
from attribook.models.injection import AttentionLayer, injectable, layer_numbers
from attribook.models.soundness import Soundness, in_one_line

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Read = Callable[[Tensor], Tensor]
OUTPUTS = ("probability", "logit", "log_probability")


class Explained(ABC):
    """A network whose prediction for one text is explained. Weights are frozen.

    C answers: the vocabulary of a causal language model, the classes of a classifier.
    """

    kind = ""
    engine: Engine

    def __init__(
        self,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str = "unnamed",
        fingerprint: str = "",
        token_budget: int = 0,
        reuse_prefix: bool = True,
        sound: Soundness | None = None,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = fingerprint
        self.sound = sound  # None where a network was not loaded from a checkpoint
        self.engine = Engine(self.network, token_budget, reuse_prefix)

    @property
    def family(self) -> str:
        """Transformers' name of the architecture."""
        return str(self.network.config.get_text_config().model_type)

    # -- prompts -------------------------------------------------------------------------------------------------

    @abstractmethod
    def encode(
        self, text: str, *, target: str | None = None, spans: Mapping[str, tuple[int, int]] | None = None
    ) -> Encoding:
        """Tokenise a text and predict; every kind of model does it in its own way."""

    @abstractmethod
    def answer_text(self, encoding: Encoding, answer: int) -> str:
        """The words for one of the C answers."""

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings `(..., D)` of ids, scaled as the network's own embedding layer scales them."""
        with torch.no_grad():
            return self.network.get_input_embeddings()(ids.to(self.network.device))

    def specials(self, ids: Tensor) -> Tensor:
        """Which of ids `(T,)` are special tokens; by id, so that those written in the text count too.

        An unknown word is still a word.
        """
        names = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
        return torch.tensor([token in names for token in ids.tolist()])  # (T,)

    @property
    def special_names(self) -> frozenset[str]:
        """Special tokens by the tokenizer's own list; an unknown word is still a word."""
        return frozenset(self.tokenizer.all_special_tokens) - {self.tokenizer.unk_token}

    def _tokenised(self, text: str) -> tuple[Tensor, Sequence[tuple[int, int]]]:
        """Ids `(T,)` of a text that fits the context window, and the characters of each."""
        self._check_text(text)
        batch = self._read(text)
        self._check_length(len(batch["input_ids"]))
        rows = self.network.get_input_embeddings().weight.shape[0]
        if (largest := max(batch["input_ids"], default=0)) >= rows:
            raise AttribookError(
                f"The tokenizer of {self.name} gives the number {largest}, and the model knows {rows} tokens. Save the "
                "model with its own tokenizer."
            )
        return torch.tensor(batch["input_ids"]), batch["offset_mapping"]

    def _read(self, text: str, **how: bool) -> Mapping[str, Any]:
        """What the tokenizer makes of a text, with the characters of each token."""
        with in_one_line(f"The tokenizer of {self.name} cannot read the prompt", "Save the model with its own one."):
            # verbose=False: it is we who say that a prompt is too long
            return self.tokenizer(text, return_offsets_mapping=True, verbose=False, **how)

    def _check_text(self, text: str) -> None:
        if not text.strip():
            raise AttribookError("The prompt is empty. Give at least one word to attribute the prediction to.")
        refuse_no_text("prompt", text)

    def _check_length(self, length: int) -> None:
        window = getattr(self.network.config.get_text_config(), "max_position_embeddings", None)
        family = find_family(self.family)
        if window is not None and family is not None and family.after_padding:
            window -= self.network.config.pad_token_id + 1
        if window is not None and length > window:
            raise AttribookError(
                f"The prompt has {length} tokens, the context window of {self.name} holds {window}. Shorten the prompt."
            )

    def require_embeddings(self) -> None:
        """Raises: AttribookError where embeddings give another answer than the tokens that they are of."""
        if self.sound is not None and not self.sound.embeds:
            raise AttribookError(self.sound.refusal(self.name))

    # -- answers -------------------------------------------------------------------------------------------------

    def read(self, encoding: Encoding, edits: Edits, reader: Read) -> Tensor:
        """`reader(logits (b, C)) -> (b, ...)` for every edited copy of the prompt, stacked in order on the CPU."""
        if isinstance(edits, Embed):
            self.require_embeddings()
        results: dict[int, Tensor] = {}
        for group in edits.groups(encoding.ids, encoding.embeds):
            values = self.engine.run(group, encoding.prefix, reader).cpu()
            results.update(zip(group.places.tolist(), values, strict=True))
        return torch.stack([results[place] for place in range(len(edits))])

    def distributions(self, encoding: Encoding, edits: Edits) -> Tensor:
        """Probabilities of the answers `(B, C)` in float64."""
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
        the prompt's keys and values can be reused, are they. The same is true of a template's first tokens, which
        nothing moves: their gradient is given as 0.
        """
        self.require_embeddings()
        first = max(start, encoding.lead)
        kept = first if encoding.prefix is not None else 0
        reader = target_reader(encoding.target, output)
        grads, values = self.engine.gradients(embeds[:, kept:], reader, encoding.prefix, kept)
        grads = grads[:, first - kept :].cpu()
        unmoved = grads.new_zeros(len(grads), first - start, grads.shape[2])
        return torch.cat([unmoved, grads], dim=1), values.cpu()

    def attentions(self, encoding: Encoding) -> Tensor:
        """Attention weights `(L, H, T, T)` of the unchanged prompt; row i is what position i looks at."""
        with eager_attention(self.network):
            return self.engine.attentions(encoding.ids)

    def attention_layers(self, encoding: Encoding, layers: str, method: str) -> list[AttentionLayer]:
        """State and attention of the layers, such as "-1" for the last or "-1,-2", in one forward.

        Raises: AttribookError for a layer that is not there, or a network into which no weights can be put.
        """
        self.require_embeddings()
        if not injectable(self.network):
            raise AttribookError(
                f"{method} cannot explain {self.name}, a model of the family {self.family}: its attention does not go "
                "through transformers' attention interface, so no weights can be put into it. Use integrated_gradients."
            )
        return self.engine.attention_layers(encoding.embeds, layer_numbers(self.network, layers))

    def attention_gradients(
        self, encoding: Encoding, layer: AttentionLayer, weights: Tensor, output: str = "probability"
    ) -> tuple[Tensor, Tensor]:
        """Gradient of the target's output for weights `(B, H, T, T)` put into the layer, and the outputs `(B,)`.

        Both stay on the network's device: what is made of them is much smaller.
        """
        return self.engine.attention_gradients(encoding.embeds, layer, weights, target_reader(encoding.target, output))


def refuse_no_text(what: str, text: str) -> None:
    """Raises: AttribookError for a string with half of a character, which no tokenizer and no file takes."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise AttribookError(f"The {what} has bytes that are no UTF-8 text. Give it in UTF-8.")


@contextmanager
def eager_attention(network: PreTrainedModel) -> Iterator[None]:
    """Switch to eager attention, the only implementation that returns its weights, and back, also after an error."""
    before = network.config._attn_implementation
    network.set_attn_implementation("eager")
    try:
        yield
    finally:
        network.set_attn_implementation(before)


def stop_tokens(model: Explained) -> set[int]:
    """Ids that end an answer: the tokenizer's end of sequence, and those of the network's generation settings."""
    ends = getattr(model.network.generation_config, "eos_token_id", None)
    listed = ends if isinstance(ends, list) else [ends]
    return {token for token in [*listed, model.tokenizer.eos_token_id] if token is not None}


def target_reader(target: int, output: str) -> Read:
    """From logits `(b, C)` to the explained quantity `(b,)`."""
    if output == "probability":
        return lambda logits: logits.softmax(-1)[:, target]
    if output == "log_probability":
        return lambda logits: logits.log_softmax(-1)[:, target]
    if output == "logit":
        return lambda logits: logits[:, target]
    raise AttribookError(f"Unknown output {output!r}. Choose one of: {', '.join(OUTPUTS)}.")
