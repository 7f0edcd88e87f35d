"""Replacers that ask a masked language model, which has a vocabulary of its own.

`masked_lm` is what the paper says in words: the chosen tokens are masked and predicted from both sides. The chosen
tokens of a prompt are masked together, in its text, one mask a token; an answer is admitted if the explained model has
one token of the same text, with a space before it if the replaced token has one.

`prefix_argmax` is what the released code does instead: it shows RoBERTa the text to the left, unmasked and without an
end, and takes the most probable token at the last position, which is one that RoBERTa reads rather than predicts.
Of the versions of that file that we have read, one uses the number of that token as a number of the explained model,
another goes through its text, and a third masks one position at a time.
"""

import torch
from torch import Tensor

from attribook.attribution.replacers.pools import Pool, Pooled, Replacer, Ways
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.masked import load_masked_lm, matched


class Filled:
    """A replacer that fills all chosen positions of a prompt from what surrounds them."""

    def __init__(self, model: Explained, encoding: Encoding, ways: Ways) -> None:
        self.model, self.encoding, self.ways = model, encoding, ways
        self.filler = load_masked_lm(ways.masked_lm)
        self.forwards = 0

    def __call__(self, chosen: Tensor, u: Tensor) -> Tensor:
        """See `Replacer`."""
        ids = self.encoding.ids.repeat(len(chosen), 1)  # (B, T)
        rows = [row for row in range(len(chosen)) if chosen[row].any()]
        texts = [self.text(chosen[row].tolist()) for row in rows]
        for row, answers in zip(rows, self.filler.blanks(texts, self.model.engine), strict=True):
            places = chosen[row].nonzero()[:, 0].tolist()
            if len(answers) != len(places):
                raise AttribookError(
                    f"The prompt spells out {self.filler.tokenizer.mask_token!r}, the blank of {self.filler.name}. "
                    "Choose another replacer."
                )
            for place, answer in zip(places, answers, strict=True):
                ids[row, place] = self.pick(place, answer, u[row, place])
        self.forwards += len(rows)
        return ids

    def text(self, chosen: list[bool]) -> str:
        """The prompt with a mask for every chosen token; special tokens left out."""
        pieces = []
        for place, blank in enumerate(chosen):
            if blank:  # the space before a token is a part of it
                pieces.append(str(self.filler.tokenizer.mask_token))
            elif self.encoding.attributable[place]:
                pieces.append(self.encoding.tokens[place])
        return "".join(pieces)

    def spaced(self, place: int) -> bool:
        """Whether the prompt's token has a space before it."""
        return self.encoding.tokens[place][:1].isspace()

    def begins(self, place: int) -> bool:
        """Whether the prompt's token begins a word."""
        before = "".join(self.encoding.tokens[max(0, place - 4) : place])
        return self.spaced(place) or not before[-1:].isalnum()

    def pick(self, place: int, answer: Tensor, u: Tensor) -> Tensor:
        """One id of the explained model, from the masked language model's log-probabilities `(V',)` at a blank."""
        theirs, ours = matched(self.filler.tokenizer, self.model.tokenizer, self.spaced(place), self.begins(place))
        if self.ways.original == "excluded":
            others = ours != self.encoding.ids[place]
            theirs, ours = theirs[others], ours[others]
        if not len(ours):
            raise AttribookError(
                f"{self.filler.name} and {self.model.name} share no token that fits in place of "
                f"{self.encoding.tokens[place]!r}. Choose another replacer."
            )
        weights = answer[theirs].softmax(0)
        if self.ways.pick == "argmax":
            return ours[weights.argmax()]
        return Pool(ours, weights.cumsum(0)).draw(u[None])[0]


def masked_lm(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """All chosen tokens masked and filled from both sides."""
    return Filled(model, encoding, ways)


def prefix_argmax(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """The released sampler; the answer's text is tokenised again and its first token taken."""
    return prefixes(model, encoding, ways, through_text=True)


def prefix_argmax_ids(model: Explained, encoding: Encoding, ways: Ways) -> Replacer:
    """The released sampler; the answer's number is used as it is."""
    return prefixes(model, encoding, ways, through_text=False)


def prefixes(model: Explained, encoding: Encoding, ways: Ways, *, through_text: bool) -> Replacer:
    """One answer for every position but the first, from the text to its left."""
    filler = load_masked_lm(ways.masked_lm)
    pools, cost = [], 0
    for place, own in enumerate(encoding.ids):
        answer = own
        if place and ways.places[place]:
            ids = filler.tokenizer(model.tokenizer.decode(encoding.ids[:place].tolist()))["input_ids"]
            if ids[-1] == filler.tokenizer.sep_token_id:
                ids = ids[:-1]
            found = int(filler.last(ids, model.engine).argmax())
            answer = torch.tensor(translated(model, filler.tokenizer.decode([found])) if through_text else found)
            cost += 1
        if int(answer) >= len(model.tokenizer):
            raise AttribookError(
                f"{filler.name} answers with token number {int(answer)}, which {model.name} does not have. The "
                "released code fails here too; choose prefix_argmax or masked_lm."
            )
        pools.append(Pool(answer[None]))
    return Pooled(encoding.ids, pools, forwards=cost)


def translated(model: Explained, text: str) -> int:
    """First token of the explained model for a text. Raises: AttribookError for none."""
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    if not ids:
        raise AttribookError(f"The answer {text!r} is no text for {model.name}. Choose the replacer masked_lm.")
    return ids[0]
