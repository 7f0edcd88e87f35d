"""Which method works on which family: what the tests of `tests/parity/test_matrix.py` saw, stored as a table."""

import re
from pathlib import Path

import pandas as pd

from attribook.attribution.registry import METHODS
from attribook.models.tiny import tiny_names
from attribook.paths import checkout

COLUMNS = ("method", "model", "version", "works", "reason", "forwards", "backwards", "tokens", "moved")


def matrix_path() -> Path:
    """The committed table."""
    return checkout() / "results" / "matrix.csv"


def load_matrix(path: Path | None = None) -> pd.DataFrame:
    """One row for each method and tiny model, all columns as text; `refusal` is the reason in general words."""
    path = path or matrix_path()
    if not path.is_file():
        return pd.DataFrame(columns=[*COLUMNS, "refusal"], dtype=str)
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)
    return cells.assign(refusal=list(map(general, cells["reason"], cells["model"])))


def write_matrix(cells: list[dict[str, object]], path: Path | None = None) -> None:
    """Write the table, in the order of methods and families."""
    order = {name: place for place, name in enumerate([*METHODS, *tiny_names()])}
    frame = pd.DataFrame(cells, columns=list(COLUMNS))
    places = [frame["method"].map(order), frame["model"].map(order).fillna(len(order))]
    frame = frame.assign(m=places[0], f=places[1]).sort_values(["m", "f"])
    frame[list(COLUMNS)].to_csv(path or matrix_path(), index=False)


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
