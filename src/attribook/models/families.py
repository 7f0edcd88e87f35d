"""What differs from family to family, where it matters to an attribution. Tests hold each line against its network.

- `first`: the token that a tokenizer of the family puts first: `bos`, `cls` or nothing.
- `last`: the token that it puts last: `sep` or nothing.
- `reads`: the position whose state becomes the prediction: the last, or the first (CLS).
- `positions`: learned or rotary.
- `embedding`: what the network does to a token's row of the embedding table before the first layer. `plain`; `scaled`:
  times sqrt(D) inside the embedding module, so that `Explained.embed` has it. OPT-350M also projects it by a matrix
  after that module, so that D is the table's width and not the layers'.
- `after_padding`: whether positions begin after the number of the padding token, so that the rows of the position
  table before it belong to no token (RoBERTa).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One architecture, under transformers' name for it."""

    name: str
    first: str | None
    reads: str
    positions: str
    last: str | None = None
    embedding: str = "plain"
    after_padding: bool = False


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in [
        Family("gpt2", None, "last", "learned"),
        Family("gptj", None, "last", "rotary"),
        Family("opt", "bos", "last", "learned"),  # its 350M size also projects its embeddings
        Family("llama", "bos", "last", "rotary"),  # SmolLM2's tokenizer puts nothing first
        Family("mistral", "bos", "last", "rotary"),
        Family("qwen2", None, "last", "rotary"),
        Family("gemma2", "bos", "last", "rotary", embedding="scaled"),
        Family("gemma3_text", "bos", "last", "rotary", embedding="scaled"),
        Family("bert", "cls", "first", "learned", last="sep"),
        Family("roberta", "cls", "first", "learned", last="sep", after_padding=True),
        Family("distilbert", "cls", "first", "learned", last="sep"),
    ]
}
ENCODERS = tuple(name for name, family in FAMILIES.items() if family.reads == "first")


def find_family(name: str) -> Family | None:
    """The line of that architecture; None for one that nothing here depends on."""
    return FAMILIES.get(name)
