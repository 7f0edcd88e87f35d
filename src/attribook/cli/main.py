"""The `attribook` command. Exit codes: 0 done, 1 a check failed, 2 wrong use (the message says what to type).

130: `attribook run` was interrupted; 143: it was asked to end by SIGTERM.
"""

import json
import sys
import warnings
from typing import Annotated, Any

import typer

from attribook.cli.checks import check, claims
from attribook.cli.data import data_app
from attribook.cli.explain import explain
from attribook.cli.models import models_app
from attribook.cli.output import Json, out
from attribook.cli.plan import plan
from attribook.errors import AttribookError, AttribookWarning, printable
from attribook.show.terminal import listed

app = typer.Typer(
    help="Attribution methods for language models, explained, measured and checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(explain)
app.add_typer(models_app, name="models")
app.add_typer(data_app, name="data")
app.command()(claims)
app.command()(check)
app.command()(plan)


def main() -> None:
    """Entry point: errors that a user can mend are one message and exit code 2."""
    warnings.showwarning = show_warning  # type: ignore[assignment]
    for stream in (sys.stdout, sys.stderr):  # letters that a terminal's encoding lacks are written out
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app()
    except AttribookError as error:
        print(f"attribook: {printable(str(error))}", file=sys.stderr)
        sys.exit(2)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise  # a fault of ours
        print("attribook: there is not enough memory for this: ask for fewer steps, samples or tokens", file=sys.stderr)
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
def methods(as_json: Json = False) -> None:
    """Every method: what it does, its options, its cost."""
    from attribook.attribution.declared import declared_methods

    declared = declared_methods()
    if as_json:
        print(json.dumps([
            {"name": name, "options": dict(m.facts.options), "version": m.facts.version, "forwards": m.forwards,
             "backwards": m.backwards, "random": m.facts.random, "summary": m.summary} for name, m in declared.items()
        ]))  # fmt: skip
        return
    rows = [
        (name, m.summary, "\n".join(f"{option}={value}" for option, value in m.facts.options.items()), m.forwards,
         m.backwards) for name, m in declared.items()
    ]  # fmt: skip
    out.print(listed(("method", "what it does", "options", "forwards", "backwards"), rows, whole=["method"]))


@app.command()
def run(
    notebooks: Annotated[list[str] | None, typer.Argument(help="Names of notebooks; none means all.")] = None,
    profile: Annotated[str, typer.Option(help="smoke, laptop, original or paper.")] = "laptop",
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute all rows again, beside the stored ones.")] = False,
    site: Annotated[bool, typer.Option("--site", help="Build the site from what was run.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many notebooks run at once.")] = 2,
    workers: Annotated[int, typer.Option(min=0, help="Compute rows with as many processes; 0: in the notebooks.")] = 0,
    scheduler: Annotated[str, typer.Option(help="Compute at this Dask scheduler, as `tcp://host:8786`.")] = "",
    value: Annotated[
        list[str] | None, typer.Option("-p", help="A parameter of the named pages, name=value, over the profile's.")
    ] = None,
) -> None:
    """Execute notebooks with papermill; what has not changed is not run again."""
    from attribook.grid.cluster import computing
    from attribook.site.build import build_site, run_notebooks
    from attribook.site.execution import Terminated

    if value and site:
        raise AttribookError("-p is for single pages, the site has each profile's own values. Leave --site out.")
    if workers and scheduler:
        raise AttribookError("Give --workers for processes of this machine, or --scheduler for a cluster, not both.")
    try:
        with computing(workers, scheduler):
            failures = run_notebooks(notebooks or [], profile, fresh=fresh, jobs=jobs, values=value or [])
    except KeyboardInterrupt as interrupt:
        again = "run the same command again" + " without --fresh" * fresh
        print(f"interrupted; rows so far are stored, {again}", file=sys.stderr, flush=True)
        raise typer.Exit(143 if isinstance(interrupt, Terminated) else 130) from None
    for name, reason in failures.items():
        print(f"attribook: {name} failed: {reason}", file=sys.stderr)
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
    from attribook.bench.measure import measure
    from attribook.bench.report import report

    found = measure(model, peers=peers, classifier=classifier)
    print(json.dumps(found)) if as_json else out.print(report(found))
