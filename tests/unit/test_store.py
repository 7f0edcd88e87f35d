"""The row store: nothing is lost or half-written, and what is damaged is named."""

import csv
import io
import os
import random
import signal
import subprocess
import sys
import threading

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribook.errors import AttribookError
from attribook.grid.store import Store

COLUMNS = ("item", "value")


def filled(path, groups=3):
    store = Store(path, COLUMNS if path.suffix == ".csv" else ())
    for number in range(groups):
        store.append(f"k{number}", [{"item": f"i{number}", "value": 0.5 * draw} for draw in range(2)])
    return store


@pytest.fixture(params=["rows.csv", "scores.jsonl"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_rows_come_back_as_they_were_read_the_first_time(path):
    written = filled(path)
    again = Store(path, written.columns)
    assert again.groups == written.groups
    assert "k1" in again
    assert len(again["k1"]) == 2


def test_every_possible_cut_loses_at_most_the_last_group(path):
    filled(path)
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    header = path.suffix == ".csv"
    ends = [len(b"".join(lines[: header + 2 * (number + 1)])) for number in range(3)]
    for length in range(len(content)):
        path.write_bytes(content[:length])
        store = Store(path, COLUMNS if path.suffix == ".csv" else (), lambda rows: len(rows) == 2)
        kept = list(store.groups)
        assert kept == ["k0", "k1", "k2"][: len(kept)]
        assert all(len(store[key]) == 2 for key in kept), "a broken group is no group"
        written = sum(end <= length for end in ends)
        assert len(kept) >= written - 1, "at most the group before the broken one is computed again"


def test_a_cut_file_is_completed_to_the_same_bytes(path):
    filled(path)
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    store = Store(path, COLUMNS if path.suffix == ".csv" else ())
    with store.writing():
        for number in range(3):
            if f"k{number}" not in store:
                store.append(f"k{number}", [{"item": f"i{number}", "value": 0.5 * draw} for draw in range(2)])
    assert path.read_bytes() == content


def test_a_damaged_line_is_named(path):
    filled(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] = "{broken"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(AttribookError, match="line 3, is damaged"):
        Store(path, COLUMNS if path.suffix == ".csv" else ())


def test_other_columns_are_refused(tmp_path):
    filled(tmp_path / "rows.csv")
    with pytest.raises(AttribookError, match="other columns"):
        Store(tmp_path / "rows.csv", ("item", "other"))


def test_a_second_run_waits_and_reads_what_the_first_wrote(path, capsys):
    first = filled(path)
    second = Store(path, first.columns)
    entered = threading.Event()

    def run():
        with second.writing():
            entered.set()

    with first.writing():
        thread = threading.Thread(target=run)
        thread.start()
        assert not entered.wait(0.5)
        first.append("late", [{"item": "i", "value": 0.5}])
    thread.join(timeout=10)
    assert entered.is_set()
    assert "late" in second
    assert "waiting for another run" in capsys.readouterr().err


def test_who_only_reads_leaves_the_file_as_it_is(path):
    columns = filled(path).columns
    path.write_bytes(path.read_bytes()[:-7])  # as while another run writes
    content = path.read_bytes()
    assert "k2" not in Store(path, columns)
    assert path.read_bytes() == content


def test_what_is_missing_is_asked_for_once(path):
    store = filled(path)
    assert list(store.missing({"k1": 1, "new": 2}, "label")) == [("new", 2)]
    assert list(store.missing({"k1": 1}, "label")) == []


# -- whatever text a model writes ------------------------------------------------------------------------------------

# All that some program takes for the end of a line, and what no text can hold.
ODD = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\r\ufeff\ud800\x1a\u200b\"',"
TEXTS = st.text(st.characters() | st.sampled_from(ODD), max_size=12)


@given(first=TEXTS, second=TEXTS)
def test_json_rows_of_any_text_come_back(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("any") / "scores.jsonl"
    store = Store(path)
    store.append("k0", [{"item": first}, {"item": second}])
    store.append("k1", [{"item": second}])
    again = Store(path)
    assert again.groups == store.groups
    assert [row["item"] for row in again["k0"]] == [first, second]


@given(first=TEXTS, second=TEXTS)
def test_csv_rows_of_any_text_come_back_or_are_refused(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("any") / "rows.csv"
    store = Store(path, COLUMNS)
    store.append("k0", [{"item": "plain", "value": 1}])
    row = {"item": first, "value": second}
    if any(sign in "\n\0" or "\ud800" <= sign <= "\udfff" for sign in first + second):
        with pytest.raises(AttribookError, match="line break or what is no text"):
            store.append("k1", [row])
        assert list(Store(path, COLUMNS).groups) == ["k0"], "nothing is half-written"
        return
    store.append("k1", [row])
    again = Store(path, COLUMNS)
    assert again.groups == store.groups
    assert again["k1"] == [{"key": "k1", "item": first, "value": second}]
    assert next(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))) == ["key", *COLUMNS]
    assert len(pd.read_csv(path)) == 2, "pandas reads as many rows"


def test_a_torn_line_is_cut_off_in_place(path):
    filled(path)
    content = path.read_bytes()
    before = os.stat(path).st_ino
    path.write_bytes(content[:-3])
    with Store(path, COLUMNS if path.suffix == ".csv" else ()).writing():
        assert os.stat(path).st_ino == before
        assert content.startswith(path.read_bytes()), "no byte before the cut was written again"


KILLED = """
import sys
from pathlib import Path
from attribook.grid.store import Store
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    store = Store(path, ("item", "value") if path.suffix == ".csv" else (), lambda rows: len(rows) == 50)
    with store.writing():
        for number in range(400):
            if f"k{number}" not in store:
                store.append(f"k{number}", [{"item": f"i{number}", "value": draw} for draw in range(50)])
                break
        else:
            break
"""


def killed_while_writing(path, times, chance):
    """Kill a writer at random moments, tearing the last line now and then; then let it end."""
    for _ in range(times):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        try:
            child.wait(timeout=chance.uniform(0.0, 0.15))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if path.is_file() and chance.random() < 0.3:
            with path.open("ab") as file:
                file.write(b"k9999,i0,\xe2\x80" if path.suffix == ".csv" else b'{"key": "k9999", "it\xe2')
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Store(path, COLUMNS if path.suffix == ".csv" else ())


def check_kills(path, times):
    store = killed_while_writing(path, times, random.Random(0))
    assert sorted(store.groups, key=lambda key: int(key[1:])) == [f"k{number}" for number in range(400)]
    assert all([float(row["value"]) for row in rows] == list(range(50)) for rows in store.groups.values())


def test_no_row_is_lost_doubled_or_changed_by_kills(path):
    check_kills(path, 5)


@pytest.mark.slow
def test_no_row_is_lost_doubled_or_changed_by_a_hundred_kills(path):
    check_kills(path, 100)
