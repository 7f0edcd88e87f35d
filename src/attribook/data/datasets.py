"""Every data set by its name: our own mini sets, sets from the package index, and the papers' sets.

Our own lie in the package. Sets in an archive of the package index are cached; the papers' are read from
`$ATTRIBOOK_DATA`. Only our own are part of this project. A file counts only if its SHA-256 and its number of rows are
right.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from attribook.archives import Archive, Member, cached, cached_path
from attribook.data.gold_prompts import knowns, knowns_mini, longra, longra_mini, longra_released, reviews_mini
from attribook.data.labelled import TASKS, Task
from attribook.data.open_prompts import (
    prompt_lines,
    tellmewhy,
    tellmewhy_mini,
    wikibio,
    wikibio_gpt3,
    wikibio_mini,
)
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
    task: Task | None = None  # several files, of which `file` is the held-out part
    all_parts: bool = False  # of a task: with what is tuned on, or the held-out part alone

    @property
    def elsewhere(self) -> bool:
        """Whether it lies under `$ATTRIBOOK_DATA` alone: then no row may hold its text."""
        return not self.own and self.archive is None

    def here(self) -> bool:
        """Whether it can be looked for without fetching anything."""
        if self.archive and self.member:
            return cached_path(self.archive, self.member).is_file()
        folder = data_home()
        return self.own or (folder is not None and (folder / self.file).is_file())

    def path(self) -> Path:
        """The file. Raises: AttribookError where it is not there, saying how to bring it."""
        if self.own:
            return Path(str(resources.files("attribook.data") / self.file))
        if self.archive and self.member:
            return cached(self.archive, self.member)
        return self._at_home(self.file)

    def _at_home(self, file: str) -> Path:
        folder = data_home()
        if folder is None:
            raise AttribookError(
                f"The data set {self.name} is not part of attribook. Put {file} ({self.source}) into a "
                "folder and name that folder in $ATTRIBOOK_DATA; or use one of our own sets: "
                f"{', '.join(name for name, d in DATASETS.items() if d.own)}."
            )
        path = folder / file
        if not path.is_file():
            raise AttribookError(f"{path} is missing, which $ATTRIBOOK_DATA should hold. Source: {self.source}.")
        return path

    def read(self) -> list[Prompt]:
        """All items. Raises: AttribookError if hash or row count are not the registered ones."""
        if self.task:
            contents = {part.file: self._content(self._at_home(part.file), part.sha256) for part in self.task.parts}
            prompts = self.task.read(contents) if self.all_parts else self.task.read(contents, ("held-out",))
        else:
            prompts = self.parse(self._content(self.path(), self.sha256))
        if len(prompts) != self.rows:
            raise AttribookError(f"{self.path()} has {len(prompts)} items, expected {self.rows}.")
        return prompts

    def _content(self, path: Path, expected: str | None) -> str:
        """A file's text, if its hash is the expected one."""
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if expected is not None and found != expected:
            raise AttribookError(
                f"{path} is not the registered file: SHA-256 {found}, expected {expected}. "
                f"Bring it again from its source: {self.source}."
            )
        return content.decode()


def load_dataset(name: str) -> list[Prompt]:
    """Items of the data set of that name."""
    if name not in DATASETS:
        raise AttribookError(f"Unknown data set {name!r}. Known: {', '.join(DATASETS)}.")
    return DATASETS[name].read()


def ours(name: str, rows: int, parse: Callable[[str], list[Prompt]], about: str) -> Dataset:
    """One of our own sets: a TOML file of the package that has the set's name."""
    file = f"{name.replace('-', '_')}.toml"
    return Dataset(name, file, True, rows, None, parse, "written for this project", "MIT", about)


def tasks(name: str, rows: int, held_out: int) -> list[Dataset]:
    """A set of RPI's other tasks, whole and its held-out part."""
    task = TASKS[name]
    last = task.parts[-1]
    fixed: dict[str, Any] = {"file": last.file, "own": False, "sha256": last.sha256, "parse": nothing, "task": task,
             "source": task.source, "licence": task.licence}  # fmt: skip
    whole = f"{task.about}; {', '.join(task.labels)}; labels, no next words"
    return [
        Dataset(name=name, rows=rows, about=whole, all_parts=True, **fixed),
        Dataset(name=f"{name}-held-out", rows=held_out, about=f"the test part of {name}", **fixed),
    ]


def nothing(content: str) -> list[Prompt]:
    """A task reads its own files."""
    raise AttribookError(f"{len(content)} characters of a file whose task should have read it.")


DATASETS: dict[str, Dataset] = {
    data.name: data
    for data in [
        ours("longra-mini", 223, longra_mini, "a fact far back, a distractor between"),
        ours("knowns-mini", 213, knowns_mini, "one-sentence facts"),
        ours("reviews-mini", 40, reviews_mini, "one-sentence film reviews, half of them negative"),
        ours("tellmewhy-mini", 30, tellmewhy_mini, "five-sentence stories and a question why; open ending"),
        ours("wikibio-mini", 32, wikibio_mini, "two sentences on an invented person; open ending"),
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
            name="longra-released",
            file="noiser_released/longra_released_573.jsonl",
            own=False,
            rows=573,
            sha256="b61a1da50c11c30b735eb6c9fde86136aee58de069237c577f10d1999711139a",
            parse=longra_released,
            source="qasemii/Noiser, data/LongRA.json, commit edc80e6, as JSON lines",
            licence="none stated",
            about="LongRA as released with Noiser: 387 of the 573 prompts are whole, 186 broken",
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
            name="tellmewhy",
            file="tellmewhy/tellmewhy_annotated_test_464.jsonl",
            own=False,
            rows=464,
            sha256="78e3d2369ff24d86e405b9f7b9ab282ce003ff570132bc8411e41e2ae2fdb29b",
            parse=tellmewhy,
            source="StonyBrookNLP/knowwhy, artifacts/hidden_test_set_ontology.csv, commit 9cada6843f18, as JSON lines",
            licence="none stated",
            about="TellMeWhy (Lal et al. 2021), annotated part of the test split; open ending",
        ),
        Dataset(
            name="wikibio",
            file="wikibio/wiki_bio_238.jsonl",
            own=False,
            rows=238,
            sha256="939e53ccb3d12d4277df37fbe8f19f594d4042597ff596d3967dc680c31386c2",
            parse=wikibio,
            source="lzy248/e-verify, data/wiki_bio_hallu/wiki_bio_simple.json, commit 80f8508d9481, as JSON lines",
            licence="none stated; the text CC BY-SA 3.0",
            about="two sentences of WikiBio (Lebret et al. 2016, Manakul et al. 2023); open ending",
        ),
        Dataset(
            name="wikibio-gpt3",
            file="wikibio/wiki_bio_gpt3_hallucination_119.jsonl",
            own=False,
            rows=119,
            sha256="c5b5fc6c3410f3423954a1931b8e2e898f2ac2be8683c78c65356787694efa3e",
            parse=wikibio_gpt3,
            source="KAIST-CS584-HCI/selfcheckgpt-replication, data/dataset-generated.json, commit f9e1f073c6c891fef4ed",
            licence="MIT; the text CC BY-SA 3.0",
            about="two sentences by GPT-3 on people of wikibio, judged by people (Manakul et al. 2023); open ending",
        ),
        Dataset(
            name="reagent-tellmewhy",
            file="reagent_prompts/tellmewhy2.txt",
            own=False,
            rows=20,
            sha256="288bf6dadde49363c7a1d559fdf3a89171abf9285f56e7cd3775627d52c93210",
            parse=prompt_lines,
            source="casszhao/ReAGent, data/benchmark/tellmewhy2.txt, commit 780977384e4cd9eb53c1",
            licence="MIT",
            about="TellMeWhy prompts released with ReAGent (Zhao and Shan 2024); open ending",
        ),
        Dataset(
            name="reagent-wikitext",
            file="reagent_prompts/wikitext.txt",
            own=False,
            rows=22,
            sha256="b2034a1c76ad2c445d95287d551d8045100f1a56b655fbaf31b9f1d494980939",
            parse=prompt_lines,
            source="casszhao/ReAGent, data/benchmark/wikitext.txt, commit 780977384e4cd9eb53c1",
            licence="MIT",
            about="encyclopaedia openings released with ReAGent, its WikiBio (Zhao and Shan 2024); open ending",
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
        *tasks("sst2", 9610, 1821),
        *tasks("ag-news", 17591, 7600),
        *tasks("emotion", 19981, 2000),
    ]
}
