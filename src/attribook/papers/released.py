"""What authors released, read from `$ATTRIBOOK_DATA`, and the tables made of it, which are stored with the rows."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.store import Store
from attribook.paths import data_home, results_folder


def released_file(place: str, sha256: str, source: str) -> bytes:
    """One file. Raises: AttribookError if it is not there or not the registered one."""
    folder = data_home()
    if folder is None or not (folder / place).is_file():
        raise AttribookError(
            f"{place} is not part of attribook. Put it (made from {source}) into a folder and name that folder in "
            "$ATTRIBOOK_DATA."
        )
    content = (folder / place).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise AttribookError(f"{folder / place} is not the registered file. Bring it again from its source: {source}.")
    return content


@dataclass(frozen=True)
class ReleasedTable:
    """A table that is made of released files once and stored: by `key`, which changes with the files and the making."""

    study: str
    key: str
    columns: Sequence[str]
    words: Collection[str]  # columns of text; the others hold numbers
    made: Callable[[], pd.DataFrame]
    read: Callable[[pd.DataFrame], pd.DataFrame] = pd.DataFrame  # from the stored form to the one that pages take

    def frame(self) -> pd.DataFrame:
        """The table. Raises: AttribookError where neither the files nor stored rows are there."""
        store = Store(results_folder() / "original" / self.study / "rows.csv", tuple(self.columns))
        if self.key not in store:
            rows = self.made().to_dict("records")
            with store.writing():
                store.append(self.key, ({str(name): value for name, value in row.items()} for row in rows))
        frame = pd.DataFrame(store[self.key])[list(self.columns)]
        numbers = frame.columns.difference(list(self.words))
        return self.read(frame.assign(**frame[numbers].apply(pd.to_numeric)))
