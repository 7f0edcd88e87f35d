"""Pages made from the ledger: a line for every claim, links that lead somewhere, badges, and the page on checks."""

import re
import xml.etree.ElementTree as xml

import nbformat
import pytest
import yaml
from conftest import ROOT
from typer.testing import CliRunner

from attribook.cli.main import app
from attribook.ledger.ledger import full_ledger
from attribook.ledger.verdicts import TESTS
from attribook.ledger.words import RULES
from attribook.show.badges import badge
from attribook.site.ledger_page import BADGE, ledger_page, mark, readme_badge, verdicts_page, write_ledger_pages


@pytest.fixture(scope="module")
def rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
        return full_ledger()


def test_the_page_has_a_line_for_every_claim_and_escapes_what_they_say(rows):
    page = ledger_page(rows)
    assert page.count("<tr data-verdict=") == len(rows)
    for word in RULES:
        assert page.count(f"<summary>{word}</summary>") == sum(row["verdict"] == word for row in rows)
    planted = {**rows[0], "row": "<script>", "reason": 'a "b" & c'}
    assert "&lt;script&gt;" in ledger_page([planted])
    assert "<td><script>" not in ledger_page([planted])


def test_every_decided_claim_links_to_a_heading_of_a_notebook_and_to_its_rows(rows, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    write_ledger_pages(tmp_path, rows)
    decided = [row for row in rows if row["ours"] is not None and row["low"] is not None]
    assert decided
    assert all(row["notebook"] and row["rows"] for row in decided)
    page = (tmp_path / "claims" / "ledger.md").read_text(encoding="utf-8")
    for link in set(re.findall(r'href="\.\./([^"]+)"', page)):
        place, _, anchor = link.partition("#")
        if place.startswith("_static/"):
            assert (tmp_path / "book" / place).is_file()
        else:
            text = (ROOT / place.replace(".html", ".py")).read_text(encoding="utf-8")
            heads = [re.sub(r"[^a-z0-9]+", "-", head.lower()).strip("-") for head in re.findall(r"# #+ (.+)", text)]
            assert not anchor or anchor in heads


def test_verdicts_are_explained_by_the_text_of_the_code():
    page = verdicts_page()
    assert TESTS in page
    assert all(f"{word}\n: {rule}" in page for word, rule in RULES.items())


def test_badges_count_claims(rows):
    text = xml.fromstring(readme_badge(rows)).attrib["aria-label"]
    assert text == (ROOT / "results" / "badge.svg").read_text(encoding="utf-8").split('aria-label="')[1].split('"')[0]
    counted = sum(int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", text))
    assert counted == len(rows)
    assert xml.fromstring(badge("a & b", "<c>")).attrib["aria-label"] == "a & b: <c>"


def test_a_page_has_one_badge_and_loses_it_with_its_claims(rows, tmp_path):
    name = "reagent/table_2_longra"
    path = tmp_path / "page.ipynb"
    cells = [nbformat.v4.new_markdown_cell(text, id=text) for text in ("title", "rest")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    mine = [row for row in rows if row["notebook"].startswith(name)]
    for _ in range(2):
        mark(path, name, mine)
        page = nbformat.read(path, as_version=4)
        assert [cell.id for cell in page.cells] == ["title", BADGE, "rest"]
        assert f"../../claims/ledger.html#notebook={name}" in page.cells[1].source
    mark(path, name, [])
    assert [cell.id for cell in nbformat.read(path, as_version=4).cells] == ["title", "rest"]


def test_commands_on_the_page_of_checks_exist_and_its_yaml_is_sound():
    text = (ROOT / "book" / "checks.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.S)]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    mine = blocks[1]["repos"][0]["hooks"][0]
    assert {**mine, "entry": mine["entry"].removeprefix(".venv/bin/")}.items() <= hook.items()
    runs = [step["run"] for step in blocks[0]["jobs"]["check"]["steps"] if "run" in step]
    assert any("attribook check --profile mine" in run for run in runs)
    shown = CliRunner().invoke(app, ["check", "--help"], env={"COLUMNS": "200"}).output
    assert all(option in shown for option in re.findall(r"attribook check.*?(--[a-z]+)", text))
