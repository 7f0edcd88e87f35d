"""All checks of one profile, one after the other; one that cannot be made counts as a difference."""

import math
from collections.abc import Callable

from attribook.check.committed import check_ledger
from attribook.check.drift import Drift, Report
from attribook.check.files import file_drift
from attribook.check.smoke import erasure_drift
from attribook.check.stored import BUDGET, profiles, stored_drift
from attribook.errors import AttribookError

SAMPLE = 3  # units of each study, where nothing else is asked for


def check_all(profile: str, sample: int | None, seed: int, budget: float | None = None) -> Report:
    """Files, ledger, and stored rows of a profile: a `sample` of each study, None for all rows.

    `budget`: seconds for the rows; by default none for the tiny models, which are computed again whole, else `BUDGET`.
    Raises: AttribookError for wrong options.
    """
    if profile not in profiles():
        known = ", ".join(profiles()) or "none"
        raise AttribookError(f"No rows of a profile {profile!r} are stored. Profiles with rows: {known}.")
    if (sample is not None and sample < 0) or (budget is not None and budget < 0):
        raise AttribookError("The sample and the budget cannot be below 0. A sample of 0 computes no row again.")
    given = budget if budget is not None else math.inf if profile == "smoke" else BUDGET
    report = Report()
    attempt(report, "files", file_drift)
    attempt(report, "ledger", check_ledger)
    if sample != 0:
        attempt(report, "rows", lambda: stored_drift(profile, sample, seed, given))
        if profile == "smoke":
            attempt(report, "rows", erasure_drift)
    return report


def attempt(report: Report, name: str, check: Callable[[], tuple[list[Drift], str]]) -> None:
    """Make one check; a file that cannot be read, or a model that cannot be had, is its result.

    Whatever a damaged file makes a reader raise: what other checks found must not be lost with it.
    """
    try:
        report.add(*check())
    except (AttribookError, OSError, ValueError, TypeError, LookupError) as error:
        said = str(error) if isinstance(error, AttribookError) else f"{type(error).__name__}: {error}"
        report.add([Drift(name, "could not be checked", said)], f"{name}: not checked")
