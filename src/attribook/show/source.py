"""The source of a function that two pages share, folded, so that a page still shows how its numbers are made."""

import inspect
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from attribook.show.heatmap import Html
from attribook.show.literal import literal


def source(function: Callable[..., Any]) -> Html:
    """The folded source of a function under its name and the module where it lies."""
    whole = inspect.unwrap(function)
    told = f"source of <code>{literal(whole.__qualname__)}</code> in <code>{literal(whole.__module__)}</code>"
    text = literal(dedent(inspect.getsource(whole)).rstrip())
    return Html(f'<details class="attribook-source"><summary>{told}</summary><pre>{text}</pre></details>')
