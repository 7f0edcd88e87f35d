"""Sufficiency, comprehensiveness, log-odds, and their averages over several shares: what is left when tokens go.

n tokens count, of which the k with the highest signed scores are kept or taken away. The metrics' descriptions leave a
good deal open, and every open point is an option, the same for all five:

    operator    what "away" means: `delete` (later tokens move up), `mask` or `unk` (that token stands there)
    rounding    k = `floor`, `round` or `ceil` of n * share / 100
    least       the fewest tokens that k may be: 0 or more, never above n
    specials    `keep`: special tokens do not count, are never chosen and always stay; `perturb`: tokens like others
    explained   whose probability: the `target` of the encoding, or the `predicted` answer, the most probable one
    empty       (sufficiency) with k = 0 `evaluate` the prompt of nothing but the tokens that stay, or call it `zero`

Tokens of a template are never touched. Equal scores keep the order of reading. Three sets of options are in
conventions.py.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK, metric
from attribook.metrics.names import SHARES
from attribook.models.edits import Delete, Replace
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

NOTHING_LEFT = "no token left"
Judged = tuple[Tensor, str, int]  # values, status, forwards


@dataclass(frozen=True)
class Rule:
    """The options that all metrics here share; see the module."""

    operator: str
    rounding: str
    least: int
    specials: str
    explained: str
    empty: str = "evaluate"

    def __post_init__(self) -> None:
        known = {
            "operator": ("delete", "mask", "unk"), "rounding": tuple(ROUNDINGS), "explained": ("target", "predicted"),
            "empty": ("evaluate", "zero"),
        }  # fmt: skip
        for name, choices in known.items():
            if (value := getattr(self, name)) not in choices:
                raise AttribookError(f"Unknown {name} {value!r}. Choose one of: {', '.join(choices)}.")
        if self.least < 0:
            raise AttribookError(f"The fewest tokens, least, cannot be {self.least}. Choose 0 or more.")

    def count(self, n: int, share: float) -> int:
        """How many of n tokens are chosen."""
        if not 0 <= share <= 100:
            raise AttribookError(f"A share is a percentage from 0 to 100, not {share}.")
        return min(n, max(self.least, ROUNDINGS[self.rounding](n * share / 100)))


ROUNDINGS = {"floor": math.floor, "round": lambda x: math.floor(x + 0.5), "ceil": math.ceil}


@metric(version=1)
def sufficiency(
    model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator, share: float = 20.0,
    operator: str = "delete", rounding: str = "floor", least: int = 1, specials: str = "keep",
    explained: str = "target", empty: str = "evaluate",
) -> Judged:  # fmt: skip
    """What the prediction loses when only the most important tokens stay.

    Formula: p(x) - p(x with the k highest tokens only), k of n by `share` in percent; options as in the module.
    Shapes:  scores (T,); returns (1,).
    Range:   -1 to 1, a difference of probabilities; lower is better.
    Raises:  AttribookError for NaN scores, unknown options, a tokenizer without the token that `operator` needs. Status
        `no token left` where a deletion leaves nothing to predict from.
    Source:  DeYoung et al. 2020, ERASER; RPI, appendix A.3, and its released code.
    """
    del generator
    rule = Rule(operator, rounding, least, specials, explained, empty)
    return erasure(model, encoding, scores, True, (share,), rule)


@metric(version=1)
def comprehensiveness(
    model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator, share: float = 20.0,
    operator: str = "delete", rounding: str = "floor", least: int = 1, specials: str = "keep",
    explained: str = "target",
) -> Judged:  # fmt: skip
    """What the prediction loses when the most important tokens go.

    Formula: p(x) - p(x without the k highest tokens); options as in the module.
    Shapes:  scores (T,); returns (1,).
    Range:   -1 to 1, a difference of probabilities, 0 for k = 0; higher is better.
    Raises:  as `sufficiency`.
    Source:  as `sufficiency`.
    """
    del generator
    return erasure(model, encoding, scores, False, (share,), Rule(operator, rounding, least, specials, explained))


@metric(version=1)
def log_odds(
    model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator, share: float = 20.0,
    operator: str = "mask", rounding: str = "floor", least: int = 1, specials: str = "keep",
    explained: str = "target",
) -> Judged:  # fmt: skip
    """How the logarithm of the probability changes when the most important tokens are replaced.

    Formula: ln p(x with the k highest tokens replaced) - ln p(x), in nats; `operator` mask (encoders) or unk, options
        as in the module. Not a logarithm of odds, whatever its name says.
    Shapes:  scores (T,); returns (1,).
    Range:   unbounded, in nats, 0 for k = 0; lower is better.
    Raises:  as `sufficiency`.
    Source:  Shrikumar et al. 2017; RPI, appendix A.3, and its released code.
    """
    del generator
    rule = Rule(operator, rounding, least, specials, explained)
    return erasure(model, encoding, scores, False, (share,), rule, logarithm=True)


@metric(version=1)
def aopc_sufficiency(
    model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator,
    shares: tuple[float, ...] = SHARES, divisor: str = "bins", operator: str = "delete", rounding: str = "floor",
    least: int = 1, specials: str = "keep", explained: str = "target", empty: str = "evaluate",
) -> Judged:  # fmt: skip
    """Sufficiency averaged over several shares of the tokens.

    Formula: sum over `shares` of sufficiency, divided by their number |B| (`divisor` bins) or |B| + 1 (bins_plus_one).
    Shapes:  scores (T,); returns (1,).
    Range:   -1 to 1, a difference of probabilities; lower is better.
    Raises:  as `sufficiency`, and AttribookError for no shares.
    Source:  as `sufficiency`.
    """
    del generator
    rule = Rule(operator, rounding, least, specials, explained, empty)
    return erasure(model, encoding, scores, True, tuple(shares), rule, divisor=divisor)


@metric(version=1)
def aopc_comprehensiveness(
    model: Explained, encoding: Encoding, scores: Tensor, *, generator: Generator,
    shares: tuple[float, ...] = SHARES, divisor: str = "bins", operator: str = "delete", rounding: str = "floor",
    least: int = 1, specials: str = "keep", explained: str = "target",
) -> Judged:  # fmt: skip
    """Comprehensiveness averaged over several shares of the tokens.

    Formula: sum over `shares` of comprehensiveness, divided as in `aopc_sufficiency`.
    Shapes:  scores (T,); returns (1,).
    Range:   -1 to 1, a difference of probabilities; higher is better.
    Raises:  as `aopc_sufficiency`.
    Source:  as `sufficiency`.
    """
    del generator
    rule = Rule(operator, rounding, least, specials, explained)
    return erasure(model, encoding, scores, False, tuple(shares), rule, divisor=divisor)


def erasure(
    model: Explained, encoding: Encoding, scores: Tensor, keeps_top: bool, shares: tuple[float, ...], rule: Rule,
    *, divisor: str = "bins", logarithm: bool = False,
) -> Judged:  # fmt: skip
    """All five, for scores `(T,)` or for many maps `(M, T)` at once, whose edits are then run together: `(M,)`."""
    if divisor not in {"bins", "bins_plus_one"} or not shares:
        raise AttribookError(f"Choose the divisor bins or bins_plus_one, not {divisor!r}, and at least one share.")
    counted = encoding.movable(rule.specials)  # (T,)
    counts = torch.tensor([rule.count(int(counted.sum()), share) for share in shares])  # (K,)
    top = ranks(scores.reshape(-1, len(encoding)), counted)[:, None] < counts[:, None]  # (M, K, T)
    keep = (top | ~counted) if keeps_top else ~top  # (M, K, T)
    asked = torch.ones_like(counts, dtype=torch.bool)  # (K,)
    if keeps_top and rule.empty == "zero":
        asked = counts > 0
    rows = keep[:, asked].reshape(-1, len(encoding))  # (M * K', T)
    if rule.operator == "delete" and bool((~rows).all(dim=1).any()):
        return torch.empty(0, dtype=torch.float64), NOTHING_LEFT, 0
    answer = encoding.target if rule.explained == "target" else int(encoding.logits.argmax())
    before = encoding.logits.log_softmax(-1)[answer]
    after = log_probabilities(model, encoding, rows, rule.operator, answer).view(len(keep), -1)  # (M, K')
    changes = after - before if logarithm else before.exp() - after.exp()  # (M, K')
    bins = len(shares) + (divisor == "bins_plus_one")
    return changes.sum(1) / bins, OK, int((~rows).any(dim=1).sum())


def ranks(maps: Tensor, counted: Tensor) -> Tensor:
    """Place of every token that counts in its map's falling order `(M, T)`, 0 the highest; T for the others."""
    places = torch.full(maps.shape, maps.shape[1])
    places[:, counted] = falling(maps, counted).argsort(dim=1)
    return places


def falling(maps: Tensor, counted: Tensor) -> Tensor:
    """Numbers of the tokens that count `(M, n)`, the highest score first, equal ones in the order of reading."""
    return maps[:, counted].argsort(dim=1, descending=True, stable=True)


def log_probabilities(model: Explained, encoding: Encoding, keep: Tensor, operator: str, answer: int) -> Tensor:
    """Log-probability of the answer `(B,)` where only the tokens of `keep` `(B, T)` stand.

    Every edit is run once a prompt, whichever metric or map asks first; the whole prompt is known already.
    """
    names = [f"{operator} {answer} " + "".join(map(str, row)) for row in keep.int().tolist()]
    whole = f"{operator} {answer} " + "1" * len(encoding)
    encoding.memo[whole] = encoding.logits.log_softmax(-1)[answer]
    new = {name: row for name, row in zip(names, keep, strict=True) if name not in encoding.memo}
    if new:
        rows = torch.stack(list(new.values()))  # (B', T)
        edits = Delete(rows) if operator == "delete" else Replace(masked(model, encoding, rows, operator))
        values = model.read(encoding, edits, lambda logits: logits.double().log_softmax(-1)[:, answer])
        encoding.memo.update(zip(new, values, strict=True))
    return torch.stack([encoding.memo[name] for name in names]) if names else torch.empty(0, dtype=torch.float64)


def masked(model: Explained, encoding: Encoding, keep: Tensor, operator: str) -> Tensor:
    """Ids `(B, T)` with the mask or unknown token where nothing is kept."""
    token = model.tokenizer.mask_token_id if operator == "mask" else model.tokenizer.unk_token_id
    if token is None:
        raise AttribookError(
            f"The tokenizer of {model.name} has no token for the operator {operator}. Choose another of delete, mask "
            "and unk."
        )
    return encoding.ids.masked_fill(~keep, token)
