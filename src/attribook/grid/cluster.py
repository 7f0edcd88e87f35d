"""Workers of a Dask cluster compute; the process that asks for rows writes them.

A task is one text with all that is missing of it. Workers read stored rows from the folder of results, which they share
with the process that asks, and write nothing. A worker holds the studies of one model at a time, so weights are loaded
once for each worker. Dask gives the task of a worker that died to another one.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attribook.data.prompts import Prompt
from attribook.errors import AttribookError
from attribook.grid.executors import SCHEDULER, Failed, Outcome, Step, computed
from attribook.grid.items import Items, Unit
from attribook.grid.rows import SCORES, Rows
from attribook.grid.store import Row
from attribook.paths import results_folder

if TYPE_CHECKING:
    from attribook.grid.study import Definition

LACKING = "Workers need Dask. Install it: pip install 'attribook[cluster]'."
PROMPTS = 8  # predictions of a task
HELD: dict["Definition", Rows[Any]] = {}  # of a worker: the studies of one model


class Cluster:
    """The client's side: see `Executor`."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def outcomes(self, rows: Rows[Any], units: Sequence[Unit]) -> Iterator[Step]:
        """See `Executor`. Texts come in the order in which they are done."""
        shards = [list(shard) for _, shard in groupby(units, key=lambda unit: unit.prompt.id)]
        known = [{rows.key(unit, SCORES): rows.stored_scores(unit) for unit in shard} for shard in shards]
        study = replace(rows.study)  # without what it holds in memory
        weights = rows.weights(study.model)
        calls = [(study, weights, shard, have) for shard, have in zip(shards, known, strict=True)]
        for place, found in self._done(parts_of, calls):
            if isinstance(found, Failed):
                found = [(i, part, found) for i, unit in enumerate(shards[place]) for part in rows.study.parts(unit)]
            yield from ((shards[place][i], part, outcome) for i, part, outcome in found)

    def answers(self, items: Items, asked: str, prompts: Mapping[str, Prompt], *given: Any) -> Iterator[Any]:
        """See `Executor`."""
        pairs = list(prompts.items())
        groups = [dict(pairs[start : start + PROMPTS]) for start in range(0, len(pairs), PROMPTS)]
        calls = [(replace(items.study), items.weights(), asked, group, given) for group in groups]
        for _, found in self._done(answers_of, calls):
            if isinstance(found, Failed):
                raise AttribookError(f"{items.study.model} predicts nothing: {found.why}.")
            yield from found.items()

    def _done(self, task: Any, calls: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """The place of each call and its result, as they are done; `Failed` where worker after worker died of it."""
        from distributed import KilledWorker, as_completed
        from distributed.comm import CommClosedError

        gpu = any("GPU" in each["resources"] for each in self.client.scheduler_info(n_workers=-1)["workers"].values())
        folder = str(results_folder())
        futures = [
            self.client.submit(task, folder, *call, pure=False, retries=0, resources={"GPU": 1} if gpu else None)
            for call in calls
        ]
        places = {future.key: place for place, future in enumerate(futures)}
        try:
            for future in as_completed(futures, loop=self.client.loop):
                try:
                    yield places[future.key], future.result()
                except KilledWorker as error:
                    yield places[future.key], Failed(f"KilledWorker: {' '.join(str(error).split())[:300]}")
                futures[places[future.key]] = None  # the scheduler need not keep what is stored
        except (CancelledError, CommClosedError, TimeoutError) as error:
            raise AttribookError(
                "The connection to the Dask scheduler was lost. Rows so far are stored: run the same command again."
            ) from error


# -- on a worker -------------------------------------------------------------------------------------------------------


def parts_of(
    folder: str, study: "Definition", weights: str, units: list[Unit], known: Mapping[str, list[Row]]
) -> list[tuple[int, str, Outcome]]:
    """What is missing of one text: the place of each unit, the part, and what became of it."""
    rows, found = held(folder, study, weights), []
    rows.scores.groups |= {key: group for key, group in known.items() if group}
    places = {id(unit): place for place, unit in enumerate(units)}
    for unit, part, outcome in computed(rows, units):
        rows.hold(unit, part, outcome)
        plain = Failed(outcome.why) if isinstance(outcome, Failed) else outcome  # not every exception can travel
        found.append((places[id(unit)], part, plain))
    return found


def answers_of(
    folder: str, study: "Definition", weights: str, asked: str, prompts: Mapping[str, Prompt], given: tuple[Any, ...]
) -> dict[str, Row]:
    """What the model says of some prompts."""
    worker = held(folder, study, weights).worker
    return {key: getattr(worker, asked)(prompt, *given) for key, prompt in prompts.items()}


def held(folder: str, study: "Definition", weights: str) -> Rows[Any]:
    """The rows of a study on this worker. Raises: AttribookError where it has other weights under the model's name."""
    os.environ["ATTRIBOOK_RESULTS"] = folder
    os.environ.pop(SCHEDULER, None)  # a worker asks no other
    if any(each.model != study.model or str(results_folder()) != folder for each in HELD):
        HELD.clear()
    if study not in HELD:
        rows: Rows[Any] = Rows(study)
        if rows.weights(study.model) != weights:
            raise AttribookError(f"A worker has other weights of {study.model} than the process that asks it.")
        HELD[study] = rows
    return HELD[study]


# -- whom to ask -------------------------------------------------------------------------------------------------------


@cache
def connected(address: str) -> Cluster:
    """The cluster at that address, as long as this process lasts."""
    try:
        from distributed import Client
    except ImportError as error:
        raise AttribookError(LACKING) from error
    try:
        return Cluster(Client(address, set_as_default=False, timeout="20s"))
    except (OSError, ValueError) as error:
        raise AttribookError(f"No Dask scheduler answers at {address}: {error}. Start one, or leave it out.") from error


@contextmanager
def computing(workers: int, scheduler: str) -> Iterator[None]:
    """Let this process and those that it starts compute with a local cluster of workers, or at a scheduler."""
    if not (workers or scheduler):
        yield
        return
    try:
        from distributed import LocalCluster
        from distributed.system import MEMORY_LIMIT
    except ImportError as error:
        raise AttribookError(LACKING) from error
    own = None
    if workers:
        own = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None,
                           memory_limit=MEMORY_LIMIT // workers)  # fmt: skip
    os.environ[SCHEDULER] = own.scheduler_address if own else scheduler
    try:
        yield
    finally:
        del os.environ[SCHEDULER]
        if own:
            own.close()
