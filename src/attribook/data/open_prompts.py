"""Prompts for generation: stories with a question why, and openings of biographies. None has a gold word.

ReAGent joins story and question with one space and lets a model go on for ten tokens. Its released WikiBio prompts are
openings of any encyclopaedia entry, most within the first sentence; Noiser's are the first two sentences of a
biography, as here. Released lines are taken as they stand, as its code does: most openings end in a space, some stories
have a tab before the question.
"""

import json
import tomllib

from attribook.data.prompts import Prompt, located


def tellmewhy_mini(content: str) -> list[Prompt]:
    """Our stories; the antecedent is what the story says of the reason."""
    items = []
    for number, story in enumerate(tomllib.loads(content)["story"]):
        text = f"{story['text']} {story['question']}"
        spans = {"antecedent": located(text, story["reason"])}
        items.append(Prompt(f"{story['topic']}-{number:02d}", text, None, story["topic"], spans))
    return items


def wikibio_mini(content: str) -> list[Prompt]:
    """Our biographies of invented people; the group is what they are known for."""
    return [
        Prompt(f"{field['name']}-{number:02d}", text, None, field["name"])
        for field in tomllib.loads(content)["field"]
        for number, text in enumerate(field["openings"])
    ]


def tellmewhy(content: str) -> list[Prompt]:
    """Stories with a question; the group says whether people found the answer in the story."""
    rows = [json.loads(line) for line in content.splitlines()]
    return [
        Prompt(
            row["question_meta"], f"{row['narrative']} {row['question']}", None, row["is_ques_answerable"].casefold()
        )
        for row in rows
    ]


def wikibio(content: str) -> list[Prompt]:
    """The first two sentences of each biography."""
    rows = [json.loads(line) for line in content.splitlines()]
    return [Prompt(str(row["wiki_bio_test_idx"]), row["first_two_sentences"], None, "biography") for row in rows]


SEVERITY = ("accurate", "minor_inaccurate", "major_inaccurate")


def wikibio_gpt3(content: str) -> list[Prompt]:
    """The first two sentences of GPT-3 on a person of `wikibio`, same id; the group is the worse judgement."""
    items = []
    for row in map(json.loads, content.splitlines()):
        worst = max(row["annotation"][:2], key=SEVERITY.index)
        items.append(Prompt(str(row["wiki_bio_test_idx"]), " ".join(row["gpt3_sentences"][:2]), None, worst))
    return items


def prompt_lines(content: str) -> list[Prompt]:
    """One prompt a line, named by its number from 0, as the files of released results are."""
    return [Prompt(str(number), line, None, "released") for number, line in enumerate(content.splitlines())]
