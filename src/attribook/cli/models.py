"""The commands on models: `attribook models list`, `fetch`, `verify` and `train`."""

from pathlib import Path
from typing import Annotated

import typer

from attribook.cli.output import Json, show_rows
from attribook.errors import AttribookError

models_app = typer.Typer(help="The models that are explained.", no_args_is_help=True)


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """Models that need no hub."""
    from attribook.models.known import known_names, status
    from attribook.models.registry import SOURCES

    rows = []
    for name in known_names():
        source = SOURCES.get(name)
        about = source.note if source else "seeded random weights, for tests and the smoke profile"
        licence, opt_in = (source.licence, bool(source.terms)) if source else ("MIT", False)
        rows.append({"name": name, "status": status(name), "licence": licence, "opt_in": opt_in, "about": about})
    show_rows(rows, as_json)


@models_app.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="A registered model.")] = "smollm2-135m",
    accept_licence: Annotated[
        bool,
        typer.Option("--accept-licence", envvar="ATTRIBOOK_ACCEPT_LICENCE", help="Accept the terms that are shown."),
    ] = False,
) -> None:
    """Fetch, verify and convert a model; nothing to do where it is there and sound."""
    from attribook.archives import to_stderr
    from attribook.models.fetch import ensure, terms_of
    from attribook.models.registry import SOURCES

    source = SOURCES[registered(name)]
    if source.terms and accept_licence:  # else the message of the refusal shows them
        to_stderr(terms_of(source))
    print(ensure(name, accept_licence=accept_licence))


@models_app.command("verify")
def models_verify(
    name: Annotated[str | None, typer.Argument(help="A registered model; none means all fetched.")] = None,
) -> None:
    """Compare the hashes of fetched models with the registered ones."""
    from attribook.models.fetch import damaged
    from attribook.models.known import model_folder
    from attribook.models.registry import SOURCES

    names = [registered(name)] if name else [n for n in SOURCES if model_folder(n).is_dir()]
    if not names:
        print("No model is fetched yet.")
    damages = {n: damaged(n) for n in names}
    for n, damage in damages.items():
        print(f"{n}: {damage or 'sound'}")
    if any(damages.values()):
        raise typer.Exit(1)


@models_app.command("train")
def models_train(
    name: Annotated[str, typer.Argument(help="A model that has a recipe.")] = "minilm-rotten-tomatoes",
    to: Annotated[Path | None, typer.Option(help="A new folder; default: `trained/NAME` in the cache.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the recipe's.")] = None,
) -> None:
    """Tune a model again by its recipe and compare held-out accuracies. The registered model stays as it is."""
    from dataclasses import replace

    from attribook.archives import sha256, to_stderr
    from attribook.data.datasets import load_dataset
    from attribook.models.fetch import ensure
    from attribook.models.recipes import RECIPES
    from attribook.models.registry import SOURCES
    from attribook.models.tuning import Example, accuracy, train
    from attribook.paths import home

    if name not in RECIPES:
        raise AttribookError(f"There is no recipe for a model {name!r}. Models with one: {', '.join(RECIPES)}.")
    recipe = RECIPES[name] if seed is None else replace(RECIPES[name], seed=seed)
    folder = to or home() / "trained" / name
    parts: dict[str, list[Example]] = {}
    for prompt in load_dataset(recipe.dataset):
        parts.setdefault(str(prompt.split), []).append(Example(prompt.text, prompt.answer, prompt.rating))
    found = train(recipe, parts, folder, to_stderr)
    print(f"accuracy on {len(parts['held-out'])} held-out texts: {found['held-out']:.4f}")
    if name in SOURCES:
        print(f"of the registered {name}, which is unchanged: {accuracy(ensure(name), parts['held-out']):.4f}")
        same = sha256(folder / "update.safetensors") == SOURCES[name].update_sha256
        print(f"What was learned is {'the same to the last bit' if same else 'not the same to the last bit'}.")
    print(folder)


def registered(name: str) -> str:
    """The name itself. Raises: AttribookError if no such model is registered."""
    from attribook.models.registry import SOURCES

    if name not in SOURCES:
        raise AttribookError(f"Unknown model {name!r}. Models that can be fetched: {', '.join(SOURCES)}.")
    return name
