"""What a judge is asked: the words of a prompt that it sees, behind a few examples."""

from collections.abc import Sequence

# Everyday facts, so that no example gives an answer of a data set away.
EXAMPLES = (
    ("bees make sweet", "honey"),
    ("In winter snow its colour is", "white"),
    ("seven days are called one", "week"),
    ("The engine firemen drive is painted", "red"),
)
INSTRUCTION = "Each line is a sentence from which words are missing. Its last word is there."
REQUEST = "Which word is the last of the last line? It is not there yet. Answer with that word only."
NO_WORDS = "..."


def lines(words: Sequence[str]) -> str:
    """The examples, and the words as a line that a model of language goes on with."""
    examples = (f"{line} {answer}" for line, answer in EXAMPLES)
    return "\n".join([INSTRUCTION, "", *examples, " ".join(words) or NO_WORDS])


def question(words: Sequence[str]) -> str:
    """The same as a question in a chat."""
    return f"{lines(words)}\n\n{REQUEST}"
