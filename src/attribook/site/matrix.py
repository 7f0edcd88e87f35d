"""Which method works on which family: what the tests of `tests/parity/test_matrix.py` saw, stored as a table."""

import re

import pandas as pd

from attribook.files import readable
from attribook.paths import checkout

COLUMNS = ("method", "model", "version", "works", "reason", "forwards", "backwards", "tokens", "moved")


def load_matrix() -> pd.DataFrame:
    """One row for each method and tiny model, all columns as text; `refusal` is the reason in general words."""
    path = checkout() / "results" / "matrix.csv"  # `make matrix` writes it
    if not path.is_file():
        return pd.DataFrame(columns=[*COLUMNS, "refusal"], dtype=str)
    with readable(path):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False)[list(COLUMNS)]
    return cells.assign(refusal=list(map(general, cells["reason"], cells["model"])))


def general(reason: str, model: str) -> str:
    """A refusal without the names of method, model and family, so that equal reasons are one."""
    _, _, without_method = reason.partition(" ")
    return re.sub(r" of the family \w+", "", without_method.replace(f"{model}, ", ""))


def matrix_row(method: str) -> tuple[list[str], list[str]]:
    """Families on which a method works, and all families of the table."""
    cells = load_matrix()
    mine = cells[cells["method"] == method]
    names = mine["model"].str.removeprefix("tiny-")
    return names[mine["works"] == "True"].tolist(), names.tolist()
