"""What the explained model is asked: one prompt as tokens, with its target and its named spans."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

KeysValues = list[tuple[Tensor, Tensor]]  # per layer, keys and values (1, heads, T, head width)


@dataclass(frozen=True, eq=False)
class Encoding:
    """One prompt as the model sees it, and the prediction that is explained.

    Position i of every tensor belongs to token i, special tokens included. Joining the texts of the
    attributable tokens gives the prompt back, special tokens that it spells out aside.
    """

    text: str
    ids: Tensor  # (T,)
    tokens: list[str]  # text of each token; special tokens by name
    attributable: Tensor  # (T,) bool; False for special tokens
    spans: Mapping[str, Tensor]  # name -> (T,) bool
    target: int  # id of the explained token
    target_text: str
    logits: Tensor  # (V,) float64, at the last position of the unchanged prompt
    distribution: Tensor  # (V,) float64, next-token probabilities of the unchanged prompt
    embeds: Tensor  # (T, D) input embeddings
    notes: list[str] = field(default_factory=list)
    prefix: KeysValues | None = field(default=None, repr=False)  # None where reuse would not be exact
    reads: int = 0  # the position whose state an encoder's head reads: CLS
    memo: dict[str, Tensor] = field(default_factory=dict, repr=False)  # distributions that metrics share

    @property
    def probability(self) -> float:
        """Probability of the target after the unchanged prompt."""
        return float(self.distribution[self.target])

    def __len__(self) -> int:
        return len(self.tokens)
