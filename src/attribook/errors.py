"""The errors a user can meet. Each message says what is wrong and what to do instead."""


def printable(text: str) -> str:
    """A text whose control characters, which a terminal would obey, are written out; line breaks and tabs stay."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode()
        for letter in text
    )


class AttribookError(Exception):
    """Wrong use, bad input or a damaged file: the command prints the message and exits with 2."""


class Unanswered(AttribookError):
    """A judge gave no answer now and may give one later: nothing is stored of it, and the next run asks again."""


class AttribookWarning(UserWarning):
    """Something the user should know although the result stands, such as a target of several tokens."""
