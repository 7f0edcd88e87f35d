"""Occlusion: take one token away at a time."""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.errors import AttribookError
from attribook.models.edits import Delete, Edits, Embed, Replace
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

NOTHING = ("mask", "unk", "pad")  # tokens that may stand for nothing, in the order in which `mask` looks for them


@method(version=2, forwards="P")
def occlusion(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    operator: str = "delete",
    specials: str = "keep",
    output: str = "probability",
) -> Tensor:
    r"""How much the prediction loses when a token is taken away. One copy of the prompt for each token, and nothing but
    predictions is needed. What "away" means is an option, and it decides a lot.

    Formula: a_i = f(x) - f(x without i), f the target's `output` (probability, logit or log_probability).
        `operator` says what "without" means: `delete` (later tokens move up), `mask` (the tokenizer's mask,
        unknown or padding token stands there), `zero` (the embedding is zero, its position stays). Special tokens
        such as BOS and CLS stay (`specials` `keep`) or are taken away like others (`perturb`).
    Shapes:  (T,); 0 at tokens that stay.
    Range:   signed; above 0 the token supports the target. Probability: -1 to 1; logits unbounded, in nats.
    Raises:  AttribookError for an unknown operator, a deletion that leaves nothing, a tokenizer without a
        token to mask with.
    Source:  Zeiler and Fergus 2014, section 4.2; Li et al. 2016, "representation erasure".
    Differs: Zeiler and Fergus grey out patches of images, Li et al. erase a dimension or a word; neither is about
        tokens of a language model. Inseq puts the unknown token in place, takes absolute values and moves BOS too
        (`operator` `mask`, `specials` `perturb`, sign dropped); ReAGent's released code reaches it through Inseq, but
        its tables have no such row. Ours deletes, keeps the sign, and leaves special tokens alone.
    """
    del generator
    moves = encoding.movable(specials)  # (T,)
    others = ~torch.eye(len(encoding), dtype=torch.bool)[moves]  # (P, T), each row lacks one token
    scores = torch.zeros(len(encoding), dtype=torch.float64)
    values = model.outputs(encoding, keeping(model, encoding, others, operator), output)  # (P,)
    scores[moves] = model.output(encoding, output) - values
    return scores


def keeping(model: Explained, encoding: Encoding, keep: Tensor, operator: str) -> Edits:
    """B edits of the prompt; edit b keeps the tokens at which `keep` `(B, T)` is True and lacks the others."""
    if operator == "delete":
        return Delete(keep)
    if operator == "mask":
        return Replace(encoding.ids.masked_fill(~keep, mask_id(model)))
    if operator == "zero":
        return Embed(encoding.embeds.masked_fill(~keep[:, :, None], 0.0))
    raise AttribookError(f"Unknown operator {operator!r}. Choose delete, mask or zero.")


def mask_id(model: Explained) -> int:
    """The token that stands for nothing: mask, else unknown, else padding."""
    for name in NOTHING:
        token = getattr(model.tokenizer, f"{name}_token_id")
        if token is not None:
            return int(token)
    raise AttribookError(
        f"The tokenizer of {model.name} has no mask, unknown or padding token. Use zero in place of mask "
        "(occlusion: operator=zero; gradient methods: baseline=zero)."
    )
