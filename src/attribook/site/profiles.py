"""Profiles: what papermill injects into notebooks, read from `params/` and checked before anything is executed."""

import ast
import contextlib
import difflib
import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from attribook.errors import AttribookError
from attribook.papers.rpi.settings import KNOWN
from attribook.paths import checkout
from attribook.site.method_pages import Example

METHOD_PAGES = "method_pages"  # the section of a profile that says what the pages of methods explain
# What YAML gives for each type of a parameter: a whole number is a float too; True is no number, as it is in Python.
FITS: dict[str, set[type]] = {"str": {str}, "int": {int}, "float": {int, float}, "bool": {bool}}

LIST = "models"  # of a section: the notebook is executed with each in the place of `model`
NAMES_A_MODEL = ("model", "second", "judge", "classifier", "prompted", "masked_lm")


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell."""

    kind: str
    default: Any
    about: str = ""  # the comment beside it


def notebook_names() -> list[str]:
    """All notebooks by their place under `notebooks/`, without their ending: `rpi/table_5`."""
    folder = checkout() / "notebooks"
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.py"))


def parameters(profile: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What papermill injects into each of the notebooks: the profile's name, and the values of its section."""
    return {name: given[0] for name, given in executions(profile, names).items()}


def executions(profile: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The same for each time that a notebook is executed: once, or once for each of the `models` of its section.

    The first is the page of the book. The others compute the rows of their models, which the ledger and the pages read.
    """
    sections, found = read_profile(profile), {}
    for name in names:
        given = {"profile": profile, **sections.get(name, {})}
        models = given.pop(LIST) if isinstance(given.get(LIST), list) else []
        found[name] = [given | {"model": model} for model in models] or [given]
    return found


def parsed_values(names: Iterable[str], pairs: Iterable[str]) -> dict[str, Any]:
    """Values of parameters from texts `name=value`, each of the type that the pages' parameters have.

    Raises: AttribookError where no page is named, and for a text, name or value that one of the pages does not take.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name in values:
            raise AttribookError(f"-p {pair} is not a new name=value. Write each name once, as -p n_items=20.")
        values[name] = text
    if values and not (names := list(names)):
        raise AttribookError("-p changes the pages that are named. Name one, as in: attribook run PAGE -p n_items=20.")
    for page in names if values else ():
        known = declared(checkout() / "notebooks" / f"{page}.py")
        for name, text in values.items():
            if name in known and name != "profile" and known[name].kind != "str" and isinstance(text, str):
                with contextlib.suppress(yaml.YAMLError):  # a text then, which the check below refuses
                    values[name] = yaml.safe_load(text)
        check_section(f"-p for {page}", page, values)
    if "profile" in values:
        raise AttribookError("-p cannot set profile. Use --profile.")
    return values


class Unambiguous(yaml.SafeLoader):
    """YAML in which no key stands twice; elsewhere the last would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping. Raises: YAMLError that names the line of the second key."""
        known: set[str] = set()
        for key, _ in node.value:
            if key.value in known:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"line {line} has {key.value!r} for the second time")
            known.add(key.value)
        return super().construct_mapping(node, deep)


def read_profile(profile: str) -> dict[str, dict[str, Any]]:
    """All sections of a profile.

    Raises: AttribookError for an unknown profile, a file that is no YAML or is empty, a section or a key that nothing
    reads, and a value of another type than the notebook's: each would else run a page on its defaults, or not at all.
    """
    path = checkout() / "params" / f"{profile}.yml"
    profiles = sorted(each.stem for each in path.parent.glob("*.yml"))
    if profile not in profiles:  # a name, and no path to a file elsewhere
        raise AttribookError(f"Unknown profile {profile!r}. Known: {', '.join(profiles)}.")
    place = f"params/{profile}.yml"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Unambiguous)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise AttribookError(f"{place} cannot be read as YAML: {reason}. Mend it there.") from error
    if not content or not isinstance(content, dict):
        raise AttribookError(f"{place} has no sections. Copy params/laptop.yml and edit the copy.")
    known = [*notebook_names(), METHOD_PAGES]
    for section, values in content.items():
        if section not in known:
            raise AttribookError(f"{place}: there is no notebook {section!r}{nearest(section, known)}")
        check_section(f"{place}, {section}", section, values)
    return content


def check_section(place: str, section: str, values: Any) -> None:
    """Raises: AttribookError where a section is empty, or a key or a value fits no parameter."""
    if not values or not isinstance(values, dict):
        raise AttribookError(f"{place}: the section holds no `name: value`. Give it a line, or remove it.")
    known = page_options() if section == METHOD_PAGES else declared(checkout() / "notebooks" / f"{section}.py")
    for name, value in values.items():
        if name == LIST and "model" in known and name not in known:
            check_models(place, values)
            continue
        if name not in known:
            raise AttribookError(f"{place}: there is no parameter {name!r}{nearest(name, known)}")
        kind = known[name].kind
        if type(value) not in FITS[kind]:
            forms = {"str": 'text: put it in quotes, "" for none', "bool": "true or false"}
            wanted = forms.get(kind, f"of type {kind}")
            raise AttribookError(f"{place}: {name} is {value!r} and has to be {wanted}.")
    if missing := [name for name, each in known.items() if each.default is MISSING and name not in values]:
        raise AttribookError(f"{place}: {', '.join(missing)} must be given, as in params/laptop.yml.")


def check_models(place: str, values: Mapping[str, Any]) -> None:
    """Raises: AttribookError where `models` is no list of different names, or stands beside `model`."""
    models = values[LIST]
    right = isinstance(models, list) and models and all(isinstance(model, str) and model for model in models)
    if not right or len(set(models)) < len(models):
        raise AttribookError(f"{place}: {LIST} is {models!r} and has to be a list of different names of models.")
    if "model" in values:
        raise AttribookError(f"{place}: give model or {LIST}, not both.")


def nearest(name: Any, known: Iterable[str]) -> str:
    """The end of a message on an unknown name: the known one that is spelt alike, or all."""
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    return f". Did you mean {near[0]}?" if near else f". Known: {', '.join(known)}."


def declared(notebook: Path) -> dict[str, Parameter]:
    """The parameters cell of a notebook, by name: lines such as `n_items: int = 24`."""
    cell = r'^# %% tags=\["parameters"[^\]\n]*\]\n(.*?)(?=^# %%|\Z)'
    found = re.search(cell, notebook.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    code = found[1] if found else ""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    return {
        line.target.id: Parameter(
            ast.unparse(line.annotation), ast.literal_eval(line.value), comments.get(line.end_lineno or 0, "")
        )
        for line in ast.parse(code).body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value
    }


def models_named(notebook: Path, injected: Mapping[str, Any]) -> list[str]:
    """The models that a notebook's parameters name, injected ones or its own."""
    values = {name: each.default for name, each in declared(notebook).items()} | dict(injected)
    found = [*(values.get(name, "") for name in NAMES_A_MODEL), *values.get("models", "").split(",")]
    for part in values.get("tasks", "").replace(",", " ").split():
        own = part.split(":")[1:2]  # of printed:model:dataset; else the printed name of a task that is known
        found += own or [task.model for task in KNOWN if task.printed == part]
    return sorted({name.strip() for name in found} - {""})


def page_options() -> dict[str, Parameter]:
    """What the section of the method pages takes; the profile's name is given to them by the program."""
    return {each.name: Parameter("str", each.default) for each in fields(Example) if each.name != "profile"}
