"""A section with `models` is executed once with each; the profile paper has every checkpoint of its tables."""

import nbformat
import pandas as pd
import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.grid.stored import stored_frames
from attribook.site.build import run_notebooks
from attribook.site.profiles import executions, parameters, read_profile

HEADER = (ROOT / "notebooks" / "shared" / "classifiers.py").read_text(encoding="utf-8").split("# %%")[0]
CODE = """# %% tags=["parameters"]
profile: str = "mine"  # p
model: str = "tiny-gpt2"  # m

# %%
from attribook.grid.study import Study

rows = Study("reagent_longra", profile, model, "longra-mini", "attribook", ("occlusion",), ("soft_nc",), n_items=1,
             keep="all").frame()
print(model, len(rows))
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    for folder in ("notebooks", "params"):
        (root / folder).mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n", encoding="utf-8")
    (root / "notebooks" / "page.py").write_text(HEADER + CODE, encoding="utf-8")
    monkeypatch.setenv("ATTRIBOOK_ROOT", str(root))

    def written(text):
        (root / "params" / "mine.yml").write_text(f"page:\n{text}", encoding="utf-8")
        return root

    return written


def test_the_page_has_the_first_model_and_rows_come_from_all(mine, capsys):
    root = mine("  models:\n    - tiny-opt\n    - tiny-qwen2\n    - tiny-llama\n")
    assert run_notebooks([], "mine") == {}
    pages = [path.name for path in (root / "_build" / "mine" / "book").rglob("*.ipynb")]
    assert pages == ["page.ipynb"]
    notebook = nbformat.read(root / "_build" / "mine" / "book" / "notebooks" / "page.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[-1].text.startswith("tiny-opt")
    rows: pd.DataFrame = stored_frames("mine", "reagent_longra")
    assert set(rows["model"]) == {"tiny-opt", "tiny-qwen2", "tiny-llama"}
    capsys.readouterr()
    mine("  models:\n    - tiny-opt\n    - tiny-qwen2\n    - tiny-gptj\n")
    assert parameters("mine", ["page"])["page"] == {"profile": "mine", "model": "tiny-opt"}


def test_one_model_that_fails_leaves_the_others(mine):
    mine("  models:\n    - no-such-model\n    - tiny-qwen2\n")
    failed = run_notebooks([], "mine")
    assert list(failed) == ["page"]
    assert set(stored_frames("mine", "reagent_longra")["model"]) == {"tiny-qwen2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  models: tiny-opt\n", "a list of different names"),
        ("  models:\n    - a\n    - a\n", "a list of different names"),
        ("  models: []\n", "a list of different names"),
        ("  model: a\n  models:\n    - b\n", "not both"),
    ],
)
def test_other_forms_are_refused(mine, text, said):
    mine(text)
    with pytest.raises(AttribookError, match=said):
        read_profile("mine")


def test_the_profile_paper_has_every_checkpoint_of_the_tables():
    pages = {"reagent/table_2_longra": 6, "reagent/table_2_continuations": 6, "reagent/table_3": 6, "noiser/table_1": 6,
             "noiser/table_2": 6, "noiser/table_3": 6, "rpi/table_2": 3, "rpi/table_4": 2}  # fmt: skip
    found = executions("paper", pages)
    assert {page: len(each) for page, each in found.items()} == pages
    assert executions("paper", ["noiser/table_7"])["noiser/table_7"][0]["models"].count(",") == 5
