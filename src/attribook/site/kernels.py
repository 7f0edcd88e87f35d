"""Kernels of notebooks: where their sockets lie, how they end, and on Linux a start that imports nothing anew.

A kernel and the process that drives it talk over sockets in a folder of their own. Ports, jupyter_client's default, are
chosen by each process for itself, so two processes may choose the same (nteract/papermill #511).

On Linux the processes that drive notebooks are forked from one that has imported what most pages import, and a kernel
is forked from its driver before that does anything. Its names, its random state and its folder are its own; it shares
the memory of modules that nobody changes. Elsewhere, and where a kernel is started again, it is a new interpreter.
"""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
import uuid
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import zmq
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets.config import Config

SOCKET = "/attribook-12345678/0/k-ipc-5"  # the longest path of a socket under a folder for temporary files
FORKS = sys.platform == "linux"  # elsewhere libraries that were imported before a fork may break
# What most pages import, and what drives them.
IMPORTED = [
    "attribook.site.execution", "ipykernel.kernelapp", "ipykernel.ipkernel", "matplotlib_inline.config",
    "attribook.show.figures", "attribook.show.tables", "attribook.show.source", "attribook.show.words",
    "attribook.grid.study", "attribook.grid.stored", "attribook.grid.kinds", "attribook.statistics.estimates",
    "attribook.statistics.picking", "attribook.ledger.table_verdicts", "attribook.ledger.figure_claims", "torch",
]  # fmt: skip


def context() -> Any:
    """How processes that drive notebooks are started."""
    if not FORKS:
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(IMPORTED)
    return found


class Host:
    """A fork of this process that becomes a kernel when it is told to; what jupyter_client asks of a `Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, unused: Sequence[Connection]) -> None:
        """`unused`: connections of this process that the fork must not hold open."""
        reads, self._tells = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._tells)
            for each in unused:
                each.close()
            become_kernel(reads)
        os.close(reads)

    def launch(self, command: Sequence[str], cwd: str, environment: dict[str, str]) -> None:
        """Let it be the kernel of that command."""
        told = {"command": list(command), "cwd": cwd, "environment": environment}
        with os.fdopen(self._tells, "w", encoding="utf-8") as pipe:
            json.dump(told, pipe)

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def become_kernel(told: int) -> NoReturn:
    """Wait for a command and be that kernel until it ends. A pipe that ends without one ends the process."""
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        with os.fdopen(told, encoding="utf-8") as pipe:
            text = pipe.read()
        if text:
            given = json.loads(text)
            os.chdir(given["cwd"])
            os.environ.clear()
            os.environ.update(given["environment"])
            random.seed()
            run_kernel(given["command"])
        code = 0
    except BaseException:  # nothing of the process that was forked may go on here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_kernel(command: Sequence[str]) -> None:
    """What `python -m ipykernel_launcher` does with these arguments."""
    import matplotlib
    from ipykernel.kernelapp import IPKernelApp
    from matplotlib_inline.backend_inline import configure_inline_support

    # It knows its parent by a variable that it reads when it is imported.
    arguments = [*command[command.index("-f") :], f"--IPKernelApp.parent_handle={os.getppid()}"]
    multiprocessing.set_start_method(None, force=True)  # the platform's own, not that of the process which was forked
    sys.argv = ["ipykernel_launcher", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app = IPKernelApp.instance()
    app.initialize(arguments)  # names matplotlib's backend, which was imported without one
    backend = os.environ["MPLBACKEND"]
    matplotlib.use(backend)
    if backend.endswith("inline"):
        configure_inline_support(app.shell, backend)
    app.start()


class Forking(LocalProvisioner):
    """Makes a kernel of the waiting host, and a new interpreter where there is none."""

    waiting: Host | None = None  # of this process

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """See the parent."""
        host, type(self).waiting = type(self).waiting, None
        if host is None:
            return await super().launch_kernel(cmd, **kwargs)
        host.launch(cmd, str(kwargs.get("cwd") or Path.cwd()), dict(kwargs.get("env") or os.environ))
        self.process = host  # type: ignore[assignment]
        self.pid = self.pgid = host.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info


class Kernel(AsyncKernelManager):
    """A kernel that is asked to end, and not interrupted first: an idle one would report that as an error."""

    async def _async_pre_start_kernel(self, **given: Any) -> Any:
        if self.provisioner is None:
            self.kernel_id = self.kernel_id or str(uuid.uuid4())
            self.provisioner = Forking(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**given)

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


def socket_folder() -> Path | None:
    """A new folder for a kernel's sockets. None where the platform has none, or no place is short enough: then TCP."""
    if os.name != "posix" or not zmq.has("ipc"):
        return None
    for base in (tempfile.gettempdir(), "/tmp"):
        if len(os.fsencode(base + SOCKET)) < zmq.IPC_PATH_MAX_LEN and os.access(base, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="attribook-", dir=base))
    return None


def connection(folder: Path | None, start: int) -> Config:
    """Jupyter's settings for a kernel's sockets: a folder for each start, whose name stands in their paths."""
    if folder is None:
        return Config()
    own = folder / str(start)
    own.mkdir(mode=0o700)
    return Config(KernelManager={"transport": "ipc", "connection_file": str(own / "k.json")})


def forget(folder: Path | None) -> None:
    """Remove a folder of sockets."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
