"""What each method declares, read from its source: a listing needs no torch, and importing a method needs it."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribook.attribution.names import FACTS, Facts

DECORATOR = "method"  # of base.py


@dataclass(frozen=True)
class Declared:
    """A method's facts, and what its decorator and docstring add to them."""

    facts: Facts
    summary: str
    forwards: str
    backwards: str


def declared_methods() -> dict[str, Declared]:
    """Every method by its name, in the order of names.py."""
    found = {one.facts.name: one for path in sorted(Path(__file__).parent.glob("*.py")) for one in declared_in(path)}
    return {name: found[name] for name in FACTS}


def declared_in(path: Path) -> Iterator[Declared]:
    """The methods of one file."""
    text = path.read_text(encoding="utf-8")
    if f"@{DECORATOR}(" not in text:
        return
    tree = ast.parse(text)
    constants = dict(constants_of(tree))
    for node in (each for each in tree.body if isinstance(each, ast.FunctionDef)):
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == DECORATOR:
                given = {str(one.arg): value_of(one.value, constants) for one in call.keywords}
                idea = inspect.cleandoc(ast.get_docstring(node) or "")
                yield Declared(
                    FACTS[node.name], first_sentence(idea), given.get("forwards", "0"), given.get("backwards", "0")
                )


def constants_of(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """The names at the top of a file that stand for texts or numbers."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                yield node.targets[0].id, ast.literal_eval(node.value)
            except ValueError:  # made by a call
                continue


def value_of(node: ast.expr, constants: dict[str, Any]) -> Any:
    """A literal, or a text that holds constants of its file."""
    return eval(ast.unparse(node), {"__builtins__": {}}, constants)


def first_sentence(docstring: str) -> str:
    """What a listing says of a method."""
    idea = docstring.split("\n\n")[0].replace("\n", " ")
    return idea.partition(". ")[0].rstrip(".") + "."
