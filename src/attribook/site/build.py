"""From notebooks as text to a site: papermill executes them on a profile, Jupyter Book renders what came out."""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribook.errors import AttribookError
from attribook.ledger.ledger import full_ledger
from attribook.models.load import told_apart
from attribook.paths import build_folder, checkout, fix_folders, results_folder
from attribook.site.ledger_page import write_ledger_pages
from attribook.site.method_pages import write_method_pages
from attribook.site.profiles import METHOD_PAGES, models_named, notebook_names, parameters, settings
from attribook.site.summary_page import write_summary

STAGED = ("_config.yml", "_toc.yml", "book")


@dataclass(frozen=True)
class Failure:
    """A notebook that did not run to its end, and why."""

    notebook: str
    reason: str


def run_notebooks(names: list[str], profile: str, *, fresh: bool = False, jobs: int = 1) -> list[Failure]:
    """Execute notebooks whose inputs changed since their last run; a failure does not stop the others.

    `fresh` forgets earlier runs and ignores the stored rows: it computes all rows again, into the build folder.
    `jobs`: how many run at once, each with its share of the processors.
    """
    fix_folders()  # kernels start in the checkout, wherever the command did
    known = notebook_names()
    if unknown := [name for name in names if name not in known]:
        raise AttribookError(f"Unknown notebook {', '.join(unknown)}. Known: {', '.join(known)}.")
    given = parameters(profile, names or known)  # what is wrong there is told before anything is executed or forgotten
    folder = build_folder(profile)
    own_results = folder / "results"
    if fresh:
        for stale in (own_results, folder / "stamps"):
            shutil.rmtree(stale, ignore_errors=True)
    # Kernels have no widgets, and tqdm says so each time; the bars are drawn as text here anyway.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:IProgress not found")
    # Rows of tiny random models, and rows recomputed on request, stay out of the committed results.
    use_own = fresh or profile == "smoke" or own_results.is_dir()
    with results_in(own_results if use_own else None):
        if own_results.is_dir() and profile != "smoke":
            print(f"rows: {own_results}, from a fresh run; remove that folder to use the stored ones", flush=True)
        return run_at_once(given, profile, jobs)


def run_at_once(given: dict[str, dict[str, Any]], profile: str, jobs: int) -> list[Failure]:
    """Execute notebooks, given with their parameters, `jobs` at a time.

    Each has a process of its own: papermill is not made for threads.
    """
    names, profiles, values = list(given), [profile] * len(given), list(given.values())
    if min(jobs, len(names)) < 2:
        return [failure for failure in map(run_notebook, names, profiles, values) if failure]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # two kernels that each take all get into each other's way
    spawn, quiet = multiprocessing.get_context("spawn"), (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=signal.signal, initargs=quiet) as pool:
        try:
            return [failure for failure in pool.map(run_notebook, names, profiles, values) if failure]
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.kill()  # its kernel sees that and ends; a store stands whenever its writer ends
            raise


@contextmanager
def results_in(folder: Path | None) -> Iterator[None]:
    """Let notebooks read and write their rows in `folder`, unless the user has named one."""
    named = os.environ.get("ATTRIBOOK_RESULTS")
    if named or folder is None:
        yield
        return
    os.environ["ATTRIBOOK_RESULTS"] = str(folder)
    try:
        yield
    finally:
        del os.environ["ATTRIBOOK_RESULTS"]


def run_notebook(name: str, profile: str, injected: dict[str, Any]) -> Failure | None:
    """Execute one notebook into the book's build folder, unless nothing it depends on has changed."""
    import jupytext
    import papermill
    from papermill.exceptions import PapermillExecutionError

    folder = build_folder(profile)
    source = checkout() / "notebooks" / f"{name}.py"
    output = folder / "book" / "notebooks" / f"{name}.ipynb"
    stamp, inputs = folder / "stamps" / f"{name}.txt", inputs_hash(source, injected)
    if output.is_file() and stamp.is_file() and stamp.read_text() == inputs:
        print(f"{name}: unchanged", flush=True)
        return None
    draft = folder / "drafts" / f"{name}.ipynb"
    for path in (draft, output, stamp):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    jupytext.write(jupytext.read(source), draft)
    print(f"{name}: running on {profile}", flush=True)
    try:
        apart(
            papermill.execute_notebook, draft, draft, parameters=injected, kernel_name="python3", cwd=str(checkout()),
            progress_bar=False, stderr_file=sys.stderr, extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )  # fmt: skip
    except PapermillExecutionError as error:
        return Failure(name, f"{error.ename}: {error.evalue}")
    finish(draft, output)
    stamp.write_text(inputs_hash(source, injected))
    return None


def apart(work: Callable[..., Any], *args: Any, **options: Any) -> None:
    """Do it in a thread: where a kernel is started from the main one, nbclient takes Ctrl-C and ends in tracebacks."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            work(*args, **options)
            done.set_result(None)
        except BaseException as error:  # whatever it is, the caller has to end as well
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    done.result()


def inputs_hash(source: Path, injected: dict[str, Any]) -> str:
    """Digest of all a notebook depends on: its text, its parameters, its models, the code and the stored rows.

    Of the papers' data it holds where they are: each file of them counts only with the hash that the code has.
    """
    models = [told_apart(name, checkout()) for name in models_named(source, injected)]
    given = json.dumps([injected, models, os.environ.get("ATTRIBOOK_DATA", "")], sort_keys=True)
    digest = hashlib.sha256(given.encode() + source.read_bytes())
    code = Path(__file__).parents[1]
    rows = results_folder() / str(injected["profile"])
    for folder in (code, rows):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in {".py", ".toml", ".csv", ".jsonl"}:
                digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def finish(draft: Path, output: Path) -> None:
    """Move an executed notebook into the book without what only the terminal needs: bars, paths, times."""
    import nbformat

    notebook = nbformat.read(draft, as_version=4)
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    nbformat.write(notebook, output)


def build_site(profile: str) -> Path:
    """Render the executed notebooks and the prose. Returns the first page.

    Raises: AttribookError if a notebook was not executed, or Jupyter Book fails or warns.
    """
    folder = build_folder(profile) / "book"
    missing = [name for name in notebook_names() if not (folder / "notebooks" / f"{name}.ipynb").is_file()]
    if missing:
        raise AttribookError(f"Not executed yet: {', '.join(missing)}. Run `attribook run --profile {profile}` first.")
    for name in STAGED:
        stage(checkout() / name, folder / name)
    own_results = folder.parent / "results"
    with results_in(own_results if profile == "smoke" or own_results.is_dir() else None):
        chosen = settings(profile, METHOD_PAGES)
        if not chosen:
            raise AttribookError(f"params/{profile}.yml lacks the section {METHOD_PAGES}: copy it from laptop.yml.")
        write_method_pages(folder / "methods", profile, chosen)
        ledger = full_ledger()
        write_ledger_pages(folder, ledger)
        write_summary(folder, ledger)
    # Through this interpreter, because the environment's scripts need not be on the path.
    start = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    options = ["-n", "-W", "--keep-going", "-q", "--path-output", str(folder.parent)]
    done = subprocess.run([*start, "build", str(folder), *options], check=False, stdout=subprocess.PIPE, text=True)
    index = folder.parent / "_build" / "html" / "index.html"
    if done.returncode or not index.is_file():
        print(done.stdout, file=sys.stderr)
        raise AttribookError("Jupyter Book did not build the site without warnings; its messages stand above.")
    return index


def stage(source: Path, target: Path) -> None:
    """Copy a file or a folder, touching only what differs, so that only changed pages are rendered again."""
    if source.is_dir():
        for path in source.rglob("*"):
            if path.is_file():
                stage(path, target / path.relative_to(source))
        for path in target.rglob("*"):
            if path.is_file() and not (source / path.relative_to(target)).exists():
                path.unlink()
    elif not target.is_file() or target.read_bytes() != source.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
