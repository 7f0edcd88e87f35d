"""From notebooks to pages: a failure is a failure, what is unchanged is not run again, and stages stay in step."""

import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.paths import results_folder
from attribook.site.build import build_site, inputs_hash, run_notebooks, stage
from attribook.site.profiles import METHOD_PAGES, models_named, parameters, read_profile

HEADER = (ROOT / "notebooks" / "shared" / "protocols.py").read_text(encoding="utf-8").split("# %%")[0]
GOOD = HEADER + '# %% tags=["parameters"]\nprofile: str = "laptop"  # p\nx: int = 1  # x\n\n# %%\nprint("x is", x)\n'
BAD = HEADER + '# %% tags=["parameters"]\nprofile: str = "laptop"  # p\n\n# %%\nraise ValueError("planted")\n'


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    for folder in ("notebooks", "params", "book", "results"):
        (root / folder).mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n", encoding="utf-8")
    (root / "_config.yml").write_text("title: t\n", encoding="utf-8")
    (root / "notebooks" / "good.py").write_text(GOOD, encoding="utf-8")
    (root / "notebooks" / "bad.py").write_text(BAD, encoding="utf-8")
    (root / "params" / "mine.yml").write_text("good:\n  x: 5\n", encoding="utf-8")
    monkeypatch.setenv("ATTRIBOOK_ROOT", str(root))
    return root


def test_notebooks_run_with_their_parameters_and_failures_are_told(checkout, capsys):
    failures = run_notebooks([], "mine")
    assert failures == {"bad": "ValueError: planted"}
    pages = checkout / "_build" / "mine" / "book" / "notebooks"
    notebook = nbformat.read(pages / "good.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[0].text == "x is 5\n"
    assert str(checkout) not in (pages / "good.ipynb").read_text(encoding="utf-8")
    assert not (pages / "bad.ipynb").exists()
    with pytest.raises(AttribookError, match="Not executed yet: bad"):
        build_site("mine")
    capsys.readouterr()
    run_notebooks(["good"], "mine")
    assert "good: unchanged" in capsys.readouterr().out
    (checkout / "params" / "mine.yml").write_text("good:\n  x: 6\n", encoding="utf-8")
    run_notebooks(["good"], "mine")
    assert "good: running" in capsys.readouterr().out


def test_values_of_the_command_line_stand_over_the_profile_and_keep_rows_apart(checkout, capsys, monkeypatch):
    monkeypatch.delenv("ATTRIBOOK_RESULTS", raising=False)
    where = "import os\nprint(os.environ['ATTRIBOOK_RESULTS'])\n"
    (checkout / "notebooks" / "good.py").write_text(GOOD + where, encoding="utf-8")
    assert run_notebooks(["good"], "mine", values=["x=7"]) == {}
    page = checkout / "_build" / "mine" / "book" / "notebooks" / "good.ipynb"
    kept = checkout / "_build" / "mine" / "results-with-p"
    assert nbformat.read(page, as_version=4).cells[-1].outputs[0].text == f"x is 7\n{kept}\n"
    assert f"good: {page}" in capsys.readouterr().out
    run_notebooks(["good"], "mine", values=["x=7"])
    assert "good: unchanged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "values", "reason"),
    [
        ([], ["x=7"], "Name one"),
        (["good"], ["x"], "not a new name=value"),
        (["good"], ["x=1", "x=2"], "not a new name=value"),
        (["good"], ["x=a"], "of type int"),
        (["good"], ["x=true"], "of type int"),
        (["good"], ["x="], "of type int"),
        (["good"], ["y=1"], "no parameter 'y'"),
        (["good", "bad"], ["x=1"], "-p for bad"),
        (["good"], ["profile=smoke"], "Use --profile"),
    ],
)
def test_values_that_no_page_takes_are_refused(checkout, names, values, reason):
    with pytest.raises(AttribookError, match=reason):
        run_notebooks(names, "mine", values=values)
    assert not (checkout / "_build").exists()


def test_notebooks_that_run_at_once_give_what_they_give_alone(checkout):
    failures = run_notebooks([], "mine", jobs=2)
    assert failures == {"bad": "ValueError: planted"}
    page = checkout / "_build" / "mine" / "book" / "notebooks" / "good.ipynb"
    assert nbformat.read(page, as_version=4).cells[-1].outputs[0].text == "x is 5\n"


def test_profiles_merge_and_unknown_ones_are_named(checkout):
    assert parameters("mine", ["good", "bad"]) == {"good": {"profile": "mine", "x": 5}, "bad": {"profile": "mine"}}
    with pytest.raises(AttribookError, match=r"Unknown profile 'other'\. Known: mine"):
        parameters("other", ["good"])
    with pytest.raises(AttribookError, match="Unknown notebook gone"):
        run_notebooks(["gone"], "mine")


@pytest.mark.parametrize("name", ["../params/mine", "./mine", "/tmp/mine", "mine.yml", "", ".."])
def test_a_profile_is_a_name_and_no_path(checkout, name):
    with pytest.raises(AttribookError, match="Unknown profile"):
        read_profile(name)


@pytest.mark.parametrize("profile", [path.stem for path in (ROOT / "params").glob("*.yml")])
def test_committed_profiles_are_sound(profile):
    assert METHOD_PAGES in read_profile(profile)


WRONG = {
    "unknown section": ("goood:\n  x: 5\n", "there is no notebook 'goood'. Did you mean good?"),
    "section like none": ("7:\n  x: 5\n", "there is no notebook 7. Known: bad, good, method_pages."),
    "unknown key": ("good:\n  prfile: a\n", "mine.yml, good: there is no parameter 'prfile'. Did you mean profile?"),
    "key like none": ("good:\n  model: a\n", "there is no parameter 'model'. Known: profile, x, share, word, sure."),
    "broken": ("good:\n  x: [5\n", "cannot be read as YAML: while parsing"),
    "not text": (b"\xff\xfe\xfd", "cannot be read as YAML"),
    "a key twice": ("good:\n  x: 5\n  word: a\n  x: 6\n", "line 4 has 'x' for the second time"),
    "a section twice": ("good:\n  x: 5\ngood:\n  x: 6\n", "line 3 has 'good' for the second time"),
    "empty": ("# nothing\n", "has no sections. Copy params/laptop.yml"),
    "no mapping": ("good\n", "has no sections"),
    "empty section": ("good:\n", "mine.yml, good: the section holds no `name: value`"),
    "section of a word": ("good: 5\n", "the section holds no `name: value`"),
    "text for a number": ("good:\n  x: five\n", "x is 'five' and has to be of type int"),
    "float for int": ("good:\n  x: 5.0\n", "has to be of type int"),
    "bool for int": ("good:\n  x: true\n", "x is True and has to be of type int"),
    "bool for float": ("good:\n  share: false\n", "has to be of type float"),
    "number for text": ("good:\n  word: -2\n", "word is -2 and has to be text: put it in quotes"),
    "nothing for text": ("good:\n  word:\n", 'word is None and has to be text: put it in quotes, "" for none'),
    "number for bool": ("good:\n  sure: 1\n", "has to be true or false"),
    "of pages": ("method_pages:\n  causal_modl: a\n", "Did you mean causal_model?"),
    "the program's": ("method_pages:\n  profile: a\n", "there is no parameter 'profile'"),
    "too little": (
        "method_pages:\n  causal_model: a\n",
        "causal_data, classifier_model, classifier_data must be given",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_profile_is_told_before_anything_runs(checkout, capsys, text, message):
    more = 'share: float = 0.5  # s\nword: str = "a"  # w\nsure: bool = False  # s\n'
    (checkout / "notebooks" / "good.py").write_text(GOOD.replace("# x\n\n", f"# x\n{more}\n"), encoding="utf-8")
    (checkout / "params" / "mine.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(AttribookError, match=re.escape(message)):
        run_notebooks(["bad"], "mine", fresh=True)
    assert capsys.readouterr().out == ""


def test_a_whole_number_stands_for_a_float(checkout):
    (checkout / "notebooks" / "good.py").write_text(GOOD.replace("x: int = 1", "x: float = 1.5"), encoding="utf-8")
    assert read_profile("mine") == {"good": {"x": 5}}


def test_a_notebook_runs_again_when_a_model_of_it_or_the_data_changed(checkout, monkeypatch, tmp_path):
    source = checkout / "notebooks" / "good.py"
    source.write_text(GOOD.replace("# x\n", '# x\nmodel: str = "own"  # m\ntasks: str = ""  # t\n'), encoding="utf-8")
    own = checkout / "own"  # the folder that kernels start in
    trained = tmp_path / "home" / "trained" / "minilm-sst2"
    for folder in (own, trained):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"first")
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ATTRIBOOK_DATA", "here")

    def told(**values):
        return inputs_hash(source, {"profile": "mine", **values})

    def moved(change, **values):
        before = told(**values)
        assert told(**values) == before
        change()
        return told(**values) != before

    def tuned_anew():
        (trained / "model.safetensors").write_bytes(b"another")

    assert moved(lambda: (own / "model.safetensors").write_bytes(b"as long as that"))
    os.utime(own / "model.safetensors", ns=(1, 1))
    assert moved(lambda: os.utime(own / "model.safetensors", ns=(2, 2)), model="", models="tiny-gpt2,own")
    assert moved(lambda: os.utime(own / "model.safetensors", ns=(3, 3)), model=str(own) + "+sentiment")
    assert not moved(lambda: (own / "config.json").write_text("{}", encoding="utf-8"), model="smollm2-135m")
    assert moved(tuned_anew, model="minilm-sst2")
    assert moved(lambda: monkeypatch.setenv("ATTRIBOOK_DATA", "there"))


def test_relative_folders_are_the_same_for_the_command_and_its_kernels(checkout, monkeypatch, tmp_path):
    seen = "from attribook.paths import checkout, data_home, home, results_folder\n"
    seen += "print(results_folder(), home(), data_home(), checkout(), sep='\\n')\n"
    (checkout / "notebooks" / "good.py").write_text(GOOD.replace('print("x is", x)\n', seen), encoding="utf-8")
    for name, folder in {"RESULTS": "rows", "HOME": "home", "DATA": "data", "ROOT": "checkout"}.items():
        monkeypatch.setenv(f"ATTRIBOOK_{name}", folder)
    monkeypatch.chdir(tmp_path)
    assert results_folder() == tmp_path / "rows"
    assert run_notebooks(["good"], "mine") == {}
    page = checkout / "_build" / "mine" / "book" / "notebooks" / "good.ipynb"
    told = nbformat.read(page, as_version=4).cells[-1].outputs[0].text.splitlines()
    assert told == [str(tmp_path / name) for name in ("rows", "home", "data", "checkout")]


@pytest.mark.parametrize(
    ("jobs", "words", "told", "code"),
    [("1", [], [], 130), ("2", ["--fresh"], ["without --fresh"], 130), ("2", [], [], 143)],
)
def test_an_interrupted_run_ends_with_one_line_and_no_further_notebook(checkout, jobs, words, told, code):
    beats = "import os, pathlib, time\nbeat = pathlib.Path('beat-' + str(os.getpid()))\n"
    beats += "while True:\n    beat.touch()\n    time.sleep(0.1)\n"
    for name in ("bad", "good", "more"):
        (checkout / "notebooks" / f"{name}.py").write_text(GOOD.replace('print("x is", x)\n', beats), encoding="utf-8")
    # Python hears no Ctrl-C where it was started in the background of a shell, as CI may do.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    entry = "from attribook.cli.main import main; main()"
    command = [sys.executable, "-c", heard + entry, "run", "--profile", "mine", "--jobs", jobs, *words]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(list(checkout.glob("beat-*"))) < int(jobs) and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.1)
    if code == 143:
        run.terminate()
    else:
        os.killpg(run.pid, signal.SIGINT)  # to the command and its workers, as a terminal does
    out, err = run.communicate(timeout=120)
    assert run.returncode == code, err
    assert err == " ".join(["interrupted; rows so far are stored, run the same command again", *told]) + "\n"
    assert out.count("running on mine") == int(jobs)
    started = list(checkout.glob("beat-*"))
    while time.monotonic() < deadline and any(time.time() - beat.stat().st_mtime < 2 for beat in started):
        time.sleep(0.1)
    assert time.monotonic() < deadline, "a kernel goes on"


def test_models_are_found_under_every_parameter_that_names_one(checkout):
    source = checkout / "notebooks" / "good.py"
    given = {"model": "a", "second": "", "judge": "b", "classifier": "c", "prompted": "d+topic", "masked_lm": "e"}
    assert models_named(source, given) == ["a", "b", "c", "d+topic", "e"]
    assert models_named(source, {"models": "a, b", "tasks": "SST2:own+topic:data,EMR"}) == [
        "a", "b", "gemma-3-270m+emotion", "minilm-emotion", "own+topic",
    ]  # fmt: skip


def test_staging_touches_only_what_differs_and_forgets_what_is_gone(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "part").mkdir(parents=True)
    (source / "a.md").write_text("a", encoding="utf-8")
    (source / "part" / "b.md").write_text("b", encoding="utf-8")
    stage(source, target)
    before = (target / "a.md").stat().st_mtime_ns
    (source / "part" / "b.md").write_text("changed", encoding="utf-8")
    (source / "c.md").write_text("c", encoding="utf-8")
    stage(source, target)
    assert (target / "a.md").stat().st_mtime_ns == before
    assert (target / "part" / "b.md").read_text(encoding="utf-8") == "changed"
    (source / "c.md").unlink()
    stage(source, target)
    assert not (target / "c.md").exists()
