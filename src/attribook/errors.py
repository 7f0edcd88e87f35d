"""The errors a user can meet. Each message says what is wrong and what to do instead."""


class AttribookError(Exception):
    """Wrong use, bad input or a damaged file: the command prints the message and exits with 2."""


class AttribookWarning(UserWarning):
    """Something the user should know although the result stands, such as a target of several tokens."""
