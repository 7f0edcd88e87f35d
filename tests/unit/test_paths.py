"""Folders that environment variables name."""

import pytest

from attribook.errors import AttribookError
from attribook.paths import data_home, home, results_folder, stored_results, study_folder


@pytest.mark.parametrize(
    ("variable", "asked"),
    [("ATTRIBOOK_RESULTS", results_folder), ("ATTRIBOOK_HOME", home), ("ATTRIBOOK_DATA", data_home)],
)
def test_a_variable_that_names_a_file_is_told_by_its_name(tmp_path, monkeypatch, variable, asked):
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(AttribookError, match=rf"\${variable} names .*file, which is no folder"):
        asked()


def test_rows_are_not_read_from_a_folder_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "none"))
    assert results_folder() == tmp_path / "none"  # a run makes it
    with pytest.raises(AttribookError, match=r"\$ATTRIBOOK_RESULTS names .*none, and there is no such folder"):
        stored_results()


@pytest.mark.parametrize(
    "names",
    [("../x", "s", "m"), ("p", "..", "m"), ("p", "a/b", "m"), ("p", "s", ".."), ("p", "", "m"), ("p", "a\\b", "m")],
)
def test_names_that_lead_elsewhere_are_no_folders(names):
    with pytest.raises(AttribookError, match="is no name of a folder for results"):
        study_folder(*names)


def test_a_models_slashes_are_dashes():
    assert study_folder("p", "s", "/home/me/../model/").name == "home--me--..--model"
