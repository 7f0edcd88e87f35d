"""Self-ranking: the model is asked which words of the prompt mattered. "LLM" in RPI's tables of decoders.

The paper (section 4 and appendix A.4) instructs a tuned model to explain the prediction by ranking the importance of
each token of the input, and finds that its lists often hold tokens that the input does not have. It prints the prompts
of the task, not the one that asks for the ranking, nor how a list is read: both are ours. We ask for words,
because a model does not see its tokens, and for no scores, because the order is all that the paper takes.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained, stop_tokens

INSTRUCTION = """A language model read this text:

{text}

It predicted: {prediction}

Rank the words of the text from most to least important for this prediction. Answer with the ranked words only, \
separated by commas."""
CUE = "\n\nWords:"  # where there is no chat template, the answer begins here


@method(version=1, forwards="generated", kinds=("causal_lm", "prompted_classifier"), why="it asks a model that writes")
def self_ranking(
    model: Explained,
    encoding: Encoding,
    *,
    generator: Generator | None = None,
    asking: str = "auto",
    max_new_tokens: int = 128,
) -> tuple[Tensor, dict[str, float], bool]:
    r"""The model's own list of the prompt's words, the most important first, turned into scores. It is what a model
    says about itself, and nothing makes that true. Words that it names and the text does not have are counted.

    Formula: a_i = (n - r) / n for all tokens of the word that stands at place r = 0, 1, ... of the list, counting
        only what the text has; 0 for tokens of words that the list does not name, of punctuation and of spaces. n is
        the number of the text's words: whitespace-separated pieces of its attributable tokens, without the signs
        around them, compared without case. Where the text has a word several times, each mention takes its next
        place from the left, and mentions beyond that are `repeated`. `asking` `chat` puts the instruction into the
        tokenizer's chat template, `plain` gives it as text, `auto` takes `chat` where there is a template. The answer
        is decoded greedily until a stop token, `max_new_tokens` or the end of the context window. The details count
        words `ranked`, `hallucinated` (named, but not in the text), `repeated` and `unnamed`, and tokens
        `generated`; `chat` is 1 if the template was used.
    Shapes:  (T,).
    Range:   0 to 1; higher is more important. All 0 if the list has no word of the text: then `ranked` is 0, and it
        has not converged.
    Raises:  AttribookError for a text without words, an unknown way of asking, `chat` without a template, no room
        for an answer.
    Source:  RPI, section 4, "LLM", and table 4. Cost: a forward for each generated token.
    Differs: RPI prints neither its instruction nor how a list is read, so both are ours: words, not tokens, are asked
        for, because a model does not see its tokens. RPI says that its models often name tokens that are not in the
        text; here they are counted.
    """
    del generator
    words, places = words_of(encoding)
    if not words:
        raise AttribookError("The text has no word, only signs, so the model cannot rank its words. Give a word.")
    if max_new_tokens < 1:
        raise AttribookError(f"max_new_tokens of self_ranking must be at least 1, not {max_new_tokens}.")
    chat = asks_in_chat(model, asking)
    question = INSTRUCTION.format(text=encoding.text.strip(), prediction=encoding.target_text.strip())
    answer, generated = answered(model, question, chat, max_new_tokens)
    word_scores, counts = scored(words, named_words(answer))
    scores = torch.zeros(len(encoding), dtype=torch.float64)
    for score, tokens in zip(word_scores, places, strict=True):
        scores[tokens] = scores[tokens].clamp(min=score)  # a token may reach into two words
    return scores, {**counts, "generated": generated, "chat": float(chat)}, counts["ranked"] > 0


def asks_in_chat(model: Explained, asking: str) -> bool:
    """Whether the instruction goes into a chat template."""
    template = bool(model.tokenizer.chat_template)
    if asking not in ("auto", "chat", "plain"):
        raise AttribookError(f"Unknown way of asking {asking!r} of self_ranking. Choose auto, chat or plain.")
    if asking == "chat" and not template:
        raise AttribookError(f"The tokenizer of {model.name} has no chat template. Use asking=plain.")
    return template and asking != "plain"


def answered(model: Explained, question: str, chat: bool, limit: int) -> tuple[str, int]:
    """The model's answer and the number of tokens generated for it, its stop token included."""
    tokenizer = model.tokenizer
    if chat:
        turns = [{"role": "user", "content": question}]
        ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
    else:
        ids = tokenizer(question + CUE)["input_ids"]
    window = getattr(model.network.config.get_text_config(), "max_position_embeddings", None)
    room = limit if window is None else min(limit, window - len(ids))
    if room < 1:
        raise AttribookError(
            f"The question of self_ranking has {len(ids)} tokens, the context window of {model.name} holds {window}. "
            "Shorten the prompt."
        )
    found = model.engine.greedy(torch.tensor(ids), room, stop_tokens(model))
    return tokenizer.decode(found, skip_special_tokens=True), len(found)


# -- words -------------------------------------------------------------------------------------------------------


def words_of(encoding: Encoding) -> tuple[list[str], list[list[int]]]:
    """The words of the attributable text, in order, and the tokens of each."""
    text, owners = "", []  # owners: the token that each character belongs to
    for number, (token, attributable) in enumerate(zip(encoding.tokens, encoding.attributable.tolist(), strict=True)):
        shown = token if attributable else " "  # a special token ends a word
        text += shown
        owners += [number] * len(shown)
    words, places = [], []
    for piece in re.finditer(r"\S+", text):
        if word := stripped(piece.group()):
            start = piece.start() + piece.group().index(word)
            words.append(word)
            places.append(sorted(set(owners[start : start + len(word)])))
    return words, places


def stripped(piece: str) -> str:
    """A piece of text without the punctuation and signs around it."""
    kept = [n for n, character in enumerate(piece) if unicodedata.category(character)[0] not in "PSZC"]
    return piece[kept[0] : kept[-1] + 1] if kept else ""


def same_word(word: str) -> str:
    """What words are compared by: no case, one kind of apostrophe."""
    return unicodedata.normalize("NFKC", word).replace("’", "'").casefold()


def scored(words: list[str], named: list[str]) -> tuple[list[float], dict[str, float]]:
    """A score for every word of the text, and how many of the named words were what."""
    free: dict[str, list[int]] = defaultdict(list)
    for number, word in enumerate(words):
        free[same_word(word)].append(number)
    scores = [0.0] * len(words)
    counts = {"ranked": 0, "hallucinated": 0, "repeated": 0}
    for name in map(same_word, named):
        if name not in free:
            counts["hallucinated"] += 1
        elif not free[name]:
            counts["repeated"] += 1
        else:
            scores[free[name].pop(0)] = (len(words) - counts["ranked"]) / len(words)
            counts["ranked"] += 1
    return scores, {**counts, "unnamed": len(words) - counts["ranked"]}


# -- answers -----------------------------------------------------------------------------------------------------

BULLET = re.compile(r"^\s*(?:[-*•+]\s+|\(?\d{1,3}[.):]\s*)")
NUMBER_WITHIN = re.compile(r"\s\(?\d{1,3}[.)]\s+")
QUOTED = re.compile(r"""["“„«]([^"“”„«»]*)["“”»]""")
SEPARATOR = re.compile(r",\s+and\s|[,;>|、，；→]")
EXPLANATION = re.compile(r"\s*(?:[:=(（：—–]|\s-\s).*")
INTRODUCTION = re.compile(r"""^[^,:']*:(?!.*:)""")


def named_words(answer: str) -> list[str]:
    r"""The words that an answer names, in its order, repetitions included.

    Understood are lists by line, comma, semicolon, bar, arrow or number, in brackets and quotes or not. A line with
    double quotes names what they hold. In others, what follows a word after a colon, an equals sign, a dash or an
    opening parenthesis is an explanation or a score, and dropped; so is what precedes the only colon of a line that is
    no numbered or bulleted item ("The words are: ..."). What is left is split at spaces: a phrase names its words, and
    a sentence without quotes all of its own.
    """
    return [word for item in items(answer) for word in map(stripped, item.split()) if word]


def items(answer: str) -> Iterator[str]:
    """The items of a list, without numbers, introductions and explanations."""
    for line in NUMBER_WITHIN.sub("\n1. ", answer.replace("\\n", "\n")).splitlines():
        bulleted = BULLET.match(line)
        if quoted := QUOTED.findall(line):
            yield from quoted
        elif bulleted:
            yield from SEPARATOR.split(EXPLANATION.sub("", line[bulleted.end() :]))
        else:
            yield from (EXPLANATION.sub("", part) for part in SEPARATOR.split(INTRODUCTION.sub("", line)))
