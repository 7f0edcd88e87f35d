"""The `attribook` command. Exit codes: 0 done, 1 a check failed, 2 wrong use (the message says what to type).

130: `attribook run` was interrupted; 143: it was asked to end by SIGTERM.
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from attribook.cli.checks import check, claims
from attribook.errors import AttribookError, AttribookWarning

app = typer.Typer(
    help="Attribution methods for language models, explained, measured and checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="What is explained.", no_args_is_help=True)
data_app = typer.Typer(help="What it is asked.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(data_app, name="data")
app.command()(claims)
app.command()(check)

UNCONVERGED = "its own test of being done was not met, so read its scores with care (details: --json)"
out = Console()
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Entry point: errors that a user can mend are one message and exit code 2."""
    warnings.showwarning = show_warning  # type: ignore[assignment]
    try:
        app()
    except AttribookError as error:
        print(f"attribook: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:  # a full disk, a folder that must not be written to
        print(f"attribook: {error.strerror or error}: {error.filename or 'no file is named'}", file=sys.stderr)
        sys.exit(2)


def show_warning(message: Warning | str, category: type[Warning], *where: Any) -> None:
    """Our own warnings as one line; others as Python shows them."""
    if issubclass(category, AttribookWarning):
        print(f"attribook: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, *where[:2]), file=sys.stderr, end="")


@app.command()
def explain(
    prompt: Annotated[str, typer.Argument(help="The text whose next token is explained.")],
    model: Annotated[str, typer.Option(help="A known name, a folder, or a hub id.")] = "smollm2-135m",
    method: Annotated[str, typer.Option(help="See `attribook methods`.")] = "occlusion",
    target: Annotated[str | None, typer.Option(help="Explain this word instead of the prediction.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="An option of the method, name=value.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of random methods.")] = 0,
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(help="Write one HTML page to this file.")] = None,
) -> None:
    """Explain one prediction, coloured by token."""
    from attribook.attribution.registry import find_method

    found = find_method(method)
    options = found.resolve(found.parsed(option or []))
    check_asked(prompt, html)  # before a model is loaded for nothing

    import torch
    from tqdm import tqdm

    from attribook.models.load import load_model
    from attribook.show.heatmap import page
    from attribook.show.terminal import coloured_text

    explained = load_model(model)
    encoding = explained.encode(prompt, target=target)
    chance = torch.Generator().manual_seed(seed)
    if reason := found.unfit(explained):
        raise AttribookError(reason)
    with tqdm(
        total=found.forecast(encoding, options), desc=method, unit="forward", disable=None, leave=False
    ) as bar:  # silent without a terminal
        explained.engine.on_progress = bar.update
        attribution = found(explained, encoding, generator=chance, **options)
    scores = attribution.scores.tolist()
    answer = {
        "model": model,
        "prompt": prompt,
        "tokens": encoding.tokens,
        "scores": scores,
        "attributable": encoding.attributable.tolist(),
        "template": encoding.template.tolist(),
        "target": encoding.target_text,
        "probability": encoding.probability,
        "method": method,
        "options": attribution.options,
        "seed": seed,
        "converged": attribution.converged,
        "cost": vars(attribution.cost),
        "details": dict(attribution.details),
        "notes": encoding.notes,
    }
    if attribution.converged is False:
        print(f"attribook: {method} did not converge: {UNCONVERGED}", file=sys.stderr)
    own = (~encoding.template).nonzero()[:, 0].tolist()  # a template's words are not the user's
    tokens, shown = [encoding.tokens[i] for i in own], [scores[i] for i in own]
    if html is not None:
        facts = {
            "model": model, "predicts": f"{encoding.target_text!r}, p = {encoding.probability:.3f}",
            "method": method, **attribution.options,
            **({"converged": False} if attribution.converged is False else {}),
        }  # fmt: skip
        write_whole(html, page(f"Why {encoding.target_text.strip()!r}?", facts, tokens, shown, method))
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    elif html is None:
        out.print(coloured_text(tokens, shown))
        out.print(f"→ {visible(encoding.target_text)} (p = {encoding.probability:.3g})", highlight=False, markup=False)
        ranked = sorted(zip(tokens, shown, strict=True), key=lambda pair: -abs(pair[1]))[:5]
        strongest = ", ".join(f"{visible(token)} {score:+.3g}" for token, score in ranked)
        out.print(f"{method}, strongest: {strongest}", highlight=False, markup=False)


def check_asked(prompt: str, html: Path | None) -> None:
    """Raises: AttribookError for a text that cannot be explained, or a file that cannot be one."""
    if not prompt.strip():
        raise AttribookError("The prompt is empty. Give at least one word to attribute the prediction to.")
    if any("\ud800" <= letter <= "\udfff" for letter in prompt):
        raise AttribookError("The prompt has bytes that are no UTF-8 text. Give it in UTF-8.")
    if html is not None and (not html.name or html.is_dir()):
        raise AttribookError(f"{str(html)!r} is no name of a file. Give one, such as why.html.")


def visible(text: str) -> str:
    """A token without its spaces; as Python writes it, where nothing would be seen."""
    return text.strip() or repr(text)


def write_whole(path: Path, content: str) -> None:
    """Write a file in one step, or leave what was there. Raises: AttribookError where that is not possible."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        scratch.write_text(content)
        os.replace(scratch, path)
    except OSError as error:
        raise AttribookError(f"Cannot write {path}: {error.strerror}.") from error


@app.command()
def methods(as_json: Json = False) -> None:
    """Every method: what it does, its options, its cost."""
    from attribook.attribution.registry import METHODS

    if as_json:
        fields = ("version", "forwards", "backwards", "random", "summary")
        listed = [
            {"name": m.name, "options": m.defaults, **{f: getattr(m, f) for f in fields}} for m in METHODS.values()
        ]
        print(json.dumps(listed))
        return
    shown = Table()
    for column in ("method", "what it does", "options", "forwards", "backwards"):
        shown.add_column(column, overflow="fold", no_wrap=column == "method")
    for m in METHODS.values():
        options = "\n".join(f"{name}={value}" for name, value in m.defaults.items())
        shown.add_row(m.name, m.summary, options, m.forwards, m.backwards)
    out.print(shown)


@app.command()
def run(
    notebooks: Annotated[list[str] | None, typer.Argument(help="Names of notebooks; none means all.")] = None,
    profile: Annotated[str, typer.Option(help="smoke, laptop, original or paper.")] = "laptop",
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute all rows again, beside the stored ones.")] = False,
    site: Annotated[bool, typer.Option("--site", help="Build the site from what was run.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many notebooks run at once.")] = 2,
) -> None:
    """Execute notebooks with papermill; what has not changed is not run again."""
    from attribook.site.build import build_site, run_notebooks
    from attribook.site.execution import Terminated

    try:
        failures = run_notebooks(notebooks or [], profile, fresh=fresh, jobs=jobs)
    except KeyboardInterrupt as interrupt:
        again = "run the same command again" + " without --fresh" * fresh
        print(f"interrupted; rows so far are stored, {again}", file=sys.stderr, flush=True)
        raise typer.Exit(143 if isinstance(interrupt, Terminated) else 130) from None
    for failure in failures:
        print(f"attribook: {failure.notebook} failed: {failure.reason}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)
    if site:
        print(f"The book is built. Its first page: {build_site(profile)}")


@app.command()
def bench(
    as_json: Json = False,
    peers: Annotated[bool, typer.Option(help="Measure Inseq too, in an environment of its own.")] = True,
    model: Annotated[str, typer.Option(help="The explained model.")] = "smollm2-135m",
    classifier: Annotated[str, typer.Option(help="The encoder for RPI; empty for none.")] = "minilm-rotten-tomatoes",
) -> None:
    """Speed against captum, Inseq, RPI's released schedule and the machine's limit; scores are compared first."""
    from attribook.bench.measure import measure, report

    found = measure(model, peers=peers, classifier=classifier)
    print(json.dumps(found)) if as_json else out.print(report(found))


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """Models that need no hub."""
    from attribook.models.load import known_names, status
    from attribook.models.registry import SOURCES

    rows = []
    for name in known_names():
        source = SOURCES.get(name)
        about = source.note if source else "seeded random weights, for tests and the smoke profile"
        rows.append(
            {
                "name": name,
                "status": status(name),
                "licence": source.licence if source else "MIT",
                "opt_in": bool(source and source.terms),
                "about": about,
            }
        )
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
    from attribook.models.fetch import damaged, model_folder
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


@data_app.command("list")
def data_list(as_json: Json = False) -> None:
    """Data sets: our own and the papers'."""
    from attribook.data.datasets import DATASETS

    fields = ["name", "rows", "licence", "about", "source", *(["file", "sha256"] if as_json else [])]
    show_rows([{f: getattr(d, f) for f in fields} for d in DATASETS.values()], as_json)


@data_app.command("verify")
def data_verify(
    name: Annotated[str | None, typer.Argument(help="A data set; none means all that are there.")] = None,
) -> None:
    """Read data sets and compare hashes and row counts."""
    from attribook.data.datasets import DATASETS, load_dataset

    bad = False
    for n in [name] if name else [n for n, d in DATASETS.items() if d.here()]:
        try:
            print(f"{n}: {len(load_dataset(n))} items, sound")
        except AttribookError as error:
            if name:
                raise
            bad = True
            print(f"{n}: {error}", file=sys.stderr)
    if not name and (absent := [d for d in DATASETS.values() if not d.here()]):
        print("not there: " + ", ".join(f"{d.name} ({'fetched when used' if d.archive else d.file})" for d in absent))
    if bad:
        raise typer.Exit(1)


def show_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """A list of like rows, as JSON or as a table."""
    if as_json:
        print(json.dumps(rows))
        return
    shown = Table()
    for name in rows[0]:  # names and sources are to be typed or found: never cut
        shown.add_column(name, overflow="fold", no_wrap=name == "name")
    for row in rows:
        shown.add_row(*(str(value) for value in row.values()))
    out.print(shown)
