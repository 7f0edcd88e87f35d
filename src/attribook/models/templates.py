"""What a causal model is shown before and after a text that it is to classify: one template for each task.

An instruction if there is one, labelled examples, the text, and the words after which a label is due. All sentences
were written for this project.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """What stands around the user's text, and the word for each class."""

    name: str
    before: str
    after: str
    labels: tuple[str, ...]  # names of the classes, as the data set has them
    words: tuple[str, ...]  # what the model is to say for each, leading space included; told apart by first tokens

    @property
    def fingerprint(self) -> str:
        """Identifies the template in a row's key."""
        content = json.dumps([self.before, self.after, self.labels, self.words])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def few_shot(
    name: str,
    instruction: str,
    heads: tuple[str, str],
    words: Sequence[tuple[str, str]],
    examples: Sequence[tuple[str, str]],
) -> Template:
    """A template with examples in the form that the text will have.

    `heads` stand before a text and before its label; `words` has each class and what the model is to say for it;
    `examples` each text and the word that is right.
    """
    text_head, label_head = heads
    shown = [f"{text_head}: {text}\n{label_head}: {word}" for text, word in examples]
    return Template(
        name=name,
        before="\n\n".join([*filter(None, [instruction]), *shown, f"{text_head}:"]),
        after=f"\n{label_head}:",
        labels=tuple(label for label, _ in words),
        words=tuple(f" {word}" for _, word in words),
    )


SENTIMENT = few_shot(
    "sentiment",
    "Say whether the sentiment of each film review is negative or positive.",
    ("Review", "Sentiment"),
    (("negative", "negative"), ("positive", "positive")),
    (
        ("the plot falls apart after ten minutes and nobody on screen seems to care .", "negative"),
        ("a tender , funny film that earns every one of its tears .", "positive"),
        ("two hours of noise in search of a single idea .", "negative"),
        ("the leads are wonderful together , and the ending stays with you for days .", "positive"),
        ("lazy jokes , flat pictures and a story we have all seen before .", "negative"),
        ("smart , quick and beautifully shot from the first frame to the last .", "positive"),
    ),
)
# The two below have no instruction. They were chosen on validation texts, never on held-out ones.
TOPIC = few_shot(
    "topic",
    "",
    ("Article", "Category"),
    (("World", "world"), ("Sports", "sports"), ("Business", "business"), ("Sci/Tech", "technology")),
    (
        (
            "Talks resume after ceasefire Envoys of both governments met again on Tuesday, days after the border "
            "fighting had stopped.",
            "world",
        ),
        (
            "Airline cuts its forecast Shares fell by six percent after the carrier warned that fuel costs would eat "
            "its profit.",
            "business",
        ),
        (
            "Late goal sends visitors through A header in the last minute of extra time decided the semi-final.",
            "sports",
        ),
        (
            "Chip maker opens new software lab Engineers will write programs for phones and search engines there.",
            "technology",
        ),
    ),
)
EMOTION = few_shot(
    "emotion",
    "",
    ("Message", "Emotion"),
    tuple((word, word) for word in ("sadness", "joy", "love", "anger", "fear", "surprise")),
    (
        ("i feel amazed that so many people turned up", "surprise"),
        ("i feel tender and caring whenever i hold my little brother", "love"),
        ("i am feeling nervous and scared about the results", "fear"),
        ("i am feeling cheerful and ready for a bright new week", "joy"),
        ("i feel furious that nobody bothered to tell me", "anger"),
        ("i feel so lost and empty since they moved away", "sadness"),
    ),
)
TEMPLATES = {template.name: template for template in (SENTIMENT, TOPIC, EMOTION)}
