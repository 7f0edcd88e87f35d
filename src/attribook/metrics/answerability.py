"""Answerability: whether a judge that sees only the important words finds the word that the model predicted.

Noiser's metric (section 4.4). Words are the whitespace-separated pieces of the attributable text. Our readings: half
of an odd number of words is rounded up; of equal scores the earlier word counts as more important; the kept mass is
taken of word scores, clipped at 0, which sum to 1. A judge may know the answer without any words, or from any: the
`which` of a selection names controls, of which Noiser has none.

These need a judge and the wanted word, so they have an interface of their own and are not in `METRICS`.
"""

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Generator, Tensor

from attribook.errors import AttribookError
from attribook.metrics.base import OK
from attribook.metrics.judges import Judge
from attribook.metrics.names import SELECTIONS
from attribook.models.encoding import Encoding

NO_MASS = "no positive score"
NO_WORD = "the wanted answer has no word"
NEVER = "not answerable with all words"


# -- words -------------------------------------------------------------------------------------------------------


def word_scores(encoding: Encoding, scores: Tensor) -> tuple[list[str], Tensor]:
    """The words of the attributable text, and for each the sum of its tokens' scores `(W,)`.

    A token belongs to the word of its first visible character; one of spaces to the word after it, the last ones to
    the last; one that is the rest of a character to the word before it. A special token ends a word, and its score
    counts nowhere.
    Raises: AttribookError for NaN scores, a wrong number of them, a text without words.
    """
    if scores.shape != (len(encoding),):
        raise AttribookError(f"{tuple(scores.shape)} scores for {len(encoding)} tokens.")
    if bool(torch.isnan(scores).any()):
        raise AttribookError("Answerability refuses NaN scores. Count the attribution as failed instead.")
    attributable = encoding.attributable.tolist()
    shown = [token if here else " " for token, here in zip(encoding.tokens, attributable, strict=True)]
    begins = [0, *accumulate(map(len, shown))]
    pieces = list(re.finditer(r"\S+", "".join(shown)))
    if not pieces:
        raise AttribookError("The text has no word, so no word can be kept. Give a word.")
    starts, ends = [piece.start() for piece in pieces], [piece.end() for piece in pieces]
    sums = torch.zeros(len(pieces), dtype=torch.float64)
    for token, begin, here, score in zip(shown, begins, attributable, scores.tolist(), strict=False):
        if here:
            word = bisect_right(ends, begin) if token else bisect_left(starts, begin) - 1
            sums[min(max(word, 0), len(pieces) - 1)] += score
    return [piece.group() for piece in pieces], sums


def by_importance(scores: Tensor) -> list[int]:
    """Words from the highest score to the lowest; of equal ones the earlier first."""
    return (-scores).argsort(stable=True).tolist()


def selected(which: str, scores: Tensor, share: float, generator: Generator | None = None) -> list[int]:
    """Words that the judge sees, in the order of the prompt.

    `which`: `top` the most important ones; and as controls as many of the least important (`bottom`), of the prompt's
    `first`, of `random` ones; or `none`. As many are `share` of all, rounded up.
    """
    if not 0 < share <= 1:
        raise AttribookError(f"The share of words to keep is above 0 and at most 1, not {share}.")
    count = max(1, math.ceil(share * len(scores) - 1e-9))  # 0.07 * 100 is a little above 7
    if which == "random":
        if generator is None:
            raise AttribookError("Random words need a seeded torch.Generator.")
        return sorted(torch.randperm(len(scores), generator=generator)[:count].tolist())
    choices = {
        "top": by_importance(scores)[:count],
        "bottom": by_importance(scores)[-count:],
        "first": range(count),
        "none": [],
    }
    if which not in choices:
        raise AttribookError(f"Unknown selection {which!r}. Choose one of: {', '.join(SELECTIONS)}.")
    return sorted(choices[which])


# -- answers -----------------------------------------------------------------------------------------------------


def plain_words(text: str) -> list[str]:
    """Words without the signs around them, compared without case."""
    found = []
    for piece in unicodedata.normalize("NFKC", text).replace("’", "'").casefold().split():
        visible = [n for n, character in enumerate(piece) if unicodedata.category(character)[0] not in "PSZC"]
        if visible:
            found.append(piece[visible[0] : visible[-1] + 1])
    return found


def same_answer(answer: str, wanted: str) -> bool:
    """Whether an answer begins with the wanted word or words."""
    words = plain_words(wanted)
    return bool(words) and plain_words(answer)[: len(words)] == words


@dataclass(frozen=True)
class Answered:
    """One prompt before a judge. A status other than `ok` names why it does not count."""

    kept: tuple[str, ...] = ()
    answer: str = ""
    correct: bool = False
    among: bool | None = None  # whether a candidate is right; None where the judge was not asked or cannot tell
    mass: float = 0.0  # of the kept words
    candidates: tuple[str, ...] = ()  # the judge's most probable answers, where it told them
    status: str = OK


def answered(
    judge: Judge,
    encoding: Encoding,
    scores: Tensor,
    *,
    wanted: str | None = None,
    share: float = 0.5,
    which: str = "top",
    candidates: int = 1,
    generator: Generator | None = None,
) -> Answered:
    """Show the judge the selected words of one prompt and compare its answer with the wanted word.

    Formula: correct = 1 if the judge's answer begins with `wanted` (the text of the explained target, unless given: a
        target that is a piece of a word needs the whole word here); among = 1 if that, or one of its
        `candidates` most probable answers is. mass = sum of max(w_i, 0) over kept words / that over all; w_i as in
        `word_scores`. Selections as in `selected`.
    Shapes:  scores (T,).
    Range:   mass 0 to 1.
    Raises:  AttribookError for NaN scores, unknown selections. Status `no positive score`, `the wanted answer has no
        word`, or the judge's own.
    Source:  Noiser, section 4.4; the top-5 variant is that of its table 6.
    """
    words, sums = word_scores(encoding, scores)
    places = selected(which, sums, share, generator)
    wanted = encoding.target_text if wanted is None else wanted
    kept = tuple(words[place] for place in places)
    if not plain_words(wanted):
        return Answered(kept, status=NO_WORD)
    positive = sums.clamp(min=0)
    if float(positive.sum()) == 0:
        return Answered(kept, status=NO_MASS)
    found = judge.ask(kept, candidates)
    if found.status != OK:
        return Answered(kept, found.text, status=found.status)
    correct = same_answer(found.text, wanted)
    among = None
    if candidates > 1 and found.candidates is not None:
        among = correct or any(same_answer(candidate, wanted) for candidate in found.candidates)
    mass = float(positive[places].sum() / positive.sum())
    return Answered(kept, found.text, correct, among, mass, candidates=found.candidates or ())


@dataclass(frozen=True)
class Answerability:
    """Rate and score over n prompts; the same among candidates, None where a judge could not tell them."""

    rate: float
    score: float
    rate_among: float | None
    score_among: float | None
    n: int
    failed: Mapping[str, int]  # status -> prompts that are left out


def answerability(items: Sequence[Answered]) -> Answerability:
    """Sum up prompts.

    Formula: rate = 1/N sum_n c_n; score = 1/N sum_n c_n mass_n; c_n whether the answer is right (or, `among`, a
        candidate). Prompts with a status other than `ok` are left out of N and counted in `failed`.
    Range:   0 to 1, score at most rate, higher is better.
    Raises:  AttribookError if no prompt is left.
    Source:  Noiser, section 4.4. That the score averages over all prompts, not the right ones alone, is read from its
        tables, where no score exceeds its rate.
    """
    failed = Counter(item.status for item in items if item.status != OK)
    good = [item for item in items if item.status == OK]
    if not good:
        raise AttribookError(f"No prompt was judged, so there is no answerability. Failures: {dict(failed) or 'none'}.")
    n = len(good)
    rate_among = score_among = None
    if all(item.among is not None for item in good):
        rate_among = sum(bool(item.among) for item in good) / n
        score_among = sum(item.mass for item in good if item.among) / n
    rate = sum(item.correct for item in good) / n
    return Answerability(rate, sum(item.mass for item in good if item.correct) / n, rate_among, score_among, n, failed)


def gain(items: Sequence[Answered], controls: Sequence[Answered]) -> tuple[float, int]:
    """How much higher the rate is than that of a control on the same prompts, and on how many both were judged.

    Raises: AttribookError if the two differ in length, or no prompt is left.
    """
    if len(items) != len(controls):
        raise AttribookError(f"{len(items)} prompts and {len(controls)} controls: give one control for each.")
    pairs = [(a, b) for a, b in zip(items, controls, strict=True) if a.status == b.status == OK]
    if not pairs:
        raise AttribookError("No prompt was judged with and without the control.")
    return sum(int(a.correct) - int(b.correct) for a, b in pairs) / len(pairs), len(pairs)


@dataclass(frozen=True)
class MinimumShare:
    """The smallest share of words with which the judge was still right, and how often it was asked."""

    share: float = 1.0
    kept: tuple[str, ...] = ()
    asked: int = 0
    status: str = OK


def minimum_share(judge: Judge, encoding: Encoding, scores: Tensor, *, wanted: str | None = None) -> MinimumShare:
    """Take the least important word away, one by one, until the judge fails.

    Formula: (words kept at the last right answer) / W, from all W words on; one word is always left.
    Range:   1 / W to 1, lower is better. Status `not answerable with all words` where the judge fails at once, or the
        judge's own where it gives no answer.
    Source:  Noiser, section 5, "minimum proportion of top attributions".
    """
    words, sums = word_scores(encoding, scores)
    wanted = encoding.target_text if wanted is None else wanted
    if not plain_words(wanted):
        return MinimumShare(status=NO_WORD)
    order = by_importance(sums)
    last: tuple[str, ...] = ()
    asked = 0
    for count in range(len(words), 0, -1):
        kept = tuple(words[place] for place in sorted(order[:count]))
        found = judge.ask(kept)
        asked += 1
        if found.status != OK:
            return MinimumShare(asked=asked, status=found.status)
        if not same_answer(found.text, wanted):
            break
        last = kept
    return MinimumShare(len(last) / len(words), last, asked) if last else MinimumShare(asked=asked, status=NEVER)
