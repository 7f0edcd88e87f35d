"""Notebooks executed by papermill, each in a process of its own, so that one that dies takes no other with it."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import util
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
import papermill
import psutil
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from attribook.site.kernels import FORKS, Forking, Host, Kernel, connection, context, forget, socket_folder

STARTS = 3  # how often a kernel is started that dies before its first cell
PATIENCE = 5.0  # seconds that a process has to end by itself
DIED = "kernel died"
PROCESSES = context()


@dataclass(frozen=True)
class Task:
    """A notebook to execute."""

    name: str
    source: Path  # the notebook as text
    draft: Path  # where the executed notebook is written
    parameters: Mapping[str, Any]
    cwd: Path  # where its kernel starts


class Outcome(NamedTuple):
    """How a notebook ended: why it failed, or an empty text; and what it cost, its kernel included."""

    task: Task
    reason: str
    seconds: float  # of CPU time; 0 where the process did not live to tell


class Folders(NamedTuple):
    """What must not stay when the command was killed."""

    sockets: Path | None  # of the kernel
    server: Path | None  # of what drivers are forked from, which the command removes where it can


class Terminated(KeyboardInterrupt):
    """The command was asked to end by SIGTERM."""


# -- the command: several processes at once ------------------------------------------------------------------------


def executed(tasks: Iterable[Task], jobs: int) -> Generator[Outcome, None, None]:
    """Execute notebooks, at most `jobs` at once. Gives how each ended, as it ends.

    Tasks are taken one by one, when there is room to start one. However this ends, no process of it goes on.
    """
    running: dict[Connection, Process] = {}
    waiting = iter(tasks)
    try:
        with sigterm_raises():
            while True:
                while len(running) < jobs and (task := next(waiting, None)):
                    process = Process(task)
                    running[process.answer] = process
                if not running:
                    return
                for answer in wait(list(running), timeout=1):  # without a limit, Windows would not hear Ctrl-C
                    process = running[answer]  # type: ignore[index]  # only connections were waited for
                    outcome = process.outcome()
                    del running[process.answer]
                    yield outcome
    finally:
        for process in running.values():
            process.system.terminate()
        for process in running.values():
            process.end()


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raise `Terminated` where SIGTERM arrives; the default would end the command and leave its processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return

    def terminated(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Process:
    """The process that executes one notebook, and the folder of its kernel's sockets, which outlives neither."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.folder = socket_folder()
        self.answer, given = PROCESSES.Pipe(duplex=False)
        folders = Folders(self.folder, Path(util.get_temp_dir()) if FORKS else None)
        self.system = PROCESSES.Process(target=execute, args=(task, folders, given, dict(os.environ)), daemon=True)
        self.system.start()
        given.close()  # so that the end of the process is the end of the pipe

    def outcome(self) -> Outcome:
        """How the notebook ended. Waits for the process, which has answered or died."""
        try:
            reason, seconds = self.answer.recv()
        except EOFError:
            reason, seconds = None, 0.0
        self.end()
        return Outcome(self.task, reason if reason is not None else f"{DIED}: {ending(self.system.exitcode)}", seconds)

    def end(self) -> None:
        """Wait for the process, kill it where it does not end, and remove what it left."""
        self.system.join(PATIENCE)
        if self.system.is_alive():
            self.system.kill()
            self.system.join()
        self.answer.close()
        forget(self.folder)


def ending(code: int | None) -> str:
    """How the process that drove a kernel ended, in words."""
    if code is not None and code < 0:
        return f"the process that drove it was ended by {signal.Signals(-code).name}"
    return f"the process that drove it ended with exit code {code}"


# -- the process of one notebook -----------------------------------------------------------------------------------


def execute(task: Task, folders: Folders, answer: Connection, environment: Mapping[str, str]) -> None:
    """Execute one notebook and send why it failed, or an empty text, and its CPU seconds.

    A kernel that does not start is started again.
    """
    os.environ.clear()  # a process that was forked has that of the first run
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    Forking.waiting = Host([answer]) if FORKS else None
    signal.signal(signal.SIGTERM, lambda *_: ended(folders.sockets))
    threading.Thread(target=end_with_parent, args=(folders.server,), daemon=True).start()
    reason = DIED
    for start in range(STARTS):
        try:
            jupytext.write(jupytext.read(task.source), task.draft)
            papermill.execute_notebook(
                task.draft, task.draft, parameters=dict(task.parameters), kernel_name="python3", cwd=task.cwd,
                progress_bar=False, stderr_file=sys.stderr, extra_arguments=["--IPKernelApp.log_level=ERROR"],
                kernel_manager_class=Kernel, config=connection(folders.sockets, start),
            )  # fmt: skip
            reason = ""
        except PapermillExecutionError as error:
            reason = f"{error.ename}: {error.evalue}"
        except DeadKernelError:  # in a cell
            reason = DIED
        except RuntimeError as error:  # what is said of a start that failed
            print(f"a kernel failed before its first cell: {error}", file=sys.stderr, flush=True)
            continue
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        break
    answer.send((reason, cpu_seconds()))


def cpu_seconds() -> float:
    """CPU time of this process and of those that it started and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def end_with_parent(server: Path | None) -> None:
    """End this process as SIGTERM does when the command has ended, whatever ended it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        forget(server)
        os.kill(os.getpid(), signal.SIGTERM)


def ended(sockets: Path | None) -> None:
    """End the kernel and this process at once, on SIGTERM, which may come because the command can do nothing more."""
    for kernel in psutil.Process().children():
        kernel.kill()
    forget(sockets)
    os._exit(128 + signal.SIGTERM)
