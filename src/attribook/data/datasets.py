"""Every data set by its name: our own mini sets, sets from the package index, and the papers' sets.

Our own lie in the package. Sets in an archive of the package index are cached; the papers' are read from
`$ATTRIBOOK_DATA`. Only our own are part of this project. A file counts only if its SHA-256 and its number of rows are
right.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from attribook.archives import Archive, Member, cached, cached_path
from attribook.data.prompts import Prompt
from attribook.data.snippets import SNIPPETS, VADER, held_out, snippets
from attribook.errors import AttribookError
from attribook.paths import data_home


@dataclass(frozen=True)
class Dataset:
    """A registered data set; `file` lies in the package (`own`), in an `archive`, or under `$ATTRIBOOK_DATA`."""

    name: str
    file: str
    own: bool
    rows: int
    sha256: str | None  # None for our own, which git keeps
    parse: Callable[[str], list[Prompt]]
    source: str
    licence: str
    about: str
    archive: Archive | None = None
    member: Member | None = None

    def here(self) -> bool:
        """Whether it can be looked for without fetching anything."""
        if self.archive and self.member:
            return cached_path(self.archive, self.member).is_file()
        return self.own or data_home() is not None

    def path(self) -> Path:
        """The file. Raises: AttribookError where it is not there, saying how to bring it."""
        if self.own:
            return Path(str(resources.files("attribook.data") / self.file))
        if self.archive and self.member:
            return cached(self.archive, self.member)
        folder = data_home()
        if folder is None:
            raise AttribookError(
                f"The data set {self.name} is not part of attribook. Put {self.file} ({self.source}) into a "
                "folder and name that folder in $ATTRIBOOK_DATA; or use one of our own sets: "
                f"{', '.join(name for name, d in DATASETS.items() if d.own)}."
            )
        path = folder / self.file
        if not path.is_file():
            raise AttribookError(f"{path} is missing, which $ATTRIBOOK_DATA should hold. Source: {self.source}.")
        return path

    def read(self) -> list[Prompt]:
        """All items. Raises: AttribookError if hash or row count are not the registered ones."""
        content = self.path().read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if self.sha256 is not None and found != self.sha256:
            raise AttribookError(
                f"{self.path()} is not the registered file: SHA-256 {found}, expected {self.sha256}. "
                f"Bring it again from its source: {self.source}."
            )
        prompts = self.parse(content.decode())
        if len(prompts) != self.rows:
            raise AttribookError(f"{self.path()} has {len(prompts)} items, expected {self.rows}.")
        return prompts


def load_dataset(name: str) -> list[Prompt]:
    """Items of the data set of that name."""
    if name not in DATASETS:
        raise AttribookError(f"Unknown data set {name!r}. Known: {', '.join(DATASETS)}.")
    return DATASETS[name].read()


def located(text: str, part: str) -> tuple[int, int]:
    """Characters of the first occurrence of `part`."""
    start = text.index(part)
    return start, start + len(part)


def longra_mini(content: str) -> list[Prompt]:
    """Our LongRA-style items: a fact, a distractor in parentheses, and a sentence that asks for the fact."""
    items = []
    for relation in tomllib.loads(content)["relation"]:
        for number, (antecedent, target) in enumerate(relation["pairs"]):
            before = relation["before"].format(antecedent=antecedent)
            text = f"{before} {relation['distractor']} {relation['after']}"
            place = relation["before"].index("{antecedent}")
            spans = {
                "antecedent": (place, place + len(antecedent)),
                "distractor": located(text, relation["distractor"]),
            }
            name = f"{relation['name']}-{number:02d}"
            items.append(Prompt(name, text, target, relation["name"], spans, f"{before} {relation['after']}"))
    return items


def knowns_mini(content: str) -> list[Prompt]:
    """Our known-facts-style items: one sentence that stops before the fact's object."""
    return [
        Prompt(
            f"{relation['name']}-{number:02d}",
            text,
            gold,
            relation["name"],
            {"antecedent": located(text, subject)},
        )
        for relation in tomllib.loads(content)["relation"]
        for number, (text, subject, gold) in enumerate(relation["facts"])
    ]


def reviews_mini(content: str) -> list[Prompt]:
    """Our film reviews; the gold word is the class."""
    return [
        Prompt(f"{label}-{number:02d}", text, label, label)
        for label, texts in tomllib.loads(content).items()
        for number, text in enumerate(texts)
    ]


def longra(content: str) -> list[Prompt]:
    """The 573 LongRA items, one JSON object a line."""

    def item(row: dict[str, Any]) -> Prompt:
        spans = {name: (row[f"{name}_char_start"], row[f"{name}_char_end"]) for name in ("antecedent", "distractor")}
        name = f"{row['category_index']}_{row['pair_index']}"
        return Prompt(
            name,
            row["prompt"],
            row["target"].strip(),
            row["category"],
            spans,
            row["prompt_without_distractor"],
        )

    return [item(json.loads(line)) for line in content.splitlines()]


def knowns(content: str) -> list[Prompt]:
    """The 1,209 known facts, a JSON list; the subject is the antecedent where the prompt holds it."""
    return [
        Prompt(
            str(row["known_id"]),
            row["prompt"],
            row["attribute"].strip(),
            row["relation_id"],
            {"antecedent": located(row["prompt"], row["subject"])} if row["subject"] in row["prompt"] else {},
        )
        for row in json.loads(content)
    ]


DATASETS: dict[str, Dataset] = {
    data.name: data
    for data in [
        Dataset(
            name="longra-mini",
            file="longra_mini.toml",
            own=True,
            rows=223,
            sha256=None,
            parse=longra_mini,
            source="written for this project",
            licence="MIT",
            about="a fact far back, a distractor between",
        ),
        Dataset(
            name="knowns-mini",
            file="knowns_mini.toml",
            own=True,
            rows=213,
            sha256=None,
            parse=knowns_mini,
            source="written for this project",
            licence="MIT",
            about="one-sentence facts",
        ),
        Dataset(
            name="reviews-mini",
            file="reviews_mini.toml",
            own=True,
            rows=40,
            sha256=None,
            parse=reviews_mini,
            source="written for this project",
            licence="MIT",
            about="one-sentence film reviews, half of them negative",
        ),
        Dataset(
            name="longra",
            file="longra/longra_573.jsonl",
            own=False,
            rows=573,
            sha256="d6bc0b00773fa6f6c908bcd885fe85b2df18b68884ade8522d4bbb88721598b0",
            parse=longra,
            source="templates of keyonvafa/sequential-rationales, pairs of tmikolov/word2vec questions-words.txt",
            licence="MIT, Apache-2.0",
            about="LongRA (Vafa et al. 2021), every unique analogy pair",
        ),
        Dataset(
            name="knowns",
            file="known_facts/known_1000.json",
            own=False,
            rows=1209,
            sha256="61daca55318bb5260c1e62e133debef9102c7b278bbc7b19dd2ac655543f333a",
            parse=knowns,
            source="kmeng01/rome, counterfact/compiled/known_1000.json, commit 448f8fe556cf267e0b71",
            licence="MIT",
            about="known facts (Meng et al. 2022)",
        ),
        Dataset(
            name="rotten-tomatoes-snippets",
            file=SNIPPETS.name,
            own=False,
            rows=10568,
            sha256=SNIPPETS.sha256,
            parse=snippets,
            source=f"{VADER.package}, source distribution",
            licence=VADER.licence,
            about="film reviews of one sentence, positive or negative (Hutto and Gilbert 2014); labels, no next words",
            archive=VADER,
            member=SNIPPETS,
        ),
        Dataset(
            name="rotten-tomatoes-held-out",
            file=SNIPPETS.name,
            own=False,
            rows=1049,
            sha256=SNIPPETS.sha256,
            parse=held_out,
            source=f"{VADER.package}, source distribution",
            licence=VADER.licence,
            about="the tenth of rotten-tomatoes-snippets on which nothing was tuned or chosen",
            archive=VADER,
            member=SNIPPETS,
        ),
    ]
}
