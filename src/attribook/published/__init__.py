"""Values printed in the papers, transcribed cell by cell."""

from importlib import resources

import pandas as pd


def published(paper: str) -> pd.DataFrame:
    """All transcribed cells of a paper: table, row, method, column, metric, value, best in its column."""
    with resources.files("attribook.published").joinpath(f"{paper}.csv").open() as file:
        return pd.read_csv(file)
