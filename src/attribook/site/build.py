"""From notebooks as text to a site: papermill executes them on a profile, Jupyter Book renders what came out."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from attribook.errors import AttribookError
from attribook.ledger.stored import ledger
from attribook.models.load import told_apart
from attribook.paths import build_folder, checkout, fix_folders, results_folder
from attribook.site.execution import Task, executed
from attribook.site.findings import write_findings
from attribook.site.finish import finish
from attribook.site.ledger_page import write_ledger_pages
from attribook.site.method_pages import write_method_pages
from attribook.site.profiles import (
    METHOD_PAGES,
    declared,
    executions,
    models_named,
    notebook_names,
    parsed_values,
    read_profile,
)
from attribook.site.reads import reads_of, rows_digest
from attribook.site.summary_page import write_summary

STAGED = ("_config.yml", "_toc.yml", "book")


def run_notebooks(
    names: list[str], profile: str, *, fresh: bool = False, jobs: int = 1, values: Sequence[str] = ()
) -> dict[str, str]:
    """Execute notebooks whose inputs changed since their last run. Gives the reasons of those that failed, by name.

    A failure does not stop the others. `fresh` forgets earlier runs and ignores the stored rows: it computes all rows
    again, into the build folder. `jobs`: how many run at once, each with its share of the processors. `values`: texts
    `name=value` over the profile's; their rows stay in a folder of their own, so the committed ones remain the book's.
    """
    fix_folders()  # kernels start in the checkout, wherever the command did
    known = notebook_names()
    if unknown := [name for name in names if name not in known]:
        raise AttribookError(f"Unknown notebook {', '.join(unknown)}. Known: {', '.join(known)}.")
    given = executions(profile, names or known)  # what is wrong there is said before anything is executed
    changed = parsed_values(names, values)
    if changed and fresh:
        raise AttribookError("-p keeps its rows in a folder of their own. Leave --fresh out.")
    pages = [
        Page(name, profile, injected | changed, further=number > 0)
        for name, each in given.items()
        for number, injected in enumerate(each)
    ]
    reading = [page for page in pages if page.reads]
    folder = build_folder(profile)
    own_results = folder / "results"
    if fresh:
        for stale in (own_results, folder / "stamps"):
            shutil.rmtree(stale, ignore_errors=True)
    # Kernels have no widgets, and tqdm says so each time; the bars are drawn as text here anyway.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:IProgress not found")
    if min(jobs, len(pages)) > 1:  # two kernels that each take all processors get into each other's way
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    # Rows of tiny random models, and rows recomputed on request, stay out of the committed results.
    use_own = fresh or profile == "smoke" or own_results.is_dir()
    own_values = folder / "results-with-p" if changed else None
    if own_values:
        print(f"rows: {os.environ.get('ATTRIBOOK_RESULTS') or own_values}", flush=True)
    with results_in(own_values or (own_results if use_own else None)):
        if not changed and own_results.is_dir() and profile != "smoke":
            print(f"rows: {own_results}, from a fresh run; remove that folder to use the stored ones", flush=True)
        failed = run_pages([page for page in pages if not page.reads], jobs) | run_pages(reading, jobs)
        late = [page for page in reading if page.rows_moved()]
        if late:
            print("once more, as rows were added that they read:", *(page.name for page in late), flush=True)
        failed = {name: why for name, why in failed.items() if name not in {page.name for page in late}}
        failed |= run_pages(late, jobs)
    for page in pages if changed else ():
        if page.name not in failed:
            print(f"{page.name}: {page.output}", flush=True)
    return {page.name: failed[page.name] for page in pages if page.name in failed}


def run_pages(pages: list["Page"], jobs: int) -> dict[str, str]:
    """Execute pages whose inputs changed, in any order. Gives the reasons of those that failed."""
    failed: dict[str, str] = {}
    by_name = {page.name: page for page in pages}

    def tasks() -> Iterator[Task]:
        for page in pages:
            with failures_in(failed, page.name):
                if page.unchanged():
                    print(f"{page.name}: unchanged", flush=True)
                else:
                    yield page.task()

    with closing(executed(tasks(), jobs)) as results:
        for task, reason, seconds in results:
            print(f"{task.name}: {seconds:.1f} CPU seconds", flush=True)
            with failures_in(failed, task.name):
                if reason:
                    failed[task.name] = reason
                else:
                    by_name[task.name].finish()
    return failed


@contextmanager
def failures_in(failed: dict[str, str], name: str) -> Iterator[None]:
    """Let what a user can mend be the failure of one notebook: the others run."""
    try:
        yield
    except (AttribookError, OSError) as error:
        failed[name] = str(error)


class Page:
    """A notebook with what a profile gives it, and what is left of it between its start and its end."""

    def __init__(self, name: str, profile: str, injected: dict[str, Any], *, further: bool = False) -> None:
        """`further`: executed for the rows of one more model, and no page of the book."""
        self.source = checkout() / "notebooks" / f"{name}.py"
        if further:
            name += f"@{injected['model'].replace('/', '--')}"
        self.name, self.profile, self.injected = name, profile, injected
        self.reads = reads_of(self.source)
        folder = build_folder(profile)
        self.draft = folder / "drafts" / f"{name}.ipynb"
        self.output = folder / ("further" if further else "book") / "notebooks" / f"{name}.ipynb"
        self.stamp = folder / "stamps" / f"{name}.txt"
        self.rows_read = ""  # digest of the rows that other pages computed, as this one found them

    def unchanged(self) -> bool:
        """Whether it was executed, and nothing that it depends on has changed since."""
        self.rows_read = rows_digest(self.reads)
        return (
            self.output.is_file() and self.stamp.is_file() and self.stamp.read_text(encoding="utf-8") == self._inputs()
        )

    def rows_moved(self) -> bool:
        """Whether rows that it reads were written since it was looked at last."""
        return rows_digest(self.reads) != self.rows_read

    def task(self) -> Task:
        """What is needed to execute it, its earlier output removed."""
        for path in (self.draft, self.output, self.stamp):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        print(f"{self.name}: running on {self.profile}", flush=True)
        return Task(self.name, self.source, self.draft, self.injected, checkout())

    def finish(self) -> None:
        """Move it into the book, and write down its inputs: its own rows as they are now, others' as it found them."""
        finish(self.draft, self.output, declared(self.source), self.injected)
        self.stamp.write_text(self._inputs(), encoding="utf-8")

    def _inputs(self) -> str:
        return f"{inputs_hash(self.source, self.injected)} {self.rows_read}".strip()


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
        chosen = read_profile(profile).get(METHOD_PAGES)
        if not chosen:
            raise AttribookError(f"params/{profile}.yml lacks the section {METHOD_PAGES}: copy it from laptop.yml.")
        write_method_pages(folder / "methods", profile, chosen)
        rows = ledger()
        write_ledger_pages(folder, rows)
        write_summary(folder, rows)
    write_findings(folder)
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
