"""Notebooks executed by papermill, each in a process of its own, so that one that dies takes no other with it.

A kernel and the process that drives it talk over sockets in a folder of their own. Ports, jupyter_client's default, are
chosen by each process for itself, so two processes may choose the same (nteract/papermill #511).
"""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import jupytext
import papermill
import psutil
import zmq
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

STARTS = 3  # how often a kernel is started that dies before its first cell
PATIENCE = 5.0  # seconds that a process has to end by itself
SOCKET = "/attribook-12345678/0/k-ipc-5"  # the longest path of a socket under a folder for temporary files
DIED = "kernel died"
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Task:
    """A notebook to execute."""

    name: str
    source: Path  # the notebook as text
    draft: Path  # where the executed notebook is written
    parameters: Mapping[str, Any]
    cwd: Path  # where its kernel starts


class Terminated(KeyboardInterrupt):
    """The command was asked to end by SIGTERM."""


# -- the command: several processes at once ------------------------------------------------------------------------


def executed(tasks: Iterable[Task], jobs: int) -> Generator[tuple[Task, str], None, None]:
    """Execute notebooks, at most `jobs` at once. Gives each as it ends, with why it failed, or an empty text.

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
                    reason = process.outcome()
                    del running[process.answer]
                    yield process.task, reason
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
        self.answer, given = SPAWN.Pipe(duplex=False)
        self.system = SPAWN.Process(target=execute, args=(task, self.folder, given), daemon=True)
        self.system.start()
        given.close()  # so that the end of the process is the end of the pipe

    def outcome(self) -> str:
        """Why the notebook failed, or an empty text. Waits for the process, which has answered or died."""
        try:
            reason: str | None = self.answer.recv()
        except EOFError:
            reason = None
        self.end()
        return f"{DIED}: {ending(self.system.exitcode)}" if reason is None else reason

    def end(self) -> None:
        """Wait for the process, kill it where it does not end, and remove what it left."""
        self.system.join(PATIENCE)
        if self.system.is_alive():
            self.system.kill()
            self.system.join()
        self.answer.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def ending(code: int | None) -> str:
    """How the process that drove a kernel ended, in words."""
    if code is not None and code < 0:
        return f"the process that drove it was ended by {signal.Signals(-code).name}"
    return f"the process that drove it ended with exit code {code}"


def socket_folder() -> Path | None:
    """A new folder for a kernel's sockets. None where the platform has none, or no place is short enough: then TCP."""
    if os.name != "posix" or not zmq.has("ipc"):
        return None
    for base in (tempfile.gettempdir(), "/tmp"):
        if len(os.fsencode(base + SOCKET)) < zmq.IPC_PATH_MAX_LEN and os.access(base, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="attribook-", dir=base))
    return None


# -- the process of one notebook -----------------------------------------------------------------------------------


def execute(task: Task, folder: Path | None, answer: Connection) -> None:
    """Execute one notebook and send why it failed, or an empty text. A kernel that does not start is started again."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    signal.signal(signal.SIGTERM, lambda *_: ended(folder))
    threading.Thread(target=end_with_parent, daemon=True).start()
    reason = DIED
    for start in range(STARTS):
        try:
            jupytext.write(jupytext.read(task.source), task.draft)
            papermill.execute_notebook(
                task.draft, task.draft, parameters=dict(task.parameters), kernel_name="python3", cwd=task.cwd,
                progress_bar=False, stderr_file=sys.stderr, extra_arguments=["--IPKernelApp.log_level=ERROR"],
                kernel_manager_class=Kernel, config=connection(folder, start),
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
    answer.send(reason)


def end_with_parent() -> None:
    """End this process as SIGTERM does when the command has ended, whatever ended it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


class Kernel(AsyncKernelManager):
    """A kernel that is asked to end, and not interrupted first: an idle one would report that as an error."""

    async def shutdown_kernel(  # type: ignore[override]  # the parent's is a coroutine too, which its stubs do not say
        self, now: bool = False, restart: bool = False
    ) -> None:
        """Ask it to end; kill it where it does not within `shutdown_wait_time`, or at once if `now`."""
        if now:
            await super().shutdown_kernel(now=True, restart=restart)
            return
        await self.request_shutdown(restart=restart)
        await self.finish_shutdown(restart=restart)
        await self.cleanup_resources(restart=restart)


def connection(folder: Path | None, start: int) -> Config:
    """Jupyter's settings for a kernel's sockets: a folder for each start, whose name stands in their paths."""
    if folder is None:
        return Config()
    own = folder / str(start)
    own.mkdir(mode=0o700)
    return Config(KernelManager={"transport": "ipc", "connection_file": str(own / "k.json")})


def ended(folder: Path | None) -> None:
    """End the kernel and this process at once, on SIGTERM, which may come because the command can do nothing more."""
    for kernel in psutil.Process().children():
        kernel.kill()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(128 + signal.SIGTERM)
