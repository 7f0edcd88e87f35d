"""The commands on data sets: `attribook data list` and `verify`."""

import sys
from typing import Annotated

import typer

from attribook.cli.output import Json, show_rows
from attribook.errors import AttribookError

data_app = typer.Typer(help="The prompts and texts.", no_args_is_help=True)


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
