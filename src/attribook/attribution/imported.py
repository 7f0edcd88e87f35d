"""Scores that another tool computed, as attributions that every metric here takes.

    found = from_scores(tokens, scores)                         numbers from anywhere
    found = read_inseq("out.json", reduction="l2")              a file that Inseq saved
    found = from_captum(tokens, attributions, reduction="sum")  a tensor that captum returned
    found = aligned(found, model.encode(prompt))                checked against a prompt, in its order

Scores are positions, not words: `aligned` is the step that makes sure of them. Two tools rarely agree on special
tokens. (OPT prompts that go through Inseq as text can get a second `</s>`; read by position, every score then sits one
token too late, as in ReAGent's released results.)
"""

import base64
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from os import PathLike
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from attribook.attribution.base import Attribution, Cost
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding

# What models put before and behind a text.
ENDS = frozenset(
    ["<s>", "</s>", "<bos>", "<eos>", "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "[CLS]", "[SEP]"]
)
REDUCTIONS = ("sum", "l2", "mean")


@dataclass(frozen=True)
class Imported(Attribution):
    """An attribution whose tokens came with it. Its version is 0 and its cost unknown, so 0."""

    tokens: tuple[str, ...] = ()
    ids: tuple[int, ...] | None = field(default=None)  # where the other tool told them


def from_scores(
    tokens: Sequence[str],
    scores: Tensor | Sequence[float],
    *,
    tool: str = "scores",
    ids: Sequence[int] | None = None,
    options: dict[str, Any] | None = None,
) -> Imported:
    """One score a token, from anywhere. The method is called `imported:<tool>`.

    Tokens are texts (" house") or the tokenizer's vocabulary entries ("Ġhouse", "▁house", "##ing").
    Raises: AttribookError for numbers of scores, tokens and ids that differ, or a score that is NaN or infinite.
    """
    values = torch.as_tensor(scores).detach().cpu().double()
    if values.shape != (len(tokens),) or not len(tokens):
        raise AttribookError(f"Give one score for each token: {len(tokens)} tokens, scores {tuple(values.shape)}.")
    if ids is not None and len(ids) != len(tokens):
        raise AttribookError(f"Give one id for each token: {len(tokens)} tokens, {len(ids)} ids.")
    wrong = (~torch.isfinite(values)).nonzero()[:, 0].tolist()
    if wrong:
        raise AttribookError(
            f"The score of token {wrong[0]} ({tokens[wrong[0]]!r}) is {float(values[wrong[0]])}. Drop the tokens that "
            "the tool gave no score, or find out why it gave none."
        )
    known = tuple(int(number) for number in ids) if ids is not None else None
    return Imported(
        values, f"imported:{tool}", 0, dict(options or {}), Cost(0, 0, 0, 0.0), tokens=tuple(tokens), ids=known
    )


def from_captum(
    tokens: Sequence[str], attributions: Tensor, *, reduction: str | None = None, ids: Sequence[int] | None = None
) -> Imported:
    """Attributions `(T,)`, `(T, D)` or `(1, T, D)` that captum returned for one prompt.

    `reduction` over D: `sum`, `l2` or `mean`; to be named where there is a D, because captum leaves it to its user.
    Raises: AttribookError for other shapes, a missing or unknown reduction, and as `from_scores`.
    """
    values = attributions.detach()
    if values.dim() >= 2 and values.shape[0] == 1 and values.shape[1] == len(tokens):
        values = values[0]  # (T,) or (T, D)
    if values.dim() not in (1, 2) or values.shape[0] != len(tokens):
        raise AttribookError(
            f"Captum's attributions of {len(tokens)} tokens are (T,), (T, D) or (1, T, D), not "
            f"{tuple(attributions.shape)}. Give one prompt at a time."
        )
    options = {"reduction": reduction} if reduction else {}
    return from_scores(tokens, reduced(values, reduction), tool="captum", ids=ids, options=options)


def read_inseq(
    path: str | PathLike[str], *, sequence: int = 0, step: int = 0, reduction: str | None = None
) -> Imported:
    """One generated token of a file that Inseq 0.7 saved (`FeatureAttributionOutput.save`), gzip or not.

    The scores are of everything before that token: the prompt and, from `step` 1 on, the tokens generated so far.
    `reduction` over what follows token and step in the file, such as the embedding width or layers and heads: `sum`,
    `l2` or `mean`; to be named where the scores were not aggregated. Inseq's own aggregate is `l2` for gradients,
    then divided by the sum over tokens.
    Raises: AttribookError for a file of another kind, an encoder-decoder model, a sequence or step it has not,
        float8, a missing or unknown reduction, NaN.
    """
    saved = inseq_attributes(Path(path))
    try:
        return inseq_token(path, saved, sequence, step, reduction)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError, SafetensorError) as error:
        raise AttribookError(
            f"{path} is damaged: {type(error).__name__}, {error}. Save it with Inseq again."
        ) from error


def inseq_token(path: str | PathLike[str], saved: Any, sequence: int, step: int, reduction: str | None) -> Imported:
    """The scores of one generated token in what a file holds."""
    sequences, info = saved["sequence_attributions"], saved.get("info", {})
    if not 0 <= sequence < len(sequences):
        raise AttribookError(f"{path} has {len(sequences)} sequences, counted from 0; there is no {sequence}.")
    found = sequences[sequence]["attributes"]
    if found["target_attributions"] is None:
        raise AttribookError(f"{path} has no scores of prefix tokens: its model is an encoder-decoder.")
    # (T', steps, ...): rows from the explained token on are NaN
    scores = safetensors.torch.load(base64.b64decode(found["target_attributions"]))["attribution"]
    if scores.dtype == torch.float8_e4m3fn:
        raise AttribookError(
            f"{path} was saved in float8, which rounds scores below 0.001 to 0. Save it with the default precision."
        )
    if not 0 <= step < scores.shape[1]:
        raise AttribookError(f"{path} explains {scores.shape[1]} tokens, counted from 0; there is no {step}.")
    length = found["attr_pos_start"] + step
    entries = [entry["attributes"] for entry in found["target"][:length]]
    options = {name: info[name] for name in ("attribution_method", "attributed_fn", "model_name") if name in info}
    return from_scores(
        [entry["token"] for entry in entries],
        reduced(scores[:length, step].double(), reduction),
        tool="inseq",
        ids=[entry["id"] for entry in entries],
        options={**options, "step": step, "reduction": reduction},
    )


def inseq_attributes(path: Path) -> dict[str, Any]:
    """The attributes of a saved `FeatureAttributionOutput`."""
    try:
        raw = path.read_bytes()
        saved = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        if saved["__instance_type__"][1] == "FeatureAttributionOutput":
            return saved["attributes"]
    except OSError as error:
        raise AttribookError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, IndexError, EOFError, RecursionError, zlib.error):
        pass
    raise AttribookError(
        f"{path} is not an output that Inseq saved. Save it with `out.save(path)`, without use_primitives=True, which "
        "Inseq itself cannot load either."
    )


def reduced(values: Tensor, reduction: str | None) -> Tensor:
    """From `(T, ...)` to `(T,)` in float64; with nothing to reduce, the values as they are."""
    if values.dim() == 1:
        return values.double()
    wide = values.double().flatten(1)  # (T, everything else)
    if reduction == "sum":
        return wide.sum(1)
    if reduction == "l2":
        return wide.norm(dim=1)
    if reduction == "mean":
        return wide.mean(1)
    raise AttribookError(
        f"There are {wide.shape[1]} numbers a token and the reduction is {reduction!r}. Say which makes one of them: "
        f"{', '.join(REDUCTIONS)}."
    )


def aligned(imported: Imported, encoding: Encoding) -> Imported:
    """The scores at the encoding's positions.

    Tokens are the same if their ids are, or their entries in the vocabulary, or their texts, leading spaces aside.
    Special tokens, by the tokenizer's own list or of those that other models put at the ends, may be more on one side
    at either end (a second `</s>`, or none): scores of the additional ones are dropped, those that the tool had not get
    0; the details count both. A word that is only spelled like one (`<b>`, `[NAME]`, `[UNK]`) is a word.
    Raises: AttribookError that names the first difference.
    """
    special = [token in encoding.special_names | ENDS for token in imported.tokens]
    ours_special = (~encoding.attributable).tolist()
    for theirs, ours in shifts(special, ours_special):
        if same_tokens(imported, theirs, encoding, ours):
            scores = torch.zeros(len(encoding), dtype=torch.float64)
            scores[ours] = imported.scores[theirs]
            dropped, added = len(special) - len(special[theirs]), len(encoding) - len(encoding.tokens[ours])
            return replace(
                imported,
                scores=scores,
                tokens=tuple(encoding.tokens),
                ids=tuple(encoding.ids.tolist()),
                details={**imported.details, "specials_dropped": dropped, "specials_added": added},
            )
    spellings = [inner(tokens, ours_special) for tokens in (encoding.tokens, encoding.entries)]
    raise AttribookError(difference(inner(imported.tokens, special), spellings))


def shifts(theirs: Sequence[bool], ours: Sequence[bool]) -> list[tuple[slice, slice]]:
    """What may be compared, the most tokens first."""
    return sorted(product(cuts(theirs), cuts(ours)), key=lambda pair: sum(part.start - part.stop for part in pair))


def cuts(special: Sequence[bool]) -> list[slice]:
    """All tokens, and all but some of the special ones at the two ends; something is left."""
    length = len(special)
    ends = product(range(run(special) + 1), range(run(special[::-1]) + 1))
    return [slice(first, length - last) for first, last in ends if first < length - last]


def run(special: Sequence[bool]) -> int:
    """How many True there are at the beginning."""
    return next((place for place, here in enumerate(special) if not here), len(special))


def inner(tokens: Sequence[str], special: Sequence[bool]) -> Sequence[str]:
    """The tokens between the special ones at the two ends."""
    return tokens[run(special) : len(tokens) - run(special[::-1])]


def same_tokens(imported: Imported, theirs: slice, encoding: Encoding, ours: slice) -> bool:
    """Whether these parts are the same tokens, by ids, entries or texts."""
    if imported.ids is not None and list(imported.ids[theirs]) == encoding.ids[ours].tolist():
        return True
    texts = imported.tokens[theirs]
    return list(texts) == encoding.entries[ours] or same_texts(texts, encoding.tokens[ours])


def same_texts(theirs: Sequence[str], ours: Sequence[str]) -> bool:
    """Whether all tokens have the same text, leading spaces aside, which tools keep or drop."""
    return [text.lstrip(" ") for text in theirs] == [text.lstrip(" ") for text in ours]


def difference(theirs: Sequence[str], spellings: Sequence[Sequence[str]]) -> str:
    """What to tell the user about tokens that differ, in the spelling of ours that comes closest."""
    places = [first_other(theirs, ours) for ours in spellings]
    place = max(places)
    ours = spellings[places.index(place)]
    there, here = (repr(texts[place]) if place < len(texts) else "nothing" for texts in (theirs, ours))
    return (
        f"The imported scores belong to other tokens: {len(theirs)} there, {len(ours)} in the prompt, special tokens "
        f"at the ends aside, and number {place + 1} is {there} there, {here} here. Encode the text that was "
        "scored, with the tokenizer that it was scored with."
    )


def first_other(theirs: Sequence[str], ours: Sequence[str]) -> int:
    """The place of the first token that differs."""
    shared = min(len(theirs), len(ours))
    return next((i for i in range(shared) if not same_texts(theirs[i : i + 1], ours[i : i + 1])), shared)
