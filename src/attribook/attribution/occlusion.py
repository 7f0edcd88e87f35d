"""Occlusion: take one token away at a time."""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.errors import AttribookError
from attribook.models import CausalLM, Delete, Embed, Encoding, Replace
from attribook.models.edits import Edits


@method(version=1, forwards="T")
def occlusion(
    model: CausalLM,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    operator: str = "delete",
    output: str = "probability",
) -> Tensor:
    r"""How much the prediction loses when a token is taken away.

    Formula: a_i = f(x) - f(x without i), f the target's `output` (probability, logit or log_probability).
        `operator` says what "without" means: `delete` (later tokens move up), `mask` (the tokenizer's mask,
        unknown or padding token stands there), `zero` (the embedding is zero, its position stays).
    Shapes:  (T,).
    Range:   signed; above 0 the token supports the target. Probability: -1 to 1; logits unbounded, in nats.
    Raises:  AttribookError for an unknown operator, a deletion that leaves nothing, a tokenizer without a
        token to mask with.
    Source:  Zeiler and Fergus 2014, section 4.2; Li et al. 2016, "representation erasure".
    """
    del generator
    others = ~torch.eye(len(encoding), dtype=torch.bool)  # (T, T), row i lacks token i
    return model.output(encoding, output) - model.outputs(encoding, keeping(model, encoding, others, operator), output)


def keeping(model: CausalLM, encoding: Encoding, keep: Tensor, operator: str) -> Edits:
    """B edits of the prompt; edit b keeps the tokens at which `keep` `(B, T)` is True and lacks the others."""
    if operator == "delete":
        return Delete(keep)
    if operator == "mask":
        return Replace(encoding.ids.masked_fill(~keep, mask_id(model)))
    if operator == "zero":
        return Embed(encoding.embeds.masked_fill(~keep[:, :, None], 0.0))
    raise AttribookError(f"Unknown operator {operator!r}. Choose delete, mask or zero.")


def mask_id(model: CausalLM) -> int:
    """The token that stands for nothing: mask, else unknown, else padding."""
    tokenizer = model.tokenizer
    for token in (tokenizer.mask_token_id, tokenizer.unk_token_id, tokenizer.pad_token_id):
        if token is not None:
            return token
    raise AttribookError(
        f"The tokenizer of {model.name} has no mask, unknown or padding token. Use zero in place of mask "
        "(occlusion: operator=zero; gradient methods: baseline=zero)."
    )
