"""Names of what a study scores: a method, or a method with options of its own, such as `reagent{ratio=0.1,runs=3}`.

The options stand over the protocol's. Randomness is found from the method alone, so two settings of one method are
compared on the same random numbers, and equal settings are one row in the store, however their names are written.
"""

import re
from typing import Any

from attribook.attribution.base import Method, Options
from attribook.attribution.registry import find_method
from attribook.errors import AttribookError

FORM = re.compile(r"(\w+)(?:\{([^{}:]*)\})?")


def setting(method: str, **options: Any) -> str:
    """The name of a method with these options."""
    given = ",".join(f"{name}={value}" for name, value in options.items())
    return f"{method}{{{given}}}" if given else method


def read_setting(name: str) -> tuple[Method, Options]:
    """The method of that name and the options in it. Raises: AttribookError for what cannot be read."""
    form = FORM.fullmatch(name)
    if form is None:
        raise AttribookError(f"{name!r} names no method. Write method or method{{option=value,option=value}}.")
    found = find_method(form[1])
    options = found.parsed(form[2].split(",")) if form[2] else {}
    found.resolve(options)
    return found, options


def without_options(name: str) -> str:
    """The same name without the options in it."""
    return re.sub(r"\{[^{}]*\}", "", name)
