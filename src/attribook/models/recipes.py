"""How encoders of ours are tuned on labelled data: one recipe for each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a model is tuned; anything that moves a weight is here."""

    base: str  # one of the registry's encoders
    dataset: str
    labels: tuple[str, ...]
    rank: int
    layers: tuple[str, ...]  # ends of the names of the linear layers that get an update
    learning_rate: float
    epochs: int
    batch_size: int = 32
    warmup: float = 0.1  # share of the steps
    clip: float = 1.0  # norm of the gradient
    masked: float = 0.0  # share of the tokens that the mask token stands for, drawn anew in each step
    slope: float = 0.0  # targets sigmoid(slope * rating) in place of labels: raters who differ teach doubt; 0: labels
    seed: int = 0


RECIPES = {
    "minilm-rotten-tomatoes": Recipe(
        base="all-minilm-l6-v2",
        dataset="rotten-tomatoes-snippets",
        labels=("negative", "positive"),
        rank=4,
        layers=("query", "key", "value", "dense"),
        learning_rate=2e-3,
        epochs=3,
        masked=0.1,
        slope=1.5,
    ),
    **{
        f"minilm-{dataset}": Recipe(
            base="all-minilm-l6-v2",
            dataset=dataset,
            labels=labels,
            rank=4,
            layers=("query", "key", "value", "dense"),
            learning_rate=2e-3,
            epochs=epochs,
            masked=0.1,
        )
        for dataset, epochs, labels in (
            ("sst2", 3, ("negative", "positive")),
            ("ag-news", 2, ("World", "Sports", "Business", "Sci/Tech")),
            ("emotion", 3, ("sadness", "joy", "love", "anger", "fear", "surprise")),
        )
    },
}
