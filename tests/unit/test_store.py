"""The row store: nothing is lost or half-written, and what is damaged is named."""

import threading

import pytest

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
    lines = path.read_text().splitlines()
    lines[2] = "{broken"
    path.write_text("\n".join(lines) + "\n")
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
