"""What a judge is asked: the words of a prompt that it sees, behind a few examples. And who is asked, on a server."""

import ipaddress
import os
import urllib.parse
from collections.abc import Sequence

from attribook.errors import AttribookError

URL_VARIABLE = "OPENAI_BASE_URL"  # the name that other clients know

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


def server_class() -> str:
    """Which kind of server $OPENAI_BASE_URL names: this machine, a private network, or the host's own name.

    It stands in the keys of answers, since models of one name differ from server to server. A port or a private address
    may change from day to day, so they do not stand there. Raises: AttribookError where the variable names none.
    """
    try:
        host = urllib.parse.urlsplit(os.environ.get(URL_VARIABLE, "")).hostname
    except ValueError:  # brackets without an address
        host = None
    if not host:
        raise AttribookError(
            f"Set ${URL_VARIABLE} to the judge's address, as in https://host/v1: answers lie under it."
        )
    if host == "localhost":
        return "this machine"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return "this machine" if address.is_loopback else "private network" if address.is_private else host
