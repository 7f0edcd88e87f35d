"""The row store: plain text files that grow by one group of rows at a time.

A group is everything that one unit of work yields, under one key, and is written at once. A run that is killed
loses at most the group in hand: what a broken write left behind is cut off when the file is opened next. A line ends at
a newline byte and nowhere else: texts of models hold whatever other programs take for the end of a line.
"""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from tqdm import tqdm

from attribook.errors import AttribookError

Row = dict[str, Any]
T = TypeVar("T")


class Store:
    """Rows in one file, `.csv` with a header of `columns` or `.jsonl`; every row has a `key`.

    `is_whole` tells a complete group from one whose last lines are missing; without it every group counts as whole.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] = (), is_whole: Callable[[list[Row]], bool] = bool) -> None:
        self.path = path
        self.columns = columns
        self.is_whole = is_whole
        self.groups: dict[str, list[Row]] = {}
        self.read()

    def __contains__(self, key: str) -> bool:
        return key in self.groups

    def __getitem__(self, key: str) -> list[Row]:
        return self.groups[key]

    def append(self, key: str, rows: Iterable[Row]) -> None:
        """Write one group and force it to the disk."""
        group = [{"key": key, **row} for row in rows]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists() or self.path.stat().st_size == 0
        text = self._header() * new + "".join(self._encode(row) for row in group)
        with self.path.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        self.hold(key, group)

    def hold(self, key: str, rows: Iterable[Row]) -> None:
        """Have a group without writing it: values as they would be read back, so that nobody sees a difference."""
        self.groups[key] = [self._decode(self._encode({"key": key, **row})) for row in rows]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder for the time of a run, after waiting for others that do, and read what they wrote."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.parent / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"waiting for another run, which writes to {self.path.parent}", file=sys.stderr, flush=True)
            lock.acquire()
        try:
            self.read(cut=True)
            yield
        finally:
            lock.release()

    def missing(self, wanted: Mapping[str, T], label: str) -> Iterator[tuple[str, T]]:
        """Keys that are not in the store and what is wanted for them, while the folder is held; with a bar."""
        if all(key in self for key in wanted):
            return
        with self.writing():
            todo = [(key, value) for key, value in wanted.items() if key not in self]
            yield from tqdm(todo, desc=label, unit="item", mininterval=1)

    # -- lines ---------------------------------------------------------------------------------------------------

    def _header(self) -> str:
        return ",".join(("key", *self.columns)) + "\n" if self.columns else ""

    def _encode(self, row: Row) -> str:
        if not self.columns:
            text = json.dumps(row, ensure_ascii=False)
            return (text if text.isascii() or encodable(text) else json.dumps(row)) + "\n"
        line = io.StringIO()
        ended = csv.writer(line, lineterminator="\r\n")  # so that it quotes both signs
        ended.writerow([row[name] for name in ("key", *self.columns)])
        text = line.getvalue().removesuffix("\r\n")
        if "\n" in text or "\0" in text or not encodable(text):
            raise AttribookError(f"A row of {self.path} would hold a line break or what is no text: {text[:60]!r}.")
        return text + "\n"

    def _decode(self, line: str) -> Row:
        if not self.columns:
            return json.loads(line)
        return dict(zip(("key", *self.columns), next(csv.reader([line])), strict=True))

    def read(self, *, cut: bool = False) -> None:
        """Read the file anew, without what a broken write left at its end.

        cut: take it out of the file too. Only who holds the folder may, because another run may be in that write.
        """
        self.groups.clear()
        if not self.path.is_file():
            return
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        kept = whole if whole == content else self._without_last_group(whole)
        self._parse(kept)
        last = next(reversed(self.groups), None)
        if last is not None and not self.is_whole(self.groups[last]):  # a write that broke between two lines
            kept = self._without_last_group(kept)
            del self.groups[last]
        if cut and kept != content:  # what is kept is a beginning of the file, which is never rewritten
            with self.path.open("r+b") as file:
                file.truncate(len(kept))
                os.fsync(file.fileno())

    def _parse(self, content: bytes) -> None:
        lines = self._lines(content)
        if self.columns and lines and lines[0] != self._header():
            raise AttribookError(f"{self.path} has other columns than expected: {lines[0].strip()[:200]!r}.")
        for number, line in enumerate(lines[bool(self.columns) :], start=1 + bool(self.columns)):
            row = self._row(line, number)
            self.groups.setdefault(row["key"], []).append(row)

    def _without_last_group(self, whole: bytes) -> bytes:
        """Complete lines without the last group, of which a killed run wrote only a part."""
        lines = self._lines(whole)
        body = lines[bool(self.columns) :]
        broken = self._row(body[-1], len(lines))["key"] if body else None
        while body and self._row(body[-1], len(body))["key"] == broken:
            # A group that was complete is computed again too: nothing tells it from a broken one.
            body.pop()
        return "".join(lines[: len(body) + bool(self.columns)]).encode()

    def _lines(self, content: bytes) -> list[str]:
        """Complete lines, each with its newline."""
        try:
            return [f"{line}\n" for line in content.decode().split("\n")[:-1]]
        except UnicodeDecodeError as error:
            raise AttribookError(f"{self.path} is no UTF-8 text. Bring the file back from git.") from error

    def _row(self, line: str, number: int) -> Row:
        try:
            row = self._decode(line)
            if isinstance(row["key"], str):
                return row
        except (ValueError, KeyError, TypeError, StopIteration, RecursionError, csv.Error):
            pass
        raise AttribookError(
            f"{self.path}, line {number}, is damaged. Bring the file back from git, or delete that line."
        )


def encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8: a lone surrogate cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
