"""What commands print and write: control characters as text, ordinary files alone, whole or not at all."""

import os

import pytest
from typer.testing import CliRunner

from attribook.cli.files import refuse_no_file
from attribook.cli.main import app
from attribook.errors import AttribookError, printable
from attribook.files import write_whole


def test_control_characters_are_written_out():
    assert printable("a\x1b[31mb\x07\n\tc") == "a\\x1b[31mb\\x07\n\tc"
    assert printable("東京 é \u2028") == "東京 é \\u2028"


def test_a_prompt_cannot_steer_the_terminal():
    told = CliRunner().invoke(app, ["explain", "--model", "tiny-gpt2", "the old \x1b[31m city"])
    assert told.exit_code == 0
    assert "\x1b[31m" not in told.stdout
    assert "U+001B[31m" in told.stdout


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "why.html"
    write_whole(path, "first")
    assert path.read_text(encoding="utf-8") == "first"
    assert path.stat().st_mode & 0o600 == 0o600

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("attribook.files.os.replace", full)
    with pytest.raises(AttribookError, match=r"Cannot write .*why\.html: No space left on device"):
        write_whole(path, "second")
    assert path.read_text(encoding="utf-8") == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["why.html"]


def test_only_ordinary_files_are_replaced(tmp_path):
    pipe, link, aim = tmp_path / "pipe", tmp_path / "link", tmp_path / "aim"
    os.mkfifo(pipe)
    aim.write_text("mine", encoding="utf-8")
    link.symlink_to(aim)
    for path in (pipe, link, tmp_path, tmp_path / "none" / "a.html"):
        with pytest.raises(AttribookError):
            refuse_no_file(path)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert aim.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("value", ["99999999999999999999999", "-99999999999", "inf", "nan", "1e999"])
@pytest.mark.parametrize(("method", "option"), [("integrated_gradients", "steps"), ("reagent", "ratio")])
def test_numbers_beyond_what_fits_are_one_line(method, option, value):
    told = CliRunner().invoke(
        app, ["explain", "--model", "tiny-gpt2", "--method", method, "-o", f"{option}={value}", "x y"]
    )
    assert isinstance(told.exception, AttribookError)
    assert f"The option {option} takes" in str(told.exception)


def test_half_of_a_character_as_a_target_is_one_line():
    told = CliRunner().invoke(app, ["explain", "--model", "tiny-gpt2", "--target", "a\ud800", "the old city"])
    assert isinstance(told.exception, AttribookError)
    assert "The target has bytes that are no UTF-8 text" in str(told.exception)
