"""Prompts whose gold word is known: facts far back, facts in a sentence, and reviews, whose gold word is the class."""

import json
import tomllib
from typing import Any

from attribook.data.prompts import Prompt, located


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


def longra_released(content: str) -> list[Prompt]:
    """LongRA as released with Noiser, one JSON object a line; `group` says which items are whole and which broken.

    Broken ones have no cue word: the answer of the analogy stands at their end, and the cue word is asked for.
    """
    rows = [json.loads(line) for line in content.splitlines()]
    return [Prompt(str(row["id"]), row["prompt"], row["target"].strip(), "whole" if row["whole"] else "broken")
            for row in rows]  # fmt: skip


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
