"""The command that forecasts: `attribook plan`."""

import os
from typing import Annotated

import typer

from attribook.cli.output import Json, as_json_text, terminal
from attribook.errors import AttribookError
from attribook.show.terminal import listed

NUMBERS = ("forwards", "backwards", "hours", "memory_gb", "disk_mb", "forecast_hours", "measured_hours", "ratio")


def plan(
    notebooks: Annotated[list[str] | None, typer.Argument(help="Names of notebooks; none means all.")] = None,
    profile: Annotated[str, typer.Option(help="smoke, laptop, original or paper.")] = "laptop",
    speed: Annotated[float, typer.Option(help="How many times as fast as the machine of the stored rows.")] = 1.0,
    against: Annotated[
        bool, typer.Option("--against", help="Forecast stored studies from their first texts, beside what they took.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What a profile would compute and cost, from measured rates; nothing is run."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched for a plan
    from attribook.site.plan import checked, plan, totals
    from attribook.site.profiles import notebook_names

    if speed <= 0:
        raise AttribookError(f"--speed is {speed}. Give a number above 0, such as 50 for a GPU.")
    known = notebook_names()
    if unknown := set(notebooks or []) - set(known):
        raise AttribookError(f"Unknown notebook {', '.join(sorted(unknown))}. Known: {', '.join(known)}.")
    found = checked(profile) if against else plan(profile, notebooks or known)
    if found.empty:
        raise AttribookError(f"Nothing is planned or stored for the profile {profile}.")
    if not against:
        found["hours"] /= speed
    tables = [("studies", found)] if against else [("studies", found), ("papers", totals(found))]
    if as_json:
        records = {name: frame.astype(object).where(frame.notna(), None).to_dict("records") for name, frame in tables}
        print(as_json_text(records))
        return
    for name, frame in tables:
        shown = frame.copy()
        for column in (each for each in NUMBERS if each in shown):
            shown[column] = [f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}" for value in shown[column]]
        right = [each for each in (*NUMBERS, "texts", "units") if each in shown]
        terminal().print(
            listed([str(each) for each in shown], shown.astype(str).to_numpy().tolist(), right=right, title=name)
        )
