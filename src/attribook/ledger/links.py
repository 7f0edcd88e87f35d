"""Which study answers which published cell, and what of the papers is here: `links.toml`, read and checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError
from attribook.grid.protocols import find_protocol
from attribook.grid.settings import Picked, Setting
from attribook.ledger.rows import ROLES
from attribook.papers.registry import paper_folders, parsed, sound


@dataclass(frozen=True)
class Link:
    """Where the rows for a table's cells are, under which protocols, and which page shows them."""

    paper: str
    table: int
    studies: list[str]
    notebook: str
    protocols: dict[str, str]
    dataset: str | None = None  # None: all of the table
    names: dict[str, str] = field(default_factory=dict)
    pools: str | None = None  # a study of pools whose best maps join the rows
    unnamed: str | None = None  # why no rows can answer printed rows that `names` lacks
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)  # of the claimed methods, as the paper has them
    judge: str | None = None  # the model that judges answers in the paper

    def method(self, cell: Mapping[str, Any]) -> str:
        """Our name for what a printed row measures; empty where there is none."""
        return self._named(cell) or cell["method"]

    def refusal(self, cell: Mapping[str, Any]) -> str | None:
        """Why no rows can answer a cell; None where some could."""
        return None if self._named(cell) else self.unnamed

    def unlike(self, protocol: str, methods: Iterable[str]) -> list[str]:
        """What the paper states of the claimed methods among these, and was not run so here, in words."""
        found = []
        for name in dict.fromkeys(methods):
            picked = Picked.parse(name)
            each = picked.settings[0] if picked else Setting.parse(name)
            if each.method in self.settings:
                options = find_protocol(protocol).method_options(each.method) | dict(each.options)
                ours = each.facts.resolve(options) | ({"maps": picked.maps} if picked else {})
                found += [f"{each.method} has {option} {ours[option]}, not {value}"
                          for option, value in self.settings[each.method].items() if ours[option] != value]  # fmt: skip
        return found

    def other_judges(self, judges: Iterable[str]) -> list[str]:
        """Judges of stored rows, as `name@hash, asking`, that are not the paper's, in words."""
        names = dict.fromkeys(judge.split("@")[0].split(", ")[0] for judge in judges)
        return [f"the judge is {name}, not {self.judge}" for name in names if self.judge and name != self.judge]

    def _named(self, cell: Mapping[str, Any]) -> str | None:
        row, column = cell["row"], cell["column"]
        return self.names.get(f"{column}/{row}") or self.names.get(row)


@dataclass(frozen=True)
class Links:
    """All of `links.toml`."""

    links: list[Link]
    data: dict[str, dict[str, dict[str, str]]]  # paper, printed name: {own, stand_in}
    models: dict[str, str]  # printed name: hub id

    def find(self, cell: Mapping[str, Any]) -> Link | None:
        """The first entry for a cell."""
        for link in self.links:
            if (link.paper, link.table) == (cell["paper"], cell["table"]) and link.dataset in (None, cell["dataset"]):
                return link
        return None

    def own(self, cell: Mapping[str, Any]) -> str | None:
        """The paper's own items for a cell, by our name."""
        return self.data[cell["paper"]].get(cell["dataset"], {}).get("own")

    def fits(self, dataset: str, cell: Mapping[str, Any]) -> bool:
        """Whether rows on a data set of ours can answer a cell; a column over all of a paper's takes any."""
        return not cell["dataset"] or dataset in self.data[cell["paper"]].get(cell["dataset"], {}).values()

    def stand_ins(self, cell: Mapping[str, Any]) -> list[str]:
        """Data sets of ours for a cell; for a column over all of a paper's, one for each of them."""
        known = self.data[cell["paper"]]
        wanted = [known.get(cell["dataset"], {})] if cell["dataset"] else list(known.values())
        found = [each[name] for each in wanted for name in ("stand_in", "own") if name in each]
        return found if len(found) >= len(wanted) else []


def links() -> Links:
    """The entries of all papers."""
    return _links(tuple(paper_folders().values()))


@lru_cache
def _links(folders: tuple[Path, ...]) -> Links:
    return read_links({folder.name: (folder / "links.toml").read_text("utf-8") for folder in folders})


def read_links(texts: Mapping[str, str]) -> Links:
    """Links of each paper's TOML text. Raises: AttribookError naming what is wrong."""
    found: list[Link] = []
    data: dict[str, dict[str, dict[str, str]]] = {}
    models: dict[str, str] = {}
    for paper, text in texts.items():
        with sound(f"{paper}/links.toml"):
            entries = parsed(text, f"{paper}/links.toml")
            found += [read_link(paper, entry) for entry in entries.get("link", [])]
            data[paper] = entries.get("data", {})
            models |= entries.get("models", {})
            named = {name for each in data[paper].values() for name in each.values()}
        if unknown := named - set(DATASETS):
            raise AttribookError(f"{paper}/links.toml names unknown data sets: {', '.join(sorted(unknown))}.")
    return Links(found, data, models)


def read_link(paper: str, entry: Mapping[str, Any]) -> Link:
    """One entry. Raises: AttribookError naming what is wrong."""
    place = f"{paper}/links.toml, table {entry.get('table')}"
    try:
        link = Link(paper=paper, **entry)
    except TypeError as error:
        raise AttribookError(f"{place}: {error}.") from error
    if not link.studies or not set(link.protocols) <= set(ROLES):
        raise AttribookError(f"{place}: give at least one study, and protocols by {', '.join(ROLES)}.")
    for protocol in link.protocols.values():
        find_protocol(protocol)
    return link
