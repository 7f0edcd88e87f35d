"""Replacers: other tokens for the tokens of a prompt, at the same positions.

A replacer is made for one prompt, `make_replacer`, and called with `chosen` `(B, T)`, True where a token is to be
replaced, and numbers `u` `(B, T)` uniform in [0, 1), one for each position: it returns ids `(B, T)`. It draws nothing
itself, so equal numbers give equal tokens. Special tokens are never put in. The number of tokens never changes.

    uniform          every token of the vocabulary alike
    part_of_speech   every token with the same part of speech alike; tokens are tagged alone (released code, there by
                     NLTK's tagger, here by the lexicon and suffix rules of TextBlob, whose data its package contains)
    left_to_right    the explained model's own prediction from the tokens to the left, in the unchanged prompt
    two_sided        its `candidates` most probable tokens from the left, each weighted by its probability and the
                     likelihood of the prompt's tokens to the right after it
    masked_lm        a masked language model, `masked_lm` its folder or hub id: all chosen tokens masked at once in the
                     text, filled from both sides (masked_model.py)
    prefix_argmax    the released code's RoBERTa sampler, as one version of it maps the answer: through text
    prefix_argmax_ids   the same, as another maps it: RoBERTa's number is used as a number of the explained model

`pick` says how a prediction becomes a token: drawn from it (`sample`), or its most probable token (`argmax`); the
first two always draw, the last two always take the most probable. `original`: the prompt's own token can be drawn
(`allowed`, as in the paper) or not (`excluded`). A token without a left context, the first, is drawn uniformly by
left_to_right and two_sided and kept by prefix_argmax, as in the released code.
"""

import difflib
from collections.abc import Callable

from torch import Tensor

from attribook.attribution.replacers.masked_model import masked_lm, prefix_argmax, prefix_argmax_ids
from attribook.attribution.replacers.own_model import left_to_right, two_sided
from attribook.attribution.replacers.pools import Replacer, Ways
from attribook.attribution.replacers.vocabulary import part_of_speech, uniform
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

REPLACERS: dict[str, Callable[[Explained, Encoding, Ways], Replacer]] = {
    "uniform": uniform,
    "part_of_speech": part_of_speech,
    "left_to_right": left_to_right,
    "two_sided": two_sided,
    "masked_lm": masked_lm,
    "prefix_argmax": prefix_argmax,
    "prefix_argmax_ids": prefix_argmax_ids,
}


def make_replacer(
    name: str,
    model: Explained,
    encoding: Encoding,
    places: Tensor,
    *,
    pick: str = "sample",
    original: str = "allowed",
    candidates: int = 8,
    masked_lm: str = "",
) -> Replacer:
    """The replacer of that name for one prompt; only tokens at `places` `(T,)` will be chosen.

    Raises: AttribookError for unknown names, no candidates, no masked language model where one is needed, a model
        that predicts no tokens where its own predictions are wanted.
    """
    if name not in REPLACERS:
        near = difflib.get_close_matches(name, REPLACERS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AttribookError(f"Unknown replacer {name!r}.{hint} Choose one of: {', '.join(REPLACERS)}.")
    if pick not in ("sample", "argmax"):
        raise AttribookError(f"Unknown pick {pick!r} of a replacer. Choose sample or argmax.")
    if original not in ("allowed", "excluded"):
        raise AttribookError(f"Unknown treatment {original!r} of the original token. Choose allowed or excluded.")
    if candidates < 1:
        raise AttribookError(f"A two-sided replacer needs at least one candidate, not {candidates}.")
    return REPLACERS[name](model, encoding, Ways(places, pick, original, candidates, masked_lm))
