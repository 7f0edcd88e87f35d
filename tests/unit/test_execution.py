"""Kernels and the processes that drive them: one that dies ends its own notebook, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing import forkserver, util
from pathlib import Path

import nbformat
import psutil
import pytest
import zmq
from conftest import ROOT

from attribook.site import execution, kernels
from attribook.site.execution import Task, executed
from attribook.site.kernels import FORKS, connection, socket_folder

HEADER = (ROOT / "notebooks" / "shared" / "classifiers.py").read_text(encoding="utf-8").split("# %%")[0]
BEATS = "import os, pathlib, time\nbeat = pathlib.Path('beat-' + str(os.getpid()))\n"
BEATS += "while True:\n    beat.touch()\n    time.sleep(0.1)\n"
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
WITHOUT_DRIVER = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"  # its parent drives it
ADDRESS = "import json, ipykernel\ntold = json.load(open(ipykernel.get_connection_file()))\n"
ADDRESS += "print(told['transport'], told['ip'], sep='\\n')\n"


@pytest.fixture(autouse=True)
def new_server():
    """What kernels are forked from is started anew, as by a new command, with the streams of the test."""
    util.get_temp_dir()  # where its own socket lies, which no test's folder for temporary files is
    forkserver._forkserver._stop()
    yield
    forkserver._forkserver._stop()


@pytest.fixture
def short(monkeypatch):
    """An empty folder for temporary files, of a usual length."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def task(tmp_path):
    def made(name, code):
        source = tmp_path / f"{name}.py"
        source.write_text(f"{HEADER}# %%\n{code}", encoding="utf-8")
        return Task(name, source, tmp_path / f"{name}.ipynb", {}, tmp_path)

    return made


def printed(task):
    cells = nbformat.read(task.draft, as_version=4).cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return "".join(out["text"] for out in outputs if out.get("name") == "stdout")


def ends(happened, seconds=60):
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.1)
    return happened()


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_dies_fails_alone(task, short, jobs):
    tasks = [task("killed", DIES), task("good", "print('x')\n"), task("undriven", WITHOUT_DRIVER),
             task("wrong", "raise ValueError('planted')\n"), task("last", "print('y')\n")]  # fmt: skip
    reasons = {done.task.name: done.reason for done in executed(tasks, jobs)}
    assert reasons == {
        "killed": "kernel died", "good": "", "wrong": "ValueError: planted", "last": "",
        "undriven": "kernel died: the process that drove it was ended by SIGKILL",
    }  # fmt: skip
    assert printed(tasks[1]) == "x\n"
    assert list(short.iterdir()) == []


def test_a_notebook_that_cannot_be_read_fails_alone(task, capfd):
    torn = task("torn", "")
    torn.source.unlink()
    reasons = {done.task.name: done.reason for done in executed([torn, task("good", "print('x')\n")], 1)}
    assert reasons["torn"].startswith("FileNotFoundError: ")
    assert reasons["good"] == ""
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(("deaths", "reason"), [(2, ""), (9, "kernel died")])
def test_a_kernel_that_dies_before_its_first_cell_is_started_again(
    task, short, monkeypatch, tmp_path, capfd, deaths, reason
):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    counter = tmp_path / "starts"
    counter.write_text("", encoding="utf-8")
    (startup / "dies.py").write_text(
        f"import os, pathlib\ncounter = pathlib.Path({str(counter)!r})\n"
        f"with counter.open('a') as file:\n    file.write('x')\n"
        f"if len(counter.read_text()) <= {deaths}:\n    os._exit(1)\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    one = task("one", "print('x')\n")
    assert [done.reason for done in executed([one], 1)] == [reason]
    assert len(counter.read_text(encoding="utf-8")) == execution.STARTS == 3
    assert capfd.readouterr().err.count("before its first cell: Kernel died before replying") == min(deaths, 3)
    assert list(short.iterdir()) == []


def test_a_kernel_that_dies_in_its_first_cell_is_not_started_again(task, tmp_path):
    once = "import time\nopen('begun', 'a').write('x')\ntime.sleep(1)  # what it has begun is told\n" + DIES
    assert [done.reason for done in executed([task("once", once)], 1)] == ["kernel died"]
    assert (tmp_path / "begun").read_text(encoding="utf-8") == "x"


def test_a_good_run_says_nothing(task, capfd):
    tasks = [task(str(number), "print('x')\n") for number in range(4)]
    assert [done.reason for done in executed(tasks, 2)] == [""] * 4
    assert capfd.readouterr() == ("", "")


def test_an_idle_kernel_is_not_interrupted(task, capfd, tmp_path):
    heard = f"import signal\nhear = lambda *_: open({str(tmp_path / 'heard')!r}, 'w').close()\n"
    heard += "get_ipython().kernel.saved_sigint_handler = hear  # what it sets back after each message\n"
    assert [done.reason for done in executed([task("one", heard)], 1)] == [""]
    assert not (tmp_path / "heard").exists()


# -- kernels that are forked ---------------------------------------------------------------------------------------

forks = pytest.mark.skipif(not FORKS, reason="kernels are new interpreters here")
TOLD = "import json, os, random, sys\nimport numpy\n"
TOLD += "print(json.dumps([os.getpid(), os.getcwd(), random.random(), sys.argv[0], os.environ.get('PLANTED'),\n"
TOLD += "                  __name__, 'left' in globals(), hasattr(numpy, 'left')]))\nleft = numpy.left = 1\n"


@forks
def test_forked_kernels_share_nothing_that_a_page_can_change(task, monkeypatch, tmp_path):
    monkeypatch.setenv("PLANTED", "first")
    first, second = task("first", TOLD), task("second", TOLD)
    assert [done.reason for done in executed([first], 1)] == [""]
    monkeypatch.setenv("PLANTED", "second")
    assert [done.reason for done in executed([second], 1)] == [""]
    (one, cwd, drawn, program, planted, name, *left), (other, _, again, _, anew, _, *after) = (
        json.loads(printed(each)) for each in (first, second)
    )
    assert one != other
    assert drawn != again
    assert (cwd, program, name) == (str(tmp_path), "ipykernel_launcher", "__main__")
    assert (planted, anew) == ("first", "second"), "the environment is that of the run"
    assert left == after == [False, False]


@forks
def test_a_forked_kernel_has_what_pages_import_and_shows_figures(task):
    one = task("one", "import sys\nprint({'pandas', 'attribook.grid.study'} <= set(sys.modules))\n")
    assert [done.reason for done in executed([one], 1)] == [""]
    assert printed(one) == "True\n"
    drawn = task("drawn", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint(plt.get_backend())\n")
    assert [done.reason for done in executed([drawn], 1)] == [""]
    outputs = [out for cell in nbformat.read(drawn.draft, as_version=4).cells for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs), "the inline backend knows the forked kernel"


def test_a_notebook_tells_what_it_cost(task):
    busy = "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end:\n    pass\n"
    (done,) = executed([task("busy", busy)], 1)
    assert done.reason == ""
    assert 1.5 <= done.seconds < 30


# -- sockets -------------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix" or not zmq.has("ipc"), reason="kernels talk over TCP here")


@posix
def test_every_kernel_has_a_short_folder_of_its_own_that_goes_with_it(task, short):
    tasks = [task(str(number), ADDRESS) for number in range(2)]
    assert [done.reason for done in executed(tasks, 2)] == ["", ""]
    told = [printed(each).split() for each in tasks]
    assert [transport for transport, _ in told] == ["ipc", "ipc"]
    folders = {Path(path).parent.parent for _, path in told}
    assert len(folders) == 2
    assert all(folder.parent == short and not folder.exists() for folder in folders)
    assert max(len(f"{path}-5") for _, path in told) <= len(f"{short}{kernels.SOCKET}")


@posix
def test_a_long_folder_for_temporary_files_is_not_taken(monkeypatch, tmp_path):
    fits = tmp_path / ("x" * (zmq.IPC_PATH_MAX_LEN - len(kernels.SOCKET) - len(str(tmp_path)) - 2))
    for folder, taken in ((fits, True), (fits.with_name(fits.name + "x"), False)):
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        found = socket_folder()
        assert (found.parent == folder) is taken
        longest = Path(str(connection(found, 0).KernelManager.connection_file).replace("k.json", "k-ipc-5"))
        with zmq.Context() as context, context.socket(zmq.REP) as socket:
            socket.bind(f"ipc://{longest}")  # raises where the path is too long
        assert len(str(longest)) == len(str(found.parent) + kernels.SOCKET)
        shutil.rmtree(found)


def test_kernels_talk_over_tcp_where_there_are_no_sockets(task, monkeypatch):
    monkeypatch.setattr(execution, "socket_folder", lambda: None)
    one = task("one", ADDRESS)
    assert [done.reason for done in executed([one], 1)] == [""]
    assert printed(one).startswith("tcp\n")


# -- the end of the command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_processes_and_kernels_end_with_the_command(task, tmp_path, short, jobs, ended_by):
    for number in range(3):
        task(str(number), BEATS)
    # A parent that ignores SIGHUP (nohup) hands that on; what is tested here is the signal's own effect.
    code = "import signal, sys, pathlib\nfrom attribook.site.execution import Task, executed\n"
    code += "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
    code += "if __name__ == '__main__':\n    folder = pathlib.Path(sys.argv[1])\n"
    code += "    tasks = [Task(n, folder / f'{n}.py', folder / f'{n}.ipynb', {}, folder) for n in '012']\n"
    code += f"    list(executed(tasks, {jobs}))\n"
    (tmp_path / "command.py").write_text(code, encoding="utf-8")
    command = subprocess.Popen([sys.executable, tmp_path / "command.py", tmp_path], stderr=subprocess.PIPE, text=True)
    assert ends(lambda: len(list(tmp_path.glob("beat-*"))) >= jobs)
    processes = psutil.Process(command.pid).children(recursive=True)
    assert len(processes) >= 2 * jobs
    command.send_signal(ended_by)
    command.communicate(timeout=60)
    assert ends(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes), 15)
    assert len(list(tmp_path.glob("beat-*"))) == jobs, "a further notebook was started"
    assert ends(lambda: not any(short.iterdir()))
